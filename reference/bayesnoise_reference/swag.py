"""SWAG by its definition: the moments of a list of iterates, in two passes and in float64.

Maddox et al. 2019 (arXiv 1902.02476), algorithm 1: mean and variance of all iterates, deviations of the last K from the
running mean as it was when each was taken in.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def mean_and_variance(iterates: Array) -> tuple[Array, Array]:
    """`(t, d) -> (d,), (d,)`: the second pass has the mean of the first."""
    exact = np.asarray(iterates, dtype=np.float64)
    mean = np.sum(exact, axis=0) / len(exact)
    return mean, np.sum((exact - mean) ** 2, axis=0) / len(exact)


def deviations(iterates: Array, rank: int) -> Array:
    """`(t, d) -> (d, min(t, rank))`: column k is an iterate minus the mean of all iterates up to it, it included."""
    exact = np.asarray(iterates, dtype=np.float64)
    columns = [row - exact[: i + 1].mean(axis=0) for i, row in enumerate(exact)]
    return np.stack(columns[-rank:], axis=1)


def covariance(iterates: Array, rank: int) -> Array:
    """`(t, d) -> (d, d)`: half of the diagonal of variances and half of the covariance of the deviations."""
    _, variance = mean_and_variance(iterates)
    d = deviations(iterates, rank)
    low_rank = d @ d.T / (d.shape[1] - 1)
    return np.asarray(0.5 * np.diag(variance) + 0.5 * low_rank)


def sample(iterates: Array, rank: int, z1: Array, z2: Array) -> Array:
    """`mean + sqrt(variance) z1 / sqrt(2) + D z2 / sqrt(2 (K - 1))`, for `z1 (d,)` and `z2 (K,)`."""
    mean, variance = mean_and_variance(iterates)
    d = deviations(iterates, rank)
    return np.asarray(mean + np.sqrt(variance / 2.0) * z1 + d @ z2 / np.sqrt(2.0 * (d.shape[1] - 1)))
