"""Gaussian noise that is correlated across units: `y = x * xi`, `xi = 1 + U (sqrt(alpha) eps)`, U of reflections.

Variational structured dropout: Nguyen, Nguyen, Nguyen, Phung, Bui, Le, Ho 2021 (arXiv 2102.07927). `xi` has mean 1 and
covariance `U diag(alpha) U'`. Random is `eps`, one number an example and unit, the same at every position of an
example: before a map it makes the weights `diag(xi_n) theta` of example n, for a convolution over its input channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.divergences.empirical_bayes import empirical_bayes_kl, empirical_bayes_kl_grad
from bayesnoise.noise._units import per_unit
from bayesnoise.noise.householder import rotate, rotate_backward, variances, variances_backward
from bayesnoise.noise.reflection_vectors import Directions, ReflectionParams, ReflectionVectors


class StructuredGaussianParams(NamedTuple):
    log_alpha: Array  # (k,)
    reflections: ReflectionParams


class StructuredGaussianNoise(NamedTuple):
    eps: Array  # (n, k), standard normal


class StructuredGaussianResiduals(NamedTuple):
    params: StructuredGaussianParams
    directions: Directions
    x: Array
    xi: Array  # (n, 1, ..., k, 1, ...)
    eps: Array  # (n, k)
    deviation: Array  # (n, k), xi - 1


@dataclass(frozen=True)
class StructuredGaussian:
    """`reflections` of them; a unit is a feature on the last axis, or a channel with `positions` axes behind it.

    `columns` counts the weights that a unit feeds, and so how often the divergence counts. `rank` is that of the maps
    from one reflection's vector to the next, None for a full one. ValueError for sizes below 1, a rank above the number
    of units, or, on init, a vector that came out as zero.
    """

    units: int
    positions: int = 0
    columns: int = 1
    reflections: int = 2
    rank: int | None = None
    initial_log_alpha: float = -4.0

    def __post_init__(self) -> None:
        _checks.positive_integer("columns", self.columns)
        _checks.finite("initial_log_alpha", self.initial_log_alpha)
        ReflectionVectors(self.units, self.reflections, self.rank)

    @property
    def vectors(self) -> ReflectionVectors:
        """How the parameters make the reflections."""
        return ReflectionVectors(self.units, self.reflections, self.rank)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        per_unit(x_shape, self.units, self.positions, self)
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> StructuredGaussianParams:
        reflections = self.vectors.init(rng, like=like)
        log_alpha = array_namespace(like).full_like(reflections.start, self.initial_log_alpha)
        return StructuredGaussianParams(log_alpha, reflections)

    def draw(
        self, rng: Rng, params: StructuredGaussianParams, x_shape: Shape, *, like: Array
    ) -> StructuredGaussianNoise:
        return StructuredGaussianNoise(rng.normal((x_shape[0], self.units), like=like))

    def forward(
        self, params: StructuredGaussianParams, noise: StructuredGaussianNoise, x: Array
    ) -> tuple[Array, StructuredGaussianResiduals]:
        _checks.layer_input(x, params)
        shape = per_unit(x.shape, self.units, self.positions, self)
        _checks.noise(noise, StructuredGaussianNoise((x.shape[0], self.units)))
        xp = array_namespace(x)
        directions = self.vectors.directions(params.reflections)
        deviation = rotate(directions.units, xp.exp(0.5 * params.log_alpha) * noise.eps)
        xi = xp.reshape(1.0 + deviation, shape)
        return x * xi, StructuredGaussianResiduals(params, directions, x, xi, noise.eps, deviation)

    def backward(
        self, residuals: StructuredGaussianResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, StructuredGaussianParams]:
        params, directions, x, xi, eps, deviation = residuals
        xp = array_namespace(grad_y)
        grad_xi = xp.reshape(sum_to(grad_y * x, xi.shape), deviation.shape)
        grad_rows, grad_units = rotate_backward(directions.units, deviation, grad_xi)
        grad_log_alpha = 0.5 * xp.exp(0.5 * params.log_alpha) * xp.sum(grad_rows * eps, axis=0)
        grad_reflections = self.vectors.pullback(params.reflections, directions, grad_units)
        return (grad_y * xi if input_grad else None), StructuredGaussianParams(grad_log_alpha, grad_reflections)

    def predict(self, params: StructuredGaussianParams, x: Array) -> Array:
        _checks.layer_input(x, params)
        return x

    def moments(self, params: StructuredGaussianParams, x: Array) -> tuple[Array, Array]:
        """Mean `x` and variance `x^2 s`, s the diagonal of the covariance of xi."""
        shape = per_unit(x.shape, self.units, self.positions, self)
        xp = array_namespace(x)
        units = self.vectors.directions(params.reflections).units
        return x, xp.reshape(variances(units, xp.exp(params.log_alpha)), (1, *shape[1:])) * x * x

    def kl(self, params: StructuredGaussianParams, noise: StructuredGaussianNoise | None = None) -> Array:
        alpha = array_namespace(params.log_alpha).exp(params.log_alpha)
        s = variances(self.vectors.directions(params.reflections).units, alpha)
        return empirical_bayes_kl(params.log_alpha, s, self.columns)

    def kl_grad(
        self, params: StructuredGaussianParams, noise: StructuredGaussianNoise | None = None
    ) -> StructuredGaussianParams:
        alpha = array_namespace(params.log_alpha).exp(params.log_alpha)
        directions = self.vectors.directions(params.reflections)
        s = variances(directions.units, alpha)
        grad_log_alpha, grad_s = empirical_bayes_kl_grad(params.log_alpha, s, self.columns)
        grad_alpha, grad_units = variances_backward(directions.units, alpha, grad_s)
        reflections = self.vectors.pullback(params.reflections, directions, grad_units)
        return StructuredGaussianParams(grad_log_alpha + alpha * grad_alpha, reflections)
