"""Deep ensembles by their definitions: the mixture of the members, and the adversarial input of one.

Lakshminarayanan, Pritzel, Blundell 2017 (arXiv 1612.01474), sections 2.3 and 2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step


def mixture_moments(means: Array, variances: Array) -> tuple[Array, Array]:
    """Mean and variance of `mean_m N(means_m, variances_m)`, `(m, n) -> (n,)`: first and second moment, summed."""
    first = np.mean(means, axis=0)
    second = np.mean(variances + means**2, axis=0)
    return first, second - first**2


def log_density(y: Array, means: Array, variances: Array) -> Array:
    """`log mean_m N(y | means_m, variances_m)`, `(n,), (m, n), (m, n) -> (n,)`."""
    densities = np.exp(-0.5 * (y - means) ** 2 / variances) / np.sqrt(2.0 * np.pi * variances)
    return np.asarray(np.log(np.mean(densities, axis=0)))


def adversarial_input(loss: Callable[[Any], Any], x: Array, epsilon: float) -> Array:
    """`x + epsilon sign(gradient)` for a scalar loss of the whole batch, by complex step."""
    return np.asarray(x + epsilon * np.sign(complex_step(loss, x)))
