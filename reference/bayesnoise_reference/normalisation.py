"""Normalisation of one list of values at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array

Number: TypeAlias = Any  # float, or complex when a complex step passes through


def mean_and_variance(values: Sequence[Number]) -> tuple[Number, Number]:
    """The mean, and the mean square of the distances from it."""
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


def _normal(v: Number, mean: Number, variance: Number, epsilon: float) -> Number:
    return (v - mean) / np.sqrt(variance + epsilon)


def batch_norm(x: Array, scale: Array, shift: Array, epsilon: float) -> Array:
    """`(n, c, *space)`, each feature c by the mean and variance of its values in the batch."""
    y = np.zeros(x.shape, dtype=np.result_type(x, scale, shift))
    for c in range(x.shape[1]):
        mean, variance = mean_and_variance(list(x[:, c].ravel()))
        for n, *at in np.ndindex(x.shape[0], *x.shape[2:]):
            y[(n, c, *at)] = _normal(x[(n, c, *at)], mean, variance, epsilon) * scale[c] + shift[c]
    return y


def frozen_batch_norm(
    x: Array, scale: Array, shift: Array, running_mean: Array, running_variance: Array, epsilon: float
) -> Array:
    """`(n, c, *space)`, each feature c by statistics that are given."""
    y = np.zeros(x.shape, dtype=np.result_type(x, scale, shift))
    for n, c, *at in np.ndindex(*x.shape):
        value = _normal(x[(n, c, *at)], running_mean[c], running_variance[c], epsilon)
        y[(n, c, *at)] = value * scale[c] + shift[c]
    return y


def running_statistics(
    batches: Sequence[Array], running_mean: Array, running_variance: Array, momentum: float
) -> tuple[Array, Array]:
    """The statistics `(c,)` after some batches: weights that fall geometrically with age, and unbiased variances."""
    n = len(batches)
    mean = (1 - momentum) ** n * running_mean
    variance = (1 - momentum) ** n * running_variance
    for age, x in enumerate(reversed(batches)):
        weight = momentum * (1 - momentum) ** age
        for c in range(x.shape[1]):
            values = x[:, c].ravel()
            mean[c] += weight * np.mean(values)
            variance[c] += weight * np.var(values, ddof=1)
    return mean, variance


def layer_norm(x: Array, scale: Array, shift: Array, epsilon: float) -> Array:
    """`(..., i)`, each row by the mean and variance of its own values."""
    y = np.zeros(x.shape, dtype=np.result_type(x, scale, shift))
    for row in np.ndindex(*x.shape[:-1]):
        mean, variance = mean_and_variance(list(x[row]))
        for i in range(x.shape[-1]):
            y[(*row, i)] = _normal(x[(*row, i)], mean, variance, epsilon) * scale[i] + shift[i]
    return y
