"""The standard deviation that a layer stores through a softplus, and its logarithm, at any raw scale."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.activations import each, softplus


def sigma_of(rho: Array) -> Array:
    """`log(1 + e^rho)`, at any rho."""
    return each(softplus, rho)


def log_sigma_of(rho: Array) -> Array:
    """Its logarithm: below -37, `log(1 + e^rho)` is `e^rho` to the last digit of float64."""
    far = np.real(rho) < -37.0
    return np.where(far, rho, np.log(sigma_of(np.where(far, 0.0, rho))))
