"""The exact divergence of variational dropout, to the log-uniform prior `p(w) ~ 1 / |w|`.

Kingma, Salimans, Welling 2015 (arXiv 1506.02557), section 4.2, with the constant that the improper prior leaves free
set so that the divergence is 0 at alpha = inf. The mathematics is that of `bayesnoise.special.log_uniform_kl`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesnoise._typing import Array
from bayesnoise.divergences import alpha_divergence
from bayesnoise.special import log_uniform_kl, log_uniform_slope, log_uniform_slope_by_inverse_alpha


@dataclass(frozen=True)
class LogUniform:
    """`KL = 2 * integral_0^{|mean| / (sqrt(2) scale)} D(s) ds` with Dawson's D: smooth at mean 0, where it is 0."""

    @property
    def monte_carlo(self) -> bool:
        return False

    def elementwise(self, log_alpha: Array) -> Array:
        return log_uniform_kl(log_alpha)

    def slope(self, log_alpha: Array) -> Array:
        return log_uniform_slope(log_alpha)

    def slope_by_inverse_alpha(self, log_alpha: Array) -> Array:
        return log_uniform_slope_by_inverse_alpha(log_alpha)

    value = alpha_divergence.value
    grad = alpha_divergence.grad
