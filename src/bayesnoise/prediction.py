"""Predicting: stochastic passes through a trained network, and what they say together.

Each pass draws the weights, or the noise, anew; a large input goes through in batches, with draws of their own. Where
examples have noise of their own, a small input goes through once for several passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from bayesnoise import _checks, tree
from bayesnoise._host import Floats
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.composite import independent_examples
from bayesnoise.layer import Layer, frozen
from bayesnoise.losses import Classification, Regression
from bayesnoise.multi_sample import MultiSample
from bayesnoise.objective import ModelParams
from bayesnoise.procedures import Descent, Draw, Predicts
from bayesnoise.uncertainty import (
    ClassificationUncertainty,
    RegressionUncertainty,
    classification_uncertainty,
    regression_uncertainty,
)

ToHost = Callable[[Array], Array]
_ROWS = 2048  # measured: up to so many, several passes in one call are faster, the fewer their rows the more


class RegressionPasses(NamedTuple):
    """What each pass predicts, in the units of the target."""

    means: Floats  # (t, n)
    variances: Floats  # (t, n), of the target about the mean

    def uncertainty(self, level: float = 0.95) -> RegressionUncertainty:
        return regression_uncertainty(self.means, self.variances, level=level)


class ClassificationPasses(NamedTuple):
    """What each pass predicts."""

    log_probabilities: Floats  # (t, n, k)

    def uncertainty(self) -> ClassificationUncertainty:
        return classification_uncertainty(np.exp(self.log_probabilities))


def sample(
    layer: Layer,
    params: Params,
    x: Array,
    *,
    rng: Rng,
    samples: int,
    batch_size: int = 4096,
    to_host: ToHost = np.asarray,
) -> Floats:
    """`samples` stochastic passes, `(t, n, ...)` on the host, in float64.

    `x (n, ...)`. `to_host` makes a NumPy array of one of the backend's. Raises ValueError for numbers below 1.
    """
    _check(x, samples, batch_size)
    draws = Descent().draws(ModelParams(params, ()), rng, samples)
    return np.stack([f for _, f in _passes(layer, draws, x, batch_size, to_host)])


def _passes(
    layer: Layer, draws: Iterable[Draw], x: Array, batch_size: int, to_host: ToHost
) -> Iterator[tuple[ModelParams, Floats]]:
    """The parameters and the outputs `(n, ...)` of each pass."""
    predictor, n = frozen(layer), max(x.shape[0], 1)
    batches = [x[i : i + batch_size, ...] for i in range(0, n, batch_size)]
    together = max(1, min(_ROWS, batch_size) // n) if independent_examples(predictor) else 1

    def one(several: Layer, params: Params, rng: Rng, batch: Array) -> tuple[Floats, bool]:
        noise = several.draw(rng, params, batch.shape, like=batch)
        y, _ = several.forward(params, noise, batch)
        return np.asarray(to_host(y), dtype=np.float64), tree.first_leaf(noise) is not None

    earlier: tuple[ModelParams, Floats] | None = None  # of a pass without noise: the same parameters give the same
    for group in _groups(draws, together):
        params, rng = group[0]
        if earlier is not None and params is earlier[0]:
            yield from [earlier] * len(group)
            continue
        several: Layer = predictor if len(group) == 1 else MultiSample(predictor, len(group))
        parts = [one(several, params.layer, r, b) for r, b in zip(rng.split(len(batches)), batches, strict=True)]
        f = np.concatenate([part for part, _ in parts])
        passes = f if len(group) > 1 else f[None]  # several at once are of one batch
        earlier = None if parts[0][1] else (params, passes[0])
        yield from ((params, each) for each in passes)


def _groups(draws: Iterable[Draw], most: int) -> Iterator[list[Draw]]:
    """Draws that follow one another with the same parameters, at most so many together."""
    group: list[Draw] = []
    for draw in draws:
        if group and (len(group) == most or draw.params is not group[0].params):
            yield group
            group = []
        group.append(draw)
    if group:
        yield group


def predict_regression(
    layer: Layer,
    loss: Regression,
    params: Params,
    x: Array,
    *,
    rng: Rng,
    samples: int,
    target_mean: float = 0.0,
    target_scale: float = 1.0,
    batch_size: int = 4096,
    to_host: ToHost = np.asarray,
    procedure: Predicts | None = None,
) -> RegressionPasses:
    """The passes of a network with one target, `x (n, ...)`, with the target's standardisation undone.

    `params` is the `best` of a fit by the same `procedure`, whose passes may be a few more than `samples`.
    """
    means, variances = [], []
    for at, f in _of_procedure(layer, params, x, rng, samples, batch_size, to_host, procedure):
        law = _on_host(at.loss, to_host)
        means.append(loss.mean(law, f)[:, 0])
        variances.append(loss.variance(law, f)[:, 0])
    return RegressionPasses(target_mean + target_scale * np.stack(means), target_scale**2 * np.stack(variances))


def predict_classification(
    layer: Layer,
    loss: Classification,
    params: Params,
    x: Array,
    *,
    rng: Rng,
    samples: int,
    batch_size: int = 4096,
    to_host: ToHost = np.asarray,
    procedure: Predicts | None = None,
) -> ClassificationPasses:
    """The passes of a network whose outputs are the logits of classes, `x (n, ...)`; `params` as for regression."""
    passes = _of_procedure(layer, params, x, rng, samples, batch_size, to_host, procedure)
    return ClassificationPasses(np.stack([loss.log_probabilities(_on_host(at.loss, to_host), f) for at, f in passes]))


def _of_procedure(
    layer: Layer,
    params: Params,
    x: Array,
    rng: Rng,
    samples: int,
    batch_size: int,
    to_host: ToHost,
    procedure: Predicts | None,
) -> Iterator[tuple[ModelParams, Floats]]:
    """The passes that a procedure asks for, from its predictor of the layer that was trained."""
    _check(x, samples, batch_size)
    by = procedure or Descent()
    return _passes(by.predictor(layer), by.draws(params, rng, samples), x, batch_size, to_host)


def _check(x: Array, samples: int, batch_size: int) -> None:
    _checks.positive_integer("samples", samples)
    _checks.positive_integer("batch_size", batch_size)
    _checks.floating("x", x)


def _on_host(params: Params, to_host: ToHost) -> Params:
    return tree.map(lambda leaf: np.asarray(to_host(leaf), dtype=np.float64), params)
