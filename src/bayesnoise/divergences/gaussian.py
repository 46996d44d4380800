"""The divergence from independent Gaussians to the prior `N(prior_mean, prior_scale^2)`.

    KL = (s^2 - 1 - log s^2) / 2 + ((mean - prior_mean) / prior_scale)^2 / 2,    s = scale / prior_scale

Blundell et al. 2015 (arXiv 1505.05424) use it where a Gaussian prior is enough; Hinton and van Camp 1993 have it first.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.divergences._constant import Constant, constant, like, log
from bayesnoise.posteriors.law import Coordinates, Law


def _excess(scale: Array, log_ratio: Array, prior_scale: Array) -> Array:
    """`s^2 - 1`, from the logarithm of s where s is near 1, so that the divergence vanishes there as a square."""
    xp = array_namespace(scale)
    near = xp.abs(log_ratio) < 0.5
    ratio = scale / prior_scale
    return xp.where(near, xp.expm1(2.0 * xp.where(near, log_ratio, xp.zeros_like(log_ratio))), ratio * ratio - 1.0)


@dataclass(frozen=True)
class GaussianKL:
    """Numbers, or arrays whose shape broadcasts to the weights, kept by value.

    TypeError unless they are, ValueError for a scale that is not finite and above 0 or a mean that is not finite, and,
    when used, for a shape that does not fit the weights.
    """

    prior_scale: Array = 1.0
    prior_mean: Array = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "prior_scale", constant("prior_scale", self.prior_scale, positive=True))
        object.__setattr__(self, "prior_mean", constant("prior_mean", self.prior_mean, positive=False))

    @property
    def monte_carlo(self) -> bool:
        return False

    def _standardised(self, law: Law) -> tuple[Array, Array, Array, Array]:
        """`(mean - prior_mean) / prior_scale`, `log s`, `s^2 - 1` and the prior scale."""
        mean = law.mean
        prior_scale: Constant = self.prior_scale
        scale, log_scale = like("prior_scale", prior_scale, mean), like("prior_scale", log(prior_scale), mean)
        log_ratio = law.log_scale - log_scale
        shift = (mean - like("prior_mean", self.prior_mean, mean)) / scale
        return shift, log_ratio, _excess(law.scale, log_ratio, scale), scale

    def value(self, law: Law, eps: Array | None = None) -> Array:
        shift, log_ratio, excess, _ = self._standardised(law)
        return array_namespace(shift).sum(0.5 * excess - log_ratio + 0.5 * shift * shift)

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        shift, _, excess, prior_scale = self._standardised(law)
        return Coordinates(mean=shift / prior_scale, log_scale=excess)
