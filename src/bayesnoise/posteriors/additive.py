"""Sparse variational dropout's law in its additive form: `w = theta + sigma eps`, `sigma^2 = exp(log_sigma2)`.

Molchanov, Ashukha, Vetrov 2017 (arXiv 1701.05369), equation 11. The noise on the output does not depend on `theta`,
so the gradient of `theta` stays quiet where the multiplicative form's grows with alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import _location_scale
from bayesnoise.posteriors.law import Coordinates, Traits


class AdditiveParams(NamedTuple):
    theta: Array  # like the weights
    log_sigma2: Array  # like the weights


@dataclass(frozen=True)
class Additive:
    """Mean `theta` and variance `exp(log_sigma2)`, one of each a weight; ValueError for a start that is not finite."""

    initial_log_sigma2: float = -10.0

    def __post_init__(self) -> None:
        _checks.finite("initial_log_sigma2", self.initial_log_sigma2)

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> AdditiveParams:
        theta = map.initial_sd * rng.normal(map.weight_shape, like=like)
        return AdditiveParams(theta, array_namespace(theta).full_like(theta, self.initial_log_sigma2))

    def mean(self, params: AdditiveParams) -> Array:
        return params.theta

    def scale(self, params: AdditiveParams) -> Array:
        return _location_scale.EXP_HALF.value(params.log_sigma2)

    def log_scale(self, params: AdditiveParams) -> Array:
        return _location_scale.EXP_HALF.log(params.log_sigma2)

    def log_alpha(self, params: AdditiveParams) -> Array:
        return _location_scale.log_alpha(params.theta, self.log_scale(params))

    def pullback(self, params: AdditiveParams, grad: Coordinates) -> AdditiveParams:
        parts = _location_scale.pullback(params.theta, params.log_sigma2, _location_scale.EXP_HALF, grad)
        return AdditiveParams(*parts)
