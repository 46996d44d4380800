"""The divergence of a covariance of low rank at scales of any size, against that of all weights in many digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from bayesnoise_reference._typing import Array
from closeness import assert_close, largest
from namespaces import Namespace

from bayesnoise import maps, tree
from bayesnoise.low_rank import LowRank, LowRankParams
from bayesnoise.posteriors import LogSigmaParams

DENSE = maps.Dense(3, 2)
MP = mpmath.mp.clone()
NARROW = [(-0.5, 0.0, -1.0, 0.5, -2.0, 1.0), *((c,) * 6 for c in (-45.0, -80.0, -320.0))]
NARROW += [
    (-320.0, 0.5, 0.0, -1.0, -0.5, -2.0),
    (-80.0, -45.0, 0.0, -320.0, -1000.0, 2.0),
    (-2e3, -1.9e3, 0, -2e3, 3, -20),
]


def _exact(params: Any, prior_scale: float) -> tuple[float, Array, Array]:
    """The divergence, and its gradients by log sigma and factor, from the covariance of all weights and its inverse."""
    n, log_sigma = params.diagonal.mu.size, np.ravel(params.diagonal.log_sigma)
    with MP.workdps(100 + int(np.max(np.abs(log_sigma)))):  # more than the ratio of two variances has
        p2, variances = MP.mpf(prior_scale) ** 2, [MP.exp(2 * MP.mpf(float(v))) for v in log_sigma]
        mu, columns = MP.matrix(np.ravel(params.diagonal.mu)), MP.matrix(np.reshape(params.factor, (-1, n)))
        covariance = columns.T * columns + MP.diag(variances)
        inverse = covariance**-1
        spread = sum(covariance[i, i] + mu[i] ** 2 for i in range(n)) / p2
        value = (spread - n + n * MP.log(p2) - MP.log(MP.det(covariance))) / 2
        by_log_sigma = [float(v / p2 - v * inverse[i, i]) for i, v in enumerate(variances)]
        by_factor = np.array((columns / p2 - columns * inverse).tolist(), dtype=np.float64)
    shape = params.factor.shape
    return float(value), np.reshape(by_log_sigma, shape[1:]), np.reshape(by_factor, shape)


def _factors(rank: int) -> Iterator[Array]:
    """Ordinary ones, and those of which parts are parallel, small or zero, as floating point holds them exactly."""
    rng = np.random.default_rng(rank)
    whole = rng.choice([-1.0, 1.0], (rank, 3, 2)) * rng.integers(1, 16, (rank, 3, 2)) / 8.0
    first, rows = whole[:1, ...], np.arange(rank)[:, None, None]
    small, without, alike = np.where(rows == 0, 2.0**-30, 1.0) * whole, np.array(whole), np.array(whole)
    without[:, 0, 0] = 0.0
    alike[:, 0, :] = alike[:, 0, :1]
    yield from (whole, small, without, alike, np.where(rows == 0, 0.0, whole))
    yield from (np.where(rows < 2, c**rows * first, whole) for c in (1.0, -2.0, 3.0))


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
@pytest.mark.parametrize("log_sigma", NARROW, ids=str)
def test_the_divergence_is_right_at_any_scale(log_sigma: tuple[float, ...], rank: int) -> None:
    """In float64 and in float32, which hold these parameters exactly, to rounding of its largest part."""
    layer = LowRank(DENSE, rank, prior_scale=0.5)
    diagonal = LogSigmaParams(np.arange(6.0).reshape(3, 2) / 4, np.reshape(log_sigma, (3, 2)))
    for factor in _factors(rank):
        params = LowRankParams(diagonal, factor)
        value, by_log_sigma, by_factor = _exact(params, 0.5)
        for dtype in (np.float64, np.float32):
            given = tree.map(lambda leaf, dtype=dtype: leaf.astype(dtype), params)
            error = 64 * float(np.finfo(dtype).eps)
            size = np.sum(factor**2) + np.sum(np.abs(log_sigma)) + 100.0
            assert abs(float(layer.kl(given)) - value) <= error * size
            grad = layer.kl_grad(given)
            assert np.max(np.abs(grad.diagonal.log_sigma - by_log_sigma)) <= error * max(largest(by_log_sigma), 1.0)
            assert np.max(np.abs(grad.factor - by_factor)) <= error * largest(by_factor)


def test_narrow_scales_on_every_namespace(namespace: Namespace) -> None:
    layer = LowRank(DENSE, 3)

    def both(params: Any) -> Any:
        return layer.kl(params), layer.kl_grad(params)

    for log_sigma, factor in zip(NARROW, _factors(3), strict=False):
        params = LowRankParams(LogSigmaParams(np.zeros((3, 2)), np.reshape(log_sigma, (3, 2))), factor)
        value, by_log_sigma, by_factor = _exact(params, 1.0)
        given, error = tree.map(namespace.asarray, params), 64 * namespace.eps
        kl, grad = namespace.run(both, given)
        assert_close(kl, value, error, namespace, size=np.sum(np.abs(log_sigma)))
        assert_close(grad.diagonal.log_sigma, by_log_sigma, error, namespace, size=1.0)
        assert_close(grad.factor, by_factor, error, namespace, size=largest(by_factor))
