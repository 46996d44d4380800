"""Predicting: stochastic passes through a trained network, and what they say together.

Each pass draws the weights, or the noise, anew; a large input goes through in batches, with draws of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayesnoise import _checks, tree
from bayesnoise._host import Floats
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer, frozen
from bayesnoise.losses import Classification, Regression
from bayesnoise.objective import ModelParams
from bayesnoise.uncertainty import (
    ClassificationUncertainty,
    RegressionUncertainty,
    classification_uncertainty,
    regression_uncertainty,
)

ToHost = Callable[[Array], Array]


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
    _checks.positive_integer("samples", samples)
    _checks.positive_integer("batch_size", batch_size)
    _checks.floating("x", x)
    predictor = frozen(layer)
    batches = [x[i : i + batch_size, ...] for i in range(0, max(x.shape[0], 1), batch_size)]

    def one(rng: Rng, batch: Array) -> Floats:
        y, _ = predictor.forward(params, predictor.draw(rng, params, batch.shape, like=batch), batch)
        return np.asarray(to_host(y), dtype=np.float64)

    passes = []
    for pass_rng in rng.split(samples):
        parts = [one(r, b) for r, b in zip(pass_rng.split(len(batches)), batches, strict=True)]
        passes.append(np.concatenate(parts))
    return np.stack(passes)


def predict_regression(
    layer: Layer,
    loss: Regression,
    params: ModelParams,
    x: Array,
    *,
    rng: Rng,
    samples: int,
    target_mean: float = 0.0,
    target_scale: float = 1.0,
    batch_size: int = 4096,
    to_host: ToHost = np.asarray,
) -> RegressionPasses:
    """The passes of a network with one target, `x (n, ...)`, with the target's standardisation undone."""
    outputs = sample(layer, params.layer, x, rng=rng, samples=samples, batch_size=batch_size, to_host=to_host)
    law = _on_host(params.loss, to_host)
    means = np.stack([loss.mean(law, f)[:, 0] for f in outputs])
    variances = np.stack([loss.variance(law, f)[:, 0] for f in outputs])
    return RegressionPasses(target_mean + target_scale * means, target_scale**2 * variances)


def predict_classification(
    layer: Layer,
    loss: Classification,
    params: ModelParams,
    x: Array,
    *,
    rng: Rng,
    samples: int,
    batch_size: int = 4096,
    to_host: ToHost = np.asarray,
) -> ClassificationPasses:
    """The passes of a network whose outputs are the logits of classes, `x (n, ...)`."""
    outputs = sample(layer, params.layer, x, rng=rng, samples=samples, batch_size=batch_size, to_host=to_host)
    law = _on_host(params.loss, to_host)
    return ClassificationPasses(np.stack([loss.log_probabilities(law, f) for f in outputs]))


def _on_host(params: Params, to_host: ToHost) -> Params:
    return tree.map(lambda leaf: np.asarray(to_host(leaf), dtype=np.float64), params)
