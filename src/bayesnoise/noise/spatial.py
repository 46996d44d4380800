"""Factors that are constant over space: one an example and channel.

Tompson, Goroshin, Jain, LeCun, Bregler 2015, "Efficient Object Localization Using Convolutional Networks" (arXiv
1411.4280), section 3.2 (numbering as reported), with Bernoulli factors. Neighbouring pixels of a channel are nearly
equal, so that dropping them one by one takes little away; here a whole channel is there or not. For a convolution that
is noise of its weights: all those that read a channel share its factor.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.noise._units import per_unit
from bayesnoise.noise.multiply import MultiplierLaw


@dataclass(frozen=True)
class Spatial:
    """The factors of another law, one an example and unit.

    A unit is a feature, on the last axis; with `positions` spatial axes behind it, it is a channel. ValueError for
    fewer than one unit or, when used, for an input with other units.
    """

    law: MultiplierLaw
    units: int
    positions: int = 0

    def __post_init__(self) -> None:
        _checks.positive_integer("units", self.units)

    @property
    def variance(self) -> float:
        return self.law.variance

    def factor_shape(self, x_shape: Shape) -> Shape:
        return self.law.factor_shape(per_unit(x_shape, self.units, self.positions, self))

    def draw(self, rng: Rng, x_shape: Shape, *, like: Array) -> Array:
        return self.law.draw(rng, self.factor_shape(x_shape), like=like)
