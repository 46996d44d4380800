"""The law of a weight's noise, `(w - mean) / scale`: mean 0 and variance 1, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape


class Standard(Protocol):
    """A law of mean 0 and variance 1, and of uncorrelated numbers."""

    def draw(self, rng: Rng, shape: Shape, *, like: Array, batch: Shape = ()) -> Array:
        """`(*batch, *shape)`: the noise of weights of the given shape, drawn anew for each index of the batch."""
        ...


@dataclass(frozen=True)
class Normal:
    """Standard normal noise."""

    def draw(self, rng: Rng, shape: Shape, *, like: Array, batch: Shape = ()) -> Array:
        return rng.normal((*batch, *shape), like=like)


NORMAL = Normal()


@dataclass(frozen=True)
class TwoPoint:
    """`-sqrt((1 - rate) / rate)` with probability `rate`, else `sqrt(rate / (1 - rate))`: a mask, standardised.

    At rate 1/2 these are random signs, and the law is symmetric; at no other. ValueError unless 0 < rate < 1.
    """

    rate: float

    def __post_init__(self) -> None:
        _checks.open_probability("rate", self.rate)

    @property
    def deviation(self) -> float:
        """The standard deviation of `mask / (1 - rate)`."""
        return sqrt(self.rate / (1.0 - self.rate))

    def draw(self, rng: Rng, shape: Shape, *, like: Array, batch: Shape = ()) -> Array:
        u = rng.uniform((*batch, *shape), like=like)
        xp = array_namespace(u)
        return xp.where(u < self.rate, xp.full_like(u, -1.0 / self.deviation), xp.full_like(u, self.deviation))
