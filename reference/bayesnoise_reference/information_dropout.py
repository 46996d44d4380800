"""Information dropout: an activation with log-normal noise whose strength depends on the input, and what that costs.

Achille, Soatto 2018, "Information Dropout: Learning Optimal Representations Through Noisy Computation" (arXiv
1611.01353). A divergence is taken in `v = log z`, which is normal with mean `log f` and standard deviation alpha.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import gauss_legendre


def strength(s: Any, least: float = 0.001, span: float = 0.7) -> Any:
    """`alpha = least + span / (1 + e^-s)`."""
    return least + span / (1.0 + np.exp(-s))


def activation(h: Any, prior: str) -> Any:
    """ReLU beside the log-uniform prior, softplus beside the log-normal one."""
    return np.where(np.real(h) > 0, h, 0.0) if prior == "log_uniform" else np.log(1.0 + np.exp(h))


def output(h: Any, s: Any, zeta: Array, prior: str) -> Any:
    """`z = f exp(alpha zeta)`, from what the two maps give."""
    return activation(h, prior) * np.exp(strength(s) * zeta)


def _of_normal(sd: Any) -> Any:
    """`E log q` of a normal law, by quadrature: its divergence to a flat density of 1."""
    reach = 13.0 * abs(float(np.real(sd)))
    v, weights = gauss_legendre(np.linspace(-reach, reach, 27))
    log_q = divergences.log_normal_density(v, 0.0, sd)
    return np.sum(weights * np.exp(log_q) * log_q)


def to_log_uniform(h: Any, s: Any, least: float = 0.001, span: float = 0.7) -> Any:
    """Summed over the units of one example. The density of v is flat; at the largest alpha the divergence is 0.

    A unit that is off has all its mass at 0, where the prior has an atom: a constant, left out.
    """
    most = _of_normal(least + span)
    each = [
        _of_normal(strength(b, least, span)) - most for a, b in zip(np.ravel(h), np.ravel(s), strict=True) if a.real > 0
    ]
    return sum(each)


def to_log_normal(
    h: Any, s: Any, prior_mean: float, prior_scale: float, least: float = 0.001, span: float = 0.7
) -> Any:
    """Summed over the units of one example: that of two normal laws of v."""
    log_f = np.log(activation(np.ravel(h), "log_normal"))
    return divergences.gaussian(log_f, strength(np.ravel(s), least, span), prior_mean, prior_scale)


def moments(h: Any, s: Any, prior: str) -> tuple[Any, Any]:
    """Mean and variance of z by quadrature over zeta."""
    zeta, weights = gauss_legendre(np.linspace(-14.0, 14.0, 57))
    weights = weights * np.exp(divergences.log_normal_density(zeta, 0.0, 1.0))
    draws = output(h[..., None], s[..., None], zeta, prior)
    mean = np.sum(weights * draws, axis=-1)
    return mean, np.sum(weights * (draws - mean[..., None]) ** 2, axis=-1)
