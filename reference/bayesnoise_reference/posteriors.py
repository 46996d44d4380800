"""Laws of one weight, each as the mean and the standard deviation that its paper gives, elementwise.

A standard deviation here may carry a sign: `scale * eps` has the same law for either.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log1p

from bayesnoise_reference._typing import Array


def point(theta: Array) -> tuple[Array, Array]:
    """The weight is `theta`."""
    return theta, np.zeros_like(theta)


def gaussian_softplus(mu: Array, rho: Array) -> tuple[Array, Array]:
    """`N(mu, log(1 + e^rho)^2)` (Blundell et al. 2015, section 3.2)."""
    return mu, log1p(np.exp(rho))


def gaussian_exp(mu: Array, log_sigma: Array) -> tuple[Array, Array]:
    """`N(mu, e^(2 log_sigma))`."""
    return mu, np.exp(log_sigma)


def multiplicative(theta: Array, log_alpha: Array) -> tuple[Array, Array]:
    """`w = theta (1 + sqrt(alpha) eps)` (Kingma et al. 2015, section 3); alpha broadcasts against theta."""
    return theta, theta * np.sqrt(np.exp(log_alpha))


def additive(theta: Array, log_sigma2: Array) -> tuple[Array, Array]:
    """`w = theta + sigma eps` (Molchanov et al. 2017, equation 11)."""
    return theta, np.sqrt(np.exp(log_sigma2))
