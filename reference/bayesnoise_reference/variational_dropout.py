"""Variational dropout: Gaussian dropout read as a posterior over weights, in its two types.

Kingma, Salimans, Welling 2015, "Variational Dropout and the Local Reparameterization Trick" (arXiv 1506.02557),
sections 3.1 and 3.2.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import local_reparameterization, posteriors
from bayesnoise_reference._typing import Array, Contract


def type_a(x: Array, theta: Array, log_alpha: Array, zeta: Array, contract: Contract) -> Array:
    """Independent weight noise, `w ~ N(theta, alpha theta^2)`, drawn at the output."""
    mean, scale = posteriors.multiplicative(theta, log_alpha)
    return local_reparameterization.output(x, mean, scale, zeta, contract)


def type_b(x: Array, theta: Array, log_alpha: Array, zeta: Array, contract: Contract) -> Array:
    """Correlated weight noise: input i of example n scales all its weights by one factor `xi = 1 + sqrt(alpha_i) zeta`.

    `log_alpha` broadcasts against one example, `zeta` is like x. Example n has the weights `diag(xi_n) theta`, which a
    factor on its input says as well.
    """
    rows = []
    for x_n, zeta_n in zip(x, zeta, strict=True):
        xi = 1.0 + np.sqrt(np.exp(log_alpha)) * zeta_n
        rows.append(contract(x_n * xi, theta))
    return np.stack(rows)
