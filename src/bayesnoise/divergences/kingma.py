"""Kingma's cubic approximation of the log-uniform divergence, for alpha of at most 1 only.

Kingma, Salimans, Welling 2015 (arXiv 1506.02557), section 4.2. The paper leaves the constant open; here it agrees with
`LogUniform` at alpha = 0, and then the largest error for alpha <= 1 is 4.0e-2 in the value, at log alpha = -2.1, and
5.4e-2 in the slope. Above 1 the cubic is meaningless (off by 3.9 at alpha = e, by 164 at e^2), so that alpha enters it
clipped at 1: from there on the value is constant and the slope is 0, as if the parameter itself had been clipped.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.divergences import alpha_divergence

_C1, _C2, _C3 = 1.16145124, -1.50204118, 0.58629921
_CONSTANT = 0.6351814227307391  # (euler + log 2) / 2, the limit of LogUniform + log(alpha) / 2 at alpha = 0


def _alpha(log_alpha: Array) -> Array:
    xp = array_namespace(log_alpha)
    return xp.exp(xp.minimum(log_alpha, xp.zeros_like(log_alpha)))


def _minus_slope(alpha: Array) -> Array:
    return 0.5 + alpha * (_C1 + alpha * (2.0 * _C2 + alpha * (3.0 * _C3)))


@dataclass(frozen=True)
class Kingma:
    """`KL = (euler + log 2)/2 - log(alpha)/2 - c1 alpha - c2 alpha^2 - c3 alpha^3`, with alpha clipped at 1."""

    @property
    def monte_carlo(self) -> bool:
        return False

    def elementwise(self, log_alpha: Array) -> Array:
        xp, alpha = array_namespace(log_alpha), _alpha(log_alpha)
        clipped = xp.minimum(log_alpha, xp.zeros_like(log_alpha))
        return _CONSTANT - 0.5 * clipped - alpha * (_C1 + alpha * (_C2 + alpha * _C3))

    def slope(self, log_alpha: Array) -> Array:
        xp, alpha = array_namespace(log_alpha), _alpha(log_alpha)
        return xp.where(log_alpha > 0, xp.zeros_like(alpha), -_minus_slope(alpha))

    def slope_by_inverse_alpha(self, log_alpha: Array) -> Array:
        xp, alpha = array_namespace(log_alpha), _alpha(log_alpha)
        return xp.where(log_alpha > 0, xp.zeros_like(alpha), alpha * _minus_slope(alpha))

    value = alpha_divergence.value
    grad = alpha_divergence.grad
