"""The divergence from a Gaussian to the prior `Laplace(0, prior_scale)`, with density `exp(-|w| / b) / (2b)`.

KL = log(2b) + E|w| / b - log(2 pi e scale^2) / 2
E|w| = scale sqrt(2/pi) exp(-r^2 / 2) + mean erf(r / sqrt 2),    r = mean / scale
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law
from bayesnoise.special import erf

_FAR = 40.0  # |r| from which exp(-r^2 / 2) is 0


def _absolute_slopes(mean: Array, scale: Array) -> tuple[Array, Array]:
    """The derivatives of `E|w|` by mean and by scale, which are also its coefficients: it is homogeneous."""
    xp = array_namespace(mean)
    size = xp.abs(scale)
    far = xp.abs(mean) >= _FAR * size  # mean / scale may overflow there, and is 0/0 where both are 0
    r = xp.where(far, _FAR * xp.sign(mean), mean / xp.where(far, xp.ones_like(size), size))
    density = math.sqrt(2.0 / math.pi) * xp.exp(-0.5 * r * r)
    return erf(math.sqrt(0.5) * r), xp.where(scale < 0, -density, density)


@dataclass(frozen=True)
class Laplace:
    """The prior scale is `b`, whose standard deviation is `sqrt(2) b`; ValueError unless it is finite and above 0."""

    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("prior_scale", self.prior_scale)

    @property
    def monte_carlo(self) -> bool:
        return False

    def value(self, law: Law, eps: Array | None = None) -> Array:
        mean, scale = law.mean, law.scale
        by_mean, by_scale = _absolute_slopes(mean, scale)
        constant = math.log(2.0 * self.prior_scale) - 0.5 * math.log(2.0 * math.pi * math.e)
        terms = (mean * by_mean + scale * by_scale) / self.prior_scale - law.log_scale + constant
        return array_namespace(mean).sum(terms)

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        by_mean, by_scale = _absolute_slopes(law.mean, law.scale)
        log_scale = -array_namespace(by_mean).ones_like(by_mean)
        return Coordinates(mean=by_mean / self.prior_scale, scale=by_scale / self.prior_scale, log_scale=log_scale)
