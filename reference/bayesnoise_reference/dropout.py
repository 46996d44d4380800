"""Dropout on activations, in its inverted form, and its Gaussian relative.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout" (JMLR 15), sections 4 and 10.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import masks


def bernoulli(x: Array, kept: Array, rate: float) -> Array:
    """Each activation is dropped with probability `rate`; what is kept (`kept` is 1) is divided by `1 - rate`."""
    y = np.zeros(x.shape, dtype=np.result_type(x, float))
    for index in np.ndindex(*x.shape):
        if kept[index]:
            y[index] = x[index] / (1.0 - rate)
    return y


def gaussian(x: Array, zeta: Array, alpha: float | Array) -> Array:
    """Each activation times a draw of `N(1, alpha)`, which is `1 + sqrt(alpha) zeta`."""
    return x * (1.0 + np.sqrt(alpha) * zeta)


def equivalent_alpha(rate: float) -> float:
    """The alpha of Gaussian dropout with the variance of Bernoulli dropout, by enumeration of the factor's values."""
    factors = [(rate, 0.0), (1.0 - rate, 1.0 / (1.0 - rate))]
    mean = sum(p * m for p, m in factors)
    return sum(p * (m - mean) ** 2 for p, m in factors)


def bernoulli_moments(x: Array, rate: float) -> tuple[Array, Array]:
    """Mean and variance of every output, by enumeration of all masks of all activations."""
    mean, square = np.zeros(x.shape), np.zeros(x.shape)
    for kept, probability in zip(*masks(x.size, 1.0 - rate), strict=True):
        y = bernoulli(x, kept.reshape(x.shape), rate)
        mean, square = mean + probability * y, square + probability * y**2
    return mean, square - mean**2
