"""Variational structured dropout, by its matrices: every reflection, the rotation and each example's weights in full.

Nguyen, Nguyen, Nguyen, Phung, Bui, Le, Ho 2021, "Structured Dropout Variational Inference for Bayesian Neural Networks"
(arXiv 2102.07927). Example n has the weights `diag(xi_n) theta`, `xi_n = 1 + U diag(alpha)^(1/2) eps_n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.numerics import complex_step, gauss_legendre


def vectors(start: Array, steps: Sequence[tuple[Array, Array]]) -> list[Array]:
    """`v_1, ..., v_T` from `v_0` and the pairs `(F_t, c_t)`: `v_t = F_t v_{t-1} + c_t`."""
    chain = [start]
    for matrix, shift in steps:
        chain.append(matrix @ chain[-1] + shift)
    return chain[1:]


def rotation(reflected: Sequence[Array]) -> Array:
    """`U = H_T ... H_1`, `H_t = I - 2 v_t v_t' / (v_t' v_t)`."""
    u = np.eye(len(reflected[0]))
    for v in reflected:
        u = (np.eye(len(v)) - 2.0 * np.outer(v, v) / (v @ v)) @ u
    return u


def covariance(log_alpha: Array, reflected: Sequence[Array]) -> Array:
    """That of `xi`, `U diag(alpha) U'`."""
    u = rotation(reflected)
    return np.asarray(u @ np.diag(np.exp(log_alpha)) @ u.T)


def factors(log_alpha: Array, reflected: Sequence[Array], eps: Array) -> Array:
    """`xi`, one row an example: (n, k)."""
    u = rotation(reflected)
    return np.stack([1.0 + u @ np.diag(np.sqrt(np.exp(log_alpha))) @ e for e in eps])


def log_normal_factors(mu: Array, log_sigma: Array, eps: Array) -> Array:
    """`z`, one row an example: (n, k)."""
    return np.stack([np.exp(mu + np.exp(log_sigma) * e) for e in eps])


def log_normal_moment(mu: Array, log_sigma: Array, power: int) -> Array:
    """`E z^power`, by quadrature over the normal variable, as far as the integrand reaches at a sigma of 10."""
    nodes, weights = gauss_legendre(np.linspace(-13.0, 13.0 + 10.0 * power, 50))
    chances = weights * np.exp(divergences.log_normal_density(nodes, 0.0, 1.0))
    total = sum(c * np.exp(power * (mu + np.exp(log_sigma) * z)) for z, c in zip(nodes, chances, strict=True))
    return np.asarray(total)


def output(x: Array, theta: Array, by_unit: Array, axis: int, contract: Contract) -> Array:
    """`y_n = contract(x_n, W_n)`, where W_n is theta with unit i, on that axis, scaled by `by_unit[n, i]`."""
    rows = []
    for x_n, row in zip(x, by_unit, strict=True):
        shape = [1] * theta.ndim
        shape[axis] = len(row)
        rows.append(contract(x_n, theta * row.reshape(shape)))
    return np.stack(rows)


@cache
def _best_log_precisions(theta: tuple[float, ...], flat_factor: tuple[float, ...]) -> tuple[float, ...]:
    """The root, in each coordinate, of the derivative of the divergence by the logarithm of its precision."""
    k = len(theta)
    mean, factor = np.array(theta), np.array(flat_factor).reshape(k, k)
    best = np.zeros(k)
    for i in range(k):

        def slope(log_beta: float, i: int = i) -> float:
            def divergence(t: Any) -> Any:
                logs = best.astype(np.complex128)
                logs[i] = t
                return divergences.multivariate_gaussian(mean, factor, np.zeros(k), np.diag(np.exp(-0.5 * logs)))

            return float(complex_step(divergence, log_beta))

        root: Any = brentq(slope, -30.0, 30.0, xtol=1e-14)
        best[i] = root
    return tuple(float(b) for b in best)


def column_divergence(theta: Array, log_alpha: Array, reflected: Sequence[Array]) -> Any:
    """Of one column of weights `N(theta, D S D)` to the `N(0, diag(1 / beta))` that makes it least, by quadrature.

    At the best precisions the derivative by them is 0, so that they may be held fixed under a complex step.
    """
    factor = np.diag(theta) @ rotation(reflected) @ np.diag(np.sqrt(np.exp(log_alpha)))
    best = _best_log_precisions(tuple(np.real(theta)), tuple(np.real(factor).ravel()))
    prior = np.diag(np.exp(-0.5 * np.array(best)))
    return divergences.multivariate_gaussian(theta, factor, np.zeros(len(theta)), prior)


def divergence(theta: Array, log_alpha: Array, reflected: Sequence[Array]) -> Any:
    """The sum over the columns of `theta`, (k, columns)."""
    return sum(column_divergence(column, log_alpha, reflected) for column in theta.T)
