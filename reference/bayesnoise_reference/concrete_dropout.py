"""Concrete dropout: a relaxed mask with a learned rate, and the divergence of the mask that it relaxes.

Gal, Hron, Kendall 2017, "Concrete Dropout" (arXiv 1705.07832), section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import gauss_legendre, masks


def rate(logit: Any) -> Any:
    """The probability that a unit is dropped."""
    return 1.0 / (1.0 + np.exp(-logit))


def relaxed(p: Any, u: Any, temperature: float) -> Any:
    """The relaxed indicator that a unit is dropped: it tends to `u > 1 - p` as the temperature goes to 0."""
    exponent = (np.log(p) - np.log(1.0 - p) + np.log(u) - np.log(1.0 - u)) / temperature
    return 1.0 / (1.0 + np.exp(-exponent))


def masked(x: Array, logit: Any, u: Array, temperature: float, axis: int = 1) -> Array:
    """Unit i of example n, along `axis`, times `(1 - z_ni) / (1 - p)`; `u (n, units)`."""
    p = rate(logit)
    y = np.zeros(x.shape, dtype=np.result_type(x, p, float))
    for n, i in np.ndindex(*u.shape):
        here = (n, *(slice(None),) * (axis - 1), i) if axis > 0 else (n, ..., i)
        y[here] = x[here] * (1.0 - relaxed(p, u[n, i], temperature)) / (1.0 - p)
    return y


def divergence(theta: Any, logit: Any, units: int, prior_scale: float) -> Any:
    """By enumeration of the mask of a unit: minus its entropy, and what the weights add to the cross entropy."""
    keep = 1.0 - rate(logit)
    _, chances = masks(1, keep)
    return units * np.sum(chances * np.log(chances)) + divergences.dropout_penalty(theta / keep, prior_scale, keep)


def factor_moments(p: float, temperature: float) -> tuple[float, float, float]:
    """`E z`, and mean and variance of `(1 - z) / (1 - p)`, by quadrature over the logit of u."""
    v, weights = gauss_legendre(np.linspace(-40.0, 40.0, 321))
    density = weights * np.exp(-np.abs(v)) / (1.0 + np.exp(-np.abs(v))) ** 2
    z = 1.0 / (1.0 + np.exp(-(np.log(p) - np.log(1.0 - p) + v) / temperature))
    factor = (1.0 - z) / (1.0 - p)
    mean = float(np.sum(density * factor))
    return float(np.sum(density * z)), mean, float(np.sum(density * (factor - mean) ** 2))
