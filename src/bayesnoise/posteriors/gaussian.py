"""Independent Gaussian weights, `w = mu + sigma eps`, with `sigma = softplus(rho)` or `sigma = exp(log_sigma)`.

Blundell et al. 2015, "Weight Uncertainty in Neural Networks" (arXiv 1505.05424), section 3.2.
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
from bayesnoise.special import inverse_softplus


class GaussianParams(NamedTuple):
    mu: Array  # like the weights
    rho: Array  # like the weights: sigma = softplus(rho)


@dataclass(frozen=True)
class Gaussian:
    """Mean `mu` and standard deviation `softplus(rho)`, one of each a weight.

    `initial_scale` is the standard deviation of a fresh posterior; ValueError unless it is above 0.
    """

    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> GaussianParams:
        mu = map.initial_sd * rng.normal(map.weight_shape, like=like)
        return GaussianParams(mu, array_namespace(mu).full_like(mu, inverse_softplus(self.initial_scale)))

    def mean(self, params: GaussianParams) -> Array:
        return params.mu

    def scale(self, params: GaussianParams) -> Array:
        return _location_scale.SOFTPLUS.value(params.rho)

    def log_scale(self, params: GaussianParams) -> Array:
        return _location_scale.SOFTPLUS.log(params.rho)

    def log_alpha(self, params: GaussianParams) -> Array:
        return _location_scale.log_alpha(params.mu, self.log_scale(params))

    def pullback(self, params: GaussianParams, grad: Coordinates) -> GaussianParams:
        return GaussianParams(*_location_scale.pullback(params.mu, params.rho, _location_scale.SOFTPLUS, grad))


class LogSigmaParams(NamedTuple):
    mu: Array  # like the weights
    log_sigma: Array  # like the weights


@dataclass(frozen=True)
class LogSigmaGaussian:
    """Mean `mu` and standard deviation `exp(log_sigma)`, one of each a weight. Arguments as for `Gaussian`."""

    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> LogSigmaParams:
        mu = map.initial_sd * rng.normal(map.weight_shape, like=like)
        xp = array_namespace(mu)
        return LogSigmaParams(mu, xp.log(xp.full_like(mu, self.initial_scale)))

    def mean(self, params: LogSigmaParams) -> Array:
        return params.mu

    def scale(self, params: LogSigmaParams) -> Array:
        return _location_scale.EXP.value(params.log_sigma)

    def log_scale(self, params: LogSigmaParams) -> Array:
        return params.log_sigma

    def log_alpha(self, params: LogSigmaParams) -> Array:
        return _location_scale.log_alpha(params.mu, params.log_sigma)

    def pullback(self, params: LogSigmaParams, grad: Coordinates) -> LogSigmaParams:
        return LogSigmaParams(*_location_scale.pullback(params.mu, params.log_sigma, _location_scale.EXP, grad))
