"""The divergence from the radial law to the prior `N(prior_mean, prior_scale^2)`, in closed form.

Farquhar, Osborne, Gal 2020 (arXiv 1907.00865) estimate the cross entropy by draws and leave the constant of the entropy
out. The cross entropy needs second moments alone, which are those of independent Gaussians of the same means and
scales; and so does the entropy, but for a constant. So the divergence is that of those Gaussians, and as much more as
their entropy is larger than the radial law's:

    KL = KL(Gaussian) + (n - 1) (1 + log 2 pi + gamma + log 2) / 2 - n log(pi n) / 2 + log Gamma(n / 2)

with Euler's gamma and n weights. The density at distance R from 0 of `u r`, u uniform on the unit sphere in n
dimensions and r standard normal, is `2 phi(R) / (A R^(n - 1))`, A the sphere's area `2 pi^(n / 2) / Gamma(n / 2)`; and
`E log |r| = -(gamma + log 2) / 2`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod

from bayesnoise._typing import Array
from bayesnoise.divergences.gaussian import GaussianKL
from bayesnoise.posteriors.gaussian import LogSigmaGaussian
from bayesnoise.posteriors.law import Coordinates, Law
from bayesnoise.posteriors.radial import Radial

_EULER = 0.5772156649015329


def missing_entropy(n: int) -> float:
    """How much less entropy the radial law of n weights has than Gaussians of its variances: 0 for 1, about 0.635 n."""
    per_dimension = 1.0 + math.log(2.0 * math.pi) + _EULER + math.log(2.0)
    return 0.5 * (n - 1) * per_dimension - 0.5 * n * math.log(math.pi * n) + math.lgamma(0.5 * n)


@dataclass(frozen=True)
class RadialKL:
    """Of the posterior `Radial` alone: TypeError for another. Arguments as for `GaussianKL`."""

    prior_scale: Array = 1.0
    prior_mean: Array = 0.0

    def __post_init__(self) -> None:
        gaussian = self._gaussian
        object.__setattr__(self, "prior_scale", gaussian.prior_scale)
        object.__setattr__(self, "prior_mean", gaussian.prior_mean)

    @property
    def _gaussian(self) -> GaussianKL:
        return GaussianKL(self.prior_scale, self.prior_mean)

    @property
    def monte_carlo(self) -> bool:
        return False

    def _matched(self, law: Law) -> Law:
        if not isinstance(law.posterior, Radial):
            raise TypeError(
                f"posterior is {law.posterior}, expected Radial for {self}: use GaussianKL for Gaussian laws"
            )
        return Law(LogSigmaGaussian(), law.posterior.matched(law.params))

    def value(self, law: Law, eps: Array | None = None) -> Array:
        return self._gaussian.value(self._matched(law)) + missing_entropy(prod(law.mean.shape))

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        return self._gaussian.grad(self._matched(law))
