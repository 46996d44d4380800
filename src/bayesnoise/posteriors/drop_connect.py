"""DropConnect's law: `w = theta * m / (1 - rate)`, with a mask m of its own for every weight.

Wan, Zeiler, Zhang, LeCun, Fergus 2013, "Regularization of Neural Networks using DropConnect" (ICML), in the inverted
form: the mean of w is theta, so that nothing is rescaled at prediction. With the scale `sqrt(rate / (1 - rate)) theta`
the noise `(w - mean) / scale` takes two values. The scale carries the sign of theta, which matters: the law is not
symmetric, and only with that sign is a dropped weight 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Rng
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Coordinates, Traits
from bayesnoise.posteriors.point import Point, PointParams
from bayesnoise.posteriors.standard import TwoPoint


@dataclass(frozen=True)
class DropConnect:
    """0 with probability `rate`, else `theta / (1 - rate)`, each weight by itself.

    It has a mean and a scale; asked for a density, by a divergence of Gaussian laws, it raises TypeError. ValueError
    unless 0 < rate < 1.
    """

    rate: float

    def __post_init__(self) -> None:
        TwoPoint(self.rate)

    @property
    def traits(self) -> Traits:
        return Traits(symmetric=self.rate == 0.5, gaussian=False, standard=TwoPoint(self.rate))

    def init(self, rng: Rng, map: Map, *, like: Array) -> PointParams:
        return Point().init(rng, map, like=like)

    def mean(self, params: PointParams) -> Array:
        return params.theta

    def scale(self, params: PointParams) -> Array:
        return TwoPoint(self.rate).deviation * params.theta

    def log_scale(self, params: PointParams) -> NoReturn:
        raise TypeError(f"{self} has no density: use a divergence of the mean alone, L2 or Zero")

    log_alpha = log_scale

    def pullback(self, params: PointParams, grad: Coordinates) -> PointParams:
        if any(part is not None for part in (grad.log_scale, grad.log_alpha, grad.inverse_alpha)):
            self.log_scale(params)
        grad_theta = array_namespace(params.theta).zeros_like(params.theta) if grad.mean is None else grad.mean
        if grad.scale is not None:
            grad_theta = grad_theta + TwoPoint(self.rate).deviation * grad.scale
        return PointParams(grad_theta)
