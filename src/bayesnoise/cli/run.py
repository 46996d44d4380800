"""One fit and its scores: what `fit` and `compare` have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bayesnoise import metrics, pruning, training
from bayesnoise._typing import Array, Params
from bayesnoise.cli.model import Host, Network, kl_schedule, model_for, network_of, rate_schedule
from bayesnoise.cli.settings import Settings
from bayesnoise.datasets import Dataset
from bayesnoise.datasets.dataset import random_split
from bayesnoise.prediction import ClassificationPasses, RegressionPasses, predict_classification, predict_regression
from bayesnoise.procedures import Descent
from bayesnoise.training import Split, State

Passes = RegressionPasses | ClassificationPasses


class Rows(NamedTuple):
    train: Host  # (n_train,) integers
    validation: Host  # (n_validation,) integers, maybe none


def rows_of(data: Dataset, share: float, seed: int) -> Rows:
    """The training rows, with a share of them held out for validation."""
    if share == 0:
        return Rows(data.train, data.train[:0])
    inner = random_split(data.y[data.train], share, seed, data.task)
    return Rows(data.train[inner.train], data.train[inner.test])


class Prepared(NamedTuple):
    """A network and the arrays to train it on."""

    network: Network
    x: Array
    y: Array
    validation: Split | None

    def start(self) -> State:
        """A fresh state, for the structure of its trees."""
        network = self.network
        return network.start(self.x)

    def fit(self, state: State | None = None, on_epoch: Callable[[State], None] | None = None) -> State:
        """Train, from the beginning or from a state."""
        network, settings = self.network, self.network.model.settings
        return training.fit(
            network.layer,
            network.loss,
            self.x,
            self.y,
            rng=network.rngs()[0],
            optimizer=network.optimizer,
            epochs=settings.epochs,
            batch_size=settings.batch,
            kl_weight=kl_schedule(settings),
            learning_rate=rate_schedule(settings),
            validation=self.validation,
            patience=settings.patience,
            state=state,
            on_epoch=on_epoch,
            compile=network.backend.compile,
            procedure=network.procedure,
            samples=settings.train_samples or 1,
        )


def prepare(settings: Settings, data: Dataset) -> Prepared:
    """The network for the data, and its training and validation rows on the backend."""
    rows = rows_of(data, settings.validation, settings.seed)
    network = network_of(model_for(settings, data, rows.train))

    def arrays(index: Host) -> Split:
        return Split(network.x(data.x[index]), network.y(data.y[index]))

    x, y = arrays(rows.train)
    return Prepared(network, x, y, arrays(rows.validation) if len(rows.validation) else None)


def passes(network: Network, params: Params, x: Host, samples: int | None = None) -> Passes:
    """Stochastic passes for rows of features."""
    model = network.model
    common: dict[str, Any] = {
        "rng": network.rngs()[1],
        "samples": samples or model.settings.samples,
        "to_host": network.backend.to_host,
        "procedure": network.procedure,
    }
    loss: Any = network.loss
    if model.target is None:
        return predict_classification(network.layer, loss, params, network.x(x), **common)
    mean, scale = float(model.target.mean), float(model.target.scale)
    return predict_regression(network.layer, loss, params, network.x(x), target_mean=mean, target_scale=scale, **common)


def scores(predicted: Passes, y: Host) -> dict[str, float]:
    """Every metric of the task, in the units of the target."""
    if isinstance(predicted, RegressionPasses):
        u = predicted.uncertainty()
        return {
            "rmse": metrics.rmse(u.mean, y),
            "log_likelihood": metrics.mean_log_likelihood(predicted.means, predicted.variances, y),
            "coverage_95": metrics.interval_coverage(u.lower, u.upper, y),
            "interval_width": float(np.mean(u.upper - u.lower)),
            "epistemic_sd": float(np.sqrt(np.mean(u.epistemic_variance))),
            "aleatoric_sd": float(np.sqrt(np.mean(u.aleatoric_variance))),
        }
    c = predicted.uncertainty()
    nll = metrics.nll(predicted.log_probabilities, y)
    return {
        "accuracy": metrics.accuracy(c.probabilities, y),
        "nll": nll,
        "log_likelihood": -nll,
        "ece": metrics.expected_calibration_error(c.probabilities, y),
        "brier": metrics.brier(c.probabilities, y),
        "predictive_entropy": float(np.mean(c.predictive_entropy)),
        "mutual_information": float(np.mean(c.mutual_information)),
    }


class Pruned(NamedTuple):
    """What a sparse network keeps, and how it scores without the rest."""

    kept: dict[str, float]  # share by layer
    compression: float
    scores: dict[str, float]


def pruned(network: Network, params: Params, x: Host, y: Host) -> Pruned | None:
    """The scores of the network without its pruned weights; None where the method prunes none."""
    if network.procedure != Descent() or not pruning.can_prune(network.plain, params.layer):
        return None
    records = pruning.sparsity(network.plain, params.layer)
    small = params._replace(layer=pruning.prune(network.plain, params.layer))
    kept = {record.path: record.kept / record.total for record in records}
    return Pruned(kept, pruning.compression_ratio(records), scores(passes(network, small, x), y))


class Timer:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._began
