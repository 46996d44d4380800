"""The prior `pi N(0, scale1^2) + (1 - pi) N(0, scale2^2)`, which has no closed form: one Monte Carlo draw.

Blundell et al. 2015 (arXiv 1505.05424), section 3.3: with `w = mean + scale eps` the divergence is estimated by
`log q(w) - log p(w)`, without bias. Its gradient has two unbiased forms. The total derivative is that of the estimate.
The path derivative (Roeder, Wu, Duvenaud 2017, "Sticking the Landing", arXiv 1703.09194) leaves out the dependence of
`log q` on its own parameters, whose mean is 0: its variance vanishes where q is p, and need not be lower elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law
from bayesnoise.special import sigmoid, softplus


@dataclass(frozen=True)
class ScaleMixture:
    """A wide component of weight `pi` and a narrow one; `gradient` is "total" or "path".

    ValueError unless pi lies strictly between 0 and 1 and scale1 > scale2 > 0.
    """

    pi: float = 0.5
    scale1: float = 1.0
    scale2: float = math.exp(-6.0)
    gradient: Literal["total", "path"] = "total"

    def __post_init__(self) -> None:
        if not 0 < self.pi < 1:
            raise ValueError(f"pi is {self.pi}, expected a number strictly between 0 and 1: else use GaussianKL")
        _checks.positive("scale1", self.scale1)
        _checks.positive("scale2", self.scale2)
        if not self.scale1 > self.scale2:
            raise ValueError(f"scale1 is {self.scale1}, expected a number above scale2 = {self.scale2}: exchange them")
        _checks.one_of("gradient", self.gradient, ("total", "path"))

    @property
    def monte_carlo(self) -> bool:
        return True

    def _log_odds(self, w: Array) -> Array:
        """The logarithm of the odds that `w` comes from the wide component."""
        prior = math.log(self.pi) - math.log1p(-self.pi) + math.log(self.scale2) - math.log(self.scale1)
        ratio = w / self.scale2
        return prior + (0.5 - 0.5 * (self.scale2 / self.scale1) ** 2) * (ratio * ratio)

    def log_density(self, w: Array) -> Array:
        """`log p(w)` of each weight, without its `-log(2 pi) / 2`."""
        ratio = w / self.scale1
        wide = math.log(self.pi) - math.log(self.scale1) - 0.5 * ratio * ratio
        return wide + softplus(-self._log_odds(w))

    def score(self, w: Array) -> Array:
        """The derivative of `log p(w)`."""
        odds = self._log_odds(w)
        return -w * (sigmoid(odds) / self.scale1**2 + sigmoid(-odds) / self.scale2**2)

    def _draw(self, law: Law, eps: Array | None) -> tuple[Array, Array]:
        if eps is None:
            raise ValueError(f"eps is None, expected standard normal noise in the shape of the weights for {self}")
        return law.mean + law.scale * eps, eps

    def value(self, law: Law, eps: Array | None = None) -> Array:
        w, drawn = self._draw(law, eps)
        return array_namespace(w).sum(-law.log_scale - 0.5 * drawn * drawn - self.log_density(w))

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        w, drawn = self._draw(law, eps)
        xp, score, scale = array_namespace(w), self.score(w), law.scale
        if self.gradient == "total":
            return Coordinates(mean=-score, scale=-drawn * score, log_scale=-xp.ones_like(score))
        # eps / scale is unbounded as the scale goes to 0: it stays below the largest finite number.
        least = 64.0 * float(xp.finfo(scale.dtype).smallest_normal)
        edge = xp.where(scale < 0, -xp.full_like(scale, least), xp.full_like(scale, least))
        bounded = xp.where(xp.abs(scale) < least, edge, scale)
        return Coordinates(mean=-drawn / bounded - score, scale=-drawn * score, log_scale=-drawn * drawn)
