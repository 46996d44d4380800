"""No randomness: the weights are `theta`. The ordinary network, and what Monte Carlo dropout multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Rng
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Coordinates, Traits


class PointParams(NamedTuple):
    theta: Array  # like the weights


@dataclass(frozen=True)
class Point:
    """All mass at `theta`. It has a mean and no scale: asking for one raises TypeError."""

    @property
    def traits(self) -> Traits:
        return Traits(random=False)

    def init(self, rng: Rng, map: Map, *, like: Array) -> PointParams:
        return PointParams(map.initial_sd * rng.normal(map.weight_shape, like=like))

    def mean(self, params: PointParams) -> Array:
        return params.theta

    def scale(self, params: PointParams) -> NoReturn:
        raise TypeError("Point() has no scale: use a random posterior, or a divergence of the mean alone such as L2")

    log_scale = scale
    log_alpha = scale

    def pullback(self, params: PointParams, grad: Coordinates) -> PointParams:
        return PointParams(array_namespace(params.theta).zeros_like(params.theta) if grad.mean is None else grad.mean)
