"""Structured variational dropout: a truncated log-normal factor a unit, its law by the normal distribution function.

Neklyudov, Molchanov, Ashukha, Vetrov 2017, "Structured Bayesian Pruning via Log-Normal Multiplicative Noise" (arXiv
1705.07283). `log z` is `N(mu, sigma^2)` on `[low, high]`; its prior is uniform there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import gauss_legendre


def normal_distribution(x: Any) -> Any:
    """`Phi(x)`."""
    return 0.5 * (1.0 + erf(x / np.sqrt(2.0)))


def distribution(t: Any, mu: Any, sigma: Any, low: float, high: float) -> Any:
    """The chance that log z is below t."""
    at, bottom, top = (normal_distribution((v - mu) / sigma) for v in (t, low, high))
    return (at - bottom) / (top - bottom)


def density(t: Any, mu: Any, sigma: Any, low: float, high: float) -> Any:
    """The density of log z at t, normalised by quadrature."""

    def shape(v: Any) -> Any:
        return np.exp(-((v - mu) ** 2) / (2.0 * sigma**2))

    nodes, weights = _nodes(mu, sigma, low, high)
    return shape(t) / np.sum(weights * shape(nodes))


def _nodes(mu: Any, sigma: Any, low: float, high: float) -> tuple[Array, Array]:
    """Quadrature on the interval, finer about the mean; the nodes are real."""
    m, s = float(np.real(mu)), float(np.real(sigma))
    steps = m + s * np.linspace(-40.0, 40.0, 81)
    within = steps[(steps > low) & (steps < high)]
    return gauss_legendre(np.concatenate([np.linspace(low, high, 41), within]))


def log_factor(eps: float, mu: Any, sigma: Any, low: float, high: float) -> Any:
    """The t whose chance is that of a standard normal number below `eps`.

    The root is found for the real parts of the parameters; one step of Newton's method carries their imaginary parts.
    """
    share = normal_distribution(eps)

    def excess(t: float) -> float:
        return float(distribution(t, np.real(mu), np.real(sigma), low, high) - share)

    t: Any = brentq(excess, low, high, xtol=1e-15)
    slope = density(t, np.real(mu), np.real(sigma), low, high)
    for _ in range(2):
        t = t - (distribution(t, mu, sigma, low, high) - share) / slope
    return t


def factors(mu: Array, log_sigma: Array, eps: Array, low: float, high: float) -> Array:
    """`z`, one row an example: (n, k)."""
    rows = [
        [np.exp(log_factor(e, m, s, low, high)) for e, m, s in zip(row, mu, np.exp(log_sigma), strict=True)]
        for row in eps
    ]
    return np.array(rows)


def moment(mu: Array, log_sigma: Array, low: float, high: float, power: int) -> Array:
    """`E z^power`, one a unit."""
    values = []
    for m, s in zip(mu, np.exp(log_sigma), strict=True):
        t, weights = _nodes(m, s, low, high)
        values.append(np.sum(weights * np.exp(power * t) * density(t, m, s, low, high)))
    return np.array(values)


def divergence(mu: Array, log_sigma: Array, low: float, high: float) -> Any:
    """The sum over units of `integral q log (q / p)` over log z, `p = 1 / (high - low)`."""
    total: Any = 0.0
    for m, s in zip(mu, np.exp(log_sigma), strict=True):
        t, weights = _nodes(m, s, low, high)
        q = density(t, m, s, low, high)
        total = total + np.sum(weights * q * (np.log(q) + np.log(high - low)))
    return total
