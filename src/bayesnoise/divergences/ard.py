"""Automatic relevance determination: a Gaussian prior a weight, its precision at the optimum of the bound.

Kharitonov, Molchanov, Vetrov 2018, "Variational Dropout via Empirical Bayes" (arXiv 1811.00596). The prior
`N(0, 1/tau)` has its best precision at `tau = 1 / (mean^2 + scale^2)`, and there the divergence is the one below.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesnoise._typing import Array
from bayesnoise.divergences import alpha_divergence
from bayesnoise.special import sigmoid, softplus


@dataclass(frozen=True)
class ARD:
    """`KL = log(1 + 1/alpha) / 2`."""

    @property
    def monte_carlo(self) -> bool:
        return False

    def elementwise(self, log_alpha: Array) -> Array:
        return 0.5 * softplus(-log_alpha)

    def slope(self, log_alpha: Array) -> Array:
        return -0.5 * sigmoid(-log_alpha)

    def slope_by_inverse_alpha(self, log_alpha: Array) -> Array:
        return 0.5 * sigmoid(log_alpha)

    value = alpha_divergence.value
    grad = alpha_divergence.grad
