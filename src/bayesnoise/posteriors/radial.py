"""Weights at a normal distance from their mean: `w = mu + sigma eps / |eps| r`, one radius r a layer.

Farquhar, Osborne, Gal 2020, "Radial Bayesian Neural Networks" (arXiv 1907.00865), equation 3 as reported. `eps` is
standard normal, one number a weight, so that its direction is uniform; `r` is standard normal, one number for all n
weights. A Gaussian law instead has all its mass at distances near `sigma sqrt(n)`.

The coordinates of a weight's noise have variance 1/n, and no covariance: seen as `mean + scale * noise` with noise of
variance 1, the scale is `sigma / sqrt(n)`. They are dependent, by the radius and the direction; but flipping the signs
of some of them flips those of `eps`, which is as likely, so that the joint law is invariant under flips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod
from typing import NoReturn

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import _location_scale
from bayesnoise.posteriors.gaussian import GaussianParams, LogSigmaParams
from bayesnoise.posteriors.law import Coordinates, Traits
from bayesnoise.special import inverse_softplus


@dataclass(frozen=True)
class RadialNoise:
    """`sqrt(n) r eps / |eps|` over the n weights: each of mean 0 and variance 1, uncorrelated and dependent."""

    def draw(self, rng: Rng, shape: Shape, *, like: Array, batch: Shape = ()) -> Array:
        for_eps, for_radius = rng.split(2)
        eps = for_eps.normal((*batch, *shape), like=like)
        radius = for_radius.normal((*batch, *(1,) * len(shape)), like=like)
        xp, axes = array_namespace(eps), tuple(range(len(batch), eps.ndim))
        norm = xp.sqrt(xp.sum(eps * eps, axis=axes, keepdims=True))
        return eps * (math.sqrt(prod(shape)) * radius / norm)


@dataclass(frozen=True)
class Radial:
    """Mean `mu` and `sigma = softplus(rho)`, one of each a weight.

    `initial_scale` is the standard deviation of a weight of a fresh posterior, `sigma / sqrt(n)`; ValueError unless it
    is above 0. It is no Gaussian law: asked for a coordinate that only a divergence of those reads, it raises
    TypeError.
    """

    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)

    @property
    def traits(self) -> Traits:
        return Traits(independent=False, gaussian=False, sign_invariant=True, standard=RadialNoise())

    def init(self, rng: Rng, map: Map, *, like: Array) -> GaussianParams:
        mu = map.initial_sd * rng.normal(map.weight_shape, like=like)
        sigma = self.initial_scale * math.sqrt(prod(map.weight_shape))
        return GaussianParams(mu, array_namespace(mu).full_like(mu, inverse_softplus(sigma)))

    def mean(self, params: GaussianParams) -> Array:
        return params.mu

    def scale(self, params: GaussianParams) -> Array:
        return _location_scale.SOFTPLUS.value(params.rho) / math.sqrt(prod(params.rho.shape))

    def log_scale(self, params: GaussianParams) -> NoReturn:
        raise TypeError(f"{self} is not Gaussian: use the divergence RadialKL, or one of the mean alone, L2 or Zero")

    log_alpha = log_scale

    def matched(self, params: GaussianParams) -> LogSigmaParams:
        """The independent Gaussian weights of the same means and variances."""
        log_sigma = _location_scale.SOFTPLUS.log(params.rho)
        return LogSigmaParams(params.mu, log_sigma - 0.5 * math.log(prod(params.rho.shape)))

    def pullback(self, params: GaussianParams, grad: Coordinates) -> GaussianParams:
        if grad.scale is not None:
            grad = grad._replace(scale=grad.scale / math.sqrt(prod(params.rho.shape)))
        return GaussianParams(*_location_scale.pullback(params.mu, params.rho, _location_scale.SOFTPLUS, grad))
