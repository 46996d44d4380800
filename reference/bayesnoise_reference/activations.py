"""Activations of one number, by their definitions, applied one element at a time.

Written for the complex step: a branch looks at the real part alone.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable

import numpy as np
from scipy import special

from bayesnoise_reference._typing import Array


def each(function: Callable[[complex], complex], x: Array) -> Array:
    """The function of every element."""
    x = np.asarray(x)
    y = np.zeros(x.shape, dtype=np.complex128)
    for index in np.ndindex(x.shape):
        y[index] = function(complex(x[index]))
    return y if np.iscomplexobj(x) else np.asarray(y.real)


def relu(x: complex) -> complex:
    return x if x.real > 0 else 0.0


def leaky_relu(x: complex, slope: float) -> complex:
    return x if x.real > 0 else slope * x


def elu(x: complex, alpha: float) -> complex:
    return x if x.real > 0 else alpha * complex(special.expm1(x))


def gelu(x: complex) -> complex:
    """`x P(Z <= x)` for a standard normal Z."""
    return x * complex(special.erfc(-x / np.sqrt(2.0))) / 2.0


def gelu_tanh(x: complex) -> complex:
    return 0.5 * x * (1.0 + cmath.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def _exp(x: complex) -> complex:
    """The exponential, 0 where it underflows: the rest of each formula below is then right."""
    return cmath.exp(x) if x.real > -708 else 0.0


def sigmoid(x: complex) -> complex:
    return 1.0 / (1.0 + _exp(-x)) if x.real >= 0 else _exp(x) / (1.0 + _exp(x))


def silu(x: complex) -> complex:
    return x * sigmoid(x)


def tanh(x: complex) -> complex:
    return cmath.tanh(x)


def softplus(x: complex) -> complex:
    """`integral of the sigmoid up to x`, which is `log(1 + exp(x))`."""
    shift = x if x.real > 0 else 0.0
    return shift + complex(special.log1p(_exp(-x if x.real > 0 else x)))
