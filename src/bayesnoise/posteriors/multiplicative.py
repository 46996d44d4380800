"""Variational dropout's law: `w = theta (1 + sqrt(alpha) eps)`, so that `w ~ N(theta, alpha theta^2)`.

Kingma, Salimans, Welling 2015 (arXiv 1506.02557), section 3. The scale `exp(log_alpha / 2) theta` keeps the sign of
theta: the law is symmetric, and nothing is singular at theta = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Rng
from bayesnoise.maps.map import Map, Unit
from bayesnoise.posteriors.law import Coordinates, Traits


class MultiplicativeParams(NamedTuple):
    theta: Array  # like the weights
    log_alpha: Array  # like the weights, or with 1 along the axes that share it


@dataclass(frozen=True)
class Multiplicative:
    """Mean `theta` and variance `exp(log_alpha) theta^2`; one alpha a weight, an input or an output.

    ValueError for a start that is not finite, or for something else to have an alpha.
    """

    initial_log_alpha: float = -4.0
    alpha: Unit = "weight"

    def __post_init__(self) -> None:
        _checks.finite("initial_log_alpha", self.initial_log_alpha)
        _checks.one_of("alpha", self.alpha, ("weight", "input", "output"))

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> MultiplicativeParams:
        theta = map.initial_sd * rng.normal(map.weight_shape, like=like)
        xp = array_namespace(theta)
        filled = xp.full_like(theta, self.initial_log_alpha)
        shared = filled[tuple(slice(0, n) for n in map.unit_shape(self.alpha))]
        return MultiplicativeParams(theta, shared)

    def mean(self, params: MultiplicativeParams) -> Array:
        return params.theta

    def scale(self, params: MultiplicativeParams) -> Array:
        return array_namespace(params.theta).exp(0.5 * params.log_alpha) * params.theta

    def log_scale(self, params: MultiplicativeParams) -> Array:
        """`log |scale|`: -inf where theta is 0."""
        xp = array_namespace(params.theta)
        return 0.5 * params.log_alpha + xp.log(xp.abs(params.theta))

    def log_alpha(self, params: MultiplicativeParams) -> Array:
        return params.log_alpha

    def pullback(self, params: MultiplicativeParams, grad: Coordinates) -> MultiplicativeParams:
        theta, log_alpha = params
        xp = array_namespace(theta)
        grad_theta, grad_log_alpha = xp.zeros_like(theta), xp.zeros_like(log_alpha)
        if grad.mean is not None:
            grad_theta = grad_theta + grad.mean
        if grad.scale is not None:
            root_alpha = xp.exp(0.5 * log_alpha)
            grad_theta = grad_theta + grad.scale * root_alpha
            grad_log_alpha = grad_log_alpha + sum_to(0.5 * grad.scale * root_alpha * theta, log_alpha.shape)
        if grad.log_scale is not None:
            grad_theta = grad_theta + grad.log_scale / theta
            grad_log_alpha = grad_log_alpha + sum_to(0.5 * grad.log_scale, log_alpha.shape)
        if grad.log_alpha is not None:
            grad_log_alpha = grad_log_alpha + grad.log_alpha
        return MultiplicativeParams(grad_theta, grad_log_alpha)
