"""The divergence from log-normal laws to gamma and inverse-gamma priors of shape 1/2, which make a half-Cauchy prior.

If `a` is Gamma(1/2) with scale `t^2` and `b` is InverseGamma(1/2) with scale 1, independent, then `sqrt(a b)` has the
half-Cauchy law with scale `t`. With `log a ~ N(m, s^2)`,

    KL = -(m - log scale) / 2 - log s - log(2 e) / 2 + exp(m - log scale + s^2 / 2)

and the inverse of an inverse-gamma variable is gamma, so that its divergence is the one at `-m`. Louizos, Ullrich,
Welling 2017, "Bayesian Compression for Deep Learning" (arXiv 1705.08665), appendix; the gamma scale `t^2` is the one
that gives the half-Cauchy scale `t`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law


@dataclass(frozen=True)
class LogNormalGamma:
    """From `exp(w)`, with w Gaussian under the law, to Gamma(1/2, scale), or to InverseGamma(1/2, scale).

    `exp(w)` is gamma with that scale, or `exp(-w)` is gamma with the scale `1 / scale`. ValueError unless the scale is
    finite and above 0.
    """

    scale: float = 1.0
    inverse: bool = False

    def __post_init__(self) -> None:
        _checks.positive("scale", self.scale)

    @property
    def monte_carlo(self) -> bool:
        return False

    @property
    def _sign(self) -> float:
        return -1.0 if self.inverse else 1.0

    def _terms(self, law: Law) -> tuple[Array, Array, Array]:
        """The location of the gamma variable over its scale, the variance, and the mean of that variable."""
        location = self._sign * (law.mean - math.log(self.scale))
        variance = law.scale * law.scale
        return location, variance, array_namespace(location).exp(location + 0.5 * variance)

    def value(self, law: Law, eps: Array | None = None) -> Array:
        location, _, mean = self._terms(law)
        return array_namespace(mean).sum(mean - 0.5 * location - law.log_scale - 0.5 * (1.0 + math.log(2.0)))

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        _, variance, mean = self._terms(law)
        return Coordinates(mean=self._sign * (mean - 0.5), log_scale=variance * mean - 1.0)
