"""Divergences by their definition, `KL(q || p) = integral q(w) log(q(w) / p(w)) dw`, by quadrature over the weight.

Every function takes the mean and the scale of a Gaussian `q`, arrays of any one shape, and sums over weights. Complex
parameters pass through, so that a complex step gives the gradient: the nodes depend on their real parts alone, and the
weight that is integrated over stays real.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bayesnoise_reference.numerics import complex_step, gauss_hermite_grid, gauss_legendre, masks

_REACH = 13  # standard deviations on either side: the density beyond is below 1e-36


def log_normal_density(w: Any, mean: Any, scale: Any) -> Any:
    """`log N(w; mean, scale^2)`."""
    variance = scale * scale
    return -0.5 * np.log(2.0 * np.pi * variance) - (w - mean) ** 2 / (2.0 * variance)


def _around_zero(width: float) -> Any:
    """Edges that halve towards 0 on both sides, where a logarithm or a kink may be."""
    ladder = width * 0.5 ** np.arange(70)
    return np.concatenate([-ladder, [0.0], ladder])


def _one_weight(mean: Any, scale: Any, log_prior: Callable[[Any], Any], breaks: Any) -> Any:
    """`integral q (log q - log p)` for one weight, split at the breaks that lie in the reach of q."""
    m, s = float(np.real(mean)), abs(float(np.real(scale)))
    low, high = m - _REACH * s, m + _REACH * s
    breaks = np.asarray(breaks, dtype=np.float64)
    edges = np.concatenate([np.linspace(low, high, 2 * _REACH + 1), breaks[(breaks > low) & (breaks < high)]])
    w, weights = gauss_legendre(edges)
    log_q = log_normal_density(w, mean, scale)
    return np.sum(weights * np.exp(log_q) * (log_q - log_prior(w)))


def gaussian(mean: Any, scale: Any, prior_mean: Any, prior_scale: Any) -> Any:
    """To `N(prior_mean, prior_scale^2)`."""
    total: Any = 0.0
    for m, s, m1, s1 in np.broadcast(mean, scale, prior_mean, prior_scale):
        total = total + _one_weight(m, s, partial(log_normal_density, mean=m1, scale=s1), [])
    return total


def laplace(mean: Any, scale: Any, prior_scale: float) -> Any:
    """To the density `exp(-|w| / b) / (2b)`."""
    total: Any = 0.0
    for m, s in np.broadcast(mean, scale):
        total = total + _one_weight(m, s, lambda w: -np.abs(w) / prior_scale - np.log(2.0 * prior_scale), [0.0])
    return total


def log_normal_gamma(mean: Any, scale: Any, gamma_scale: float) -> Any:
    """Of `exp(w)` to Gamma(1/2, gamma_scale), as densities of `w` itself: the divergence is the same."""
    total: Any = 0.0
    for m, s in np.broadcast(mean, scale):

        def log_prior(w: Any) -> Any:
            x = np.exp(w)
            return -0.5 * np.log(x) - x / gamma_scale - 0.5 * np.log(np.pi * gamma_scale) + w

        total = total + _one_weight(m, s, log_prior, [])
    return total


def log_normal_inverse_gamma(mean: Any, scale: Any, gamma_scale: float) -> Any:
    """Of `exp(w)` to InverseGamma(1/2, gamma_scale), the law of `gamma_scale / g` with g of Gamma(1/2, 1)."""
    total: Any = 0.0
    for m, s in np.broadcast(mean, scale):

        def log_prior(w: Any) -> Any:
            x = np.exp(w)
            return 0.5 * np.log(gamma_scale / np.pi) - 1.5 * np.log(x) - gamma_scale / x + w

        total = total + _one_weight(m, s, log_prior, [])
    return total


def log_uniform(mean: Any, scale: Any) -> Any:
    """To `1 / |w|`, whose normalisation is set by the divergence at alpha = inf: there, at mean 0, it is 0."""
    total: Any = 0.0
    for m, s in np.broadcast(mean, scale):
        here, at_zero = (
            _one_weight(center, s, lambda w: -np.log(np.abs(w)), _around_zero(abs(float(np.real(s)))))
            for center in (m, 0.0)
        )
        total = total + here - at_zero
    return total


def log_uniform_constant() -> float:
    """The limit, as alpha goes to 0, of the log-uniform divergence plus `log(alpha) / 2`: it is `-E log|z|`."""
    edges = np.concatenate([np.linspace(-_REACH, _REACH, 2 * _REACH + 1), _around_zero(1.0)])
    z, weights = gauss_legendre(edges)
    return float(-np.sum(weights * np.exp(log_normal_density(z, 0.0, 1.0)) * np.log(np.abs(z))))


@cache
def _best_log_precision(mean: float, scale: float) -> float:
    """The root of the derivative of the divergence to `N(0, 1/tau)` by log tau."""

    def slope(log_tau: float) -> float:
        return float(complex_step(lambda t: gaussian(mean, scale, 0.0, np.exp(-0.5 * t)), log_tau))

    root: Any = brentq(slope, -30.0, 30.0, xtol=1e-14)
    return float(root)


def ard(mean: Any, scale: Any) -> Any:
    """To `N(0, 1/tau)` at the tau that makes it least, found for each weight.

    There the derivative by tau is 0, so that tau may be held fixed under a complex step of the mean or the scale.
    """
    total: Any = 0.0
    for m, s in np.broadcast(mean, scale):
        log_tau = _best_log_precision(float(np.real(m)), float(np.real(s)))
        total = total + gaussian(m, s, 0.0, np.exp(-0.5 * log_tau))
    return total


def molchanov(mean: Any, scale: Any) -> Any:
    """The approximation in equation 14 of Molchanov et al. 2017, which is of minus the divergence."""
    alpha = scale**2 / mean**2
    k1, k2, k3 = 0.63576, 1.87320, 1.48695
    sigmoid = 1.0 / (1.0 + np.exp(-(k2 + k3 * np.log(alpha))))
    return -np.sum(k1 * sigmoid - 0.5 * np.log(1.0 + 1.0 / alpha) - k1)


def kingma(mean: Any, scale: Any) -> Any:
    """The approximation in section 4.2 of Kingma et al. 2015, of minus the divergence, with alpha at most 1."""
    alpha = scale**2 / mean**2
    alpha = np.where(np.real(alpha) > 1.0, 1.0, alpha)
    cubic = 1.16145124 * alpha - 1.50204118 * alpha**2 + 0.58629921 * alpha**3
    return -np.sum(0.5 * np.log(alpha) + cubic - log_uniform_constant())


def dropout_penalty(mean: Any, prior_scale: float, keep: float) -> Any:
    """What the cross entropy `-E log p(mask * mean)` adds to its value at mean 0, by enumerating the mask."""
    rows, chances = masks(1, keep)
    total: Any = 0.0
    for m in np.ravel(mean):
        for (mask,), chance in zip(rows, chances, strict=True):
            here = log_normal_density(mask * m, 0.0, prior_scale)
            total = total + chance * (log_normal_density(0.0, 0.0, prior_scale) - here)
    return total


def log_mixture_density(w: Any, pi: float, scale1: float, scale2: float) -> Any:
    """`log(pi N(w; 0, scale1^2) + (1 - pi) N(w; 0, scale2^2))`."""
    wide = pi * np.exp(log_normal_density(w, 0.0, scale1))
    return np.log(wide + (1.0 - pi) * np.exp(log_normal_density(w, 0.0, scale2)))


def scale_mixture(mean: Any, scale: Any, pi: float, scale1: float, scale2: float) -> Any:
    """To the scale mixture of Blundell et al. 2015, section 3.3."""
    total: Any = 0.0
    near_zero = scale2 * np.linspace(-12.0, 12.0, 49)  # where the narrow component gives way to the wide one
    for m, s in np.broadcast(mean, scale):
        total = total + _one_weight(m, s, lambda w: log_mixture_density(w, pi, scale1, scale2), near_zero)
    return total


def scale_mixture_draw(mean: Any, scale: Any, q_mean: Any, q_scale: Any, eps: Any, *prior: float) -> Any:
    """`log q(w) - log p(w)` at `w = mean + scale eps`; `q` has parameters of its own, to be varied or held fixed."""
    w = mean + scale * eps
    return np.sum(log_normal_density(w, q_mean, q_scale) - log_mixture_density(w, *prior))


def multivariate_gaussian(mean0: Any, cholesky0: Any, mean1: Any, cholesky1: Any) -> Any:
    """`E log q(w) - log p(w)` over `w = mean0 + L0 z`, exact with three nodes an axis: the integrand is quadratic."""
    k = len(mean0)
    precision0, precision1 = (np.linalg.inv(factor @ factor.T) for factor in (cholesky0, cholesky1))
    log_det0, log_det1 = (np.log(np.linalg.det(factor @ factor.T)) for factor in (cholesky0, cholesky1))
    total: Any = 0.0
    for z, weight in zip(*gauss_hermite_grid(3, k), strict=True):
        w = mean0 + cholesky0 @ z
        log_q = -0.5 * (k * np.log(2.0 * np.pi) + log_det0 + (w - mean0) @ precision0 @ (w - mean0))
        log_p = -0.5 * (k * np.log(2.0 * np.pi) + log_det1 + (w - mean1) @ precision1 @ (w - mean1))
        total = total + weight * (log_q - log_p)
    return total
