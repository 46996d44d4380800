"""Sparse variational dropout: `w = theta + sigma eps` with its own sigma for every weight, and its pruning rule.

Molchanov, Ashukha, Vetrov 2017, "Variational Dropout Sparsifies Deep Neural Networks" (arXiv 1701.05369), equation 11
and section 4.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import local_reparameterization, posteriors
from bayesnoise_reference._typing import Array, Contract


def output(x: Array, theta: Array, log_sigma2: Array, zeta: Array, contract: Contract) -> Array:
    """The output with its noise drawn at the output, as the paper trains it."""
    mean, scale = posteriors.additive(theta, log_sigma2)
    return local_reparameterization.output(x, mean, scale, zeta, contract)


def pruned(theta: Array, log_sigma2: Array, threshold: float = 3.0) -> Array:
    """The weights at test time: 0 where `log alpha = log(sigma^2 / theta^2)` exceeds the threshold, else theta."""
    kept = np.zeros(theta.shape)
    for index in np.ndindex(*theta.shape):
        if theta[index] != 0.0 and np.log(np.exp(log_sigma2[index]) / theta[index] ** 2) <= threshold:
            kept[index] = theta[index]
    return kept
