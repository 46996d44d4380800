"""The penalty `keep / (2 prior_scale^2) * sum mean^2`: a Gaussian prior on weights without a scale, or with dropout.

Gal and Ghahramani 2016, "Dropout as a Bayesian Approximation" (arXiv 1506.02142), the KL condition: for the law
`w = mask * mean`, whose mask keeps a row with probability `keep`, the divergence to `N(0, prior_scale^2)` is this
penalty plus terms without the mean, in the limit of narrow components. A layer that divides its mask by `keep`
(inverted dropout) stores `keep * mean` instead, and the factor of what it stores is `1 / keep`. Where nothing is
dropped it is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law


@dataclass(frozen=True)
class L2:
    """Weight decay of strength `keep / prior_scale^2`; ValueError unless both are finite and above 0."""

    prior_scale: float = 1.0
    keep: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("prior_scale", self.prior_scale)
        _checks.positive("keep", self.keep)

    @property
    def monte_carlo(self) -> bool:
        return False

    def value(self, law: Law, eps: Array | None = None) -> Array:
        ratio = law.mean / self.prior_scale
        return (0.5 * self.keep) * array_namespace(ratio).sum(ratio * ratio)

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        return Coordinates(mean=self.keep * (law.mean / self.prior_scale) / self.prior_scale)
