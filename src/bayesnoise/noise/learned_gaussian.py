"""Gaussian noise on activations with a learned variance: `y = x * (1 + sqrt(alpha) zeta)`.

Variational dropout with correlated weight noise, type B of Kingma, Salimans, Welling 2015 (arXiv 1506.02557), section
3.1: the weights behind one unit share its factor, and the divergence counts one term a unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.divergences import AlphaDivergence, LogUniform
from bayesnoise.noise._units import unit_axis


class LearnedGaussianParams(NamedTuple):
    log_alpha: Array  # (units or 1, 1, ...): broadcasts against one example


class LearnedGaussianNoise(NamedTuple):
    zeta: Array  # like x, standard normal


class LearnedGaussianResiduals(NamedTuple):
    x: Array
    root_alpha: Array  # like log_alpha
    zeta: Array  # like x


@dataclass(frozen=True)
class LearnedGaussian:
    """One alpha a unit, or one for all of them if `tied`; the divergence is a function of log alpha.

    A unit is a feature, on the last axis; with `positions` spatial axes behind it, it is a channel, whose noise is
    drawn anew at each position. ValueError for an initial alpha that is not above 0 or for sizes below 1.
    """

    units: int
    positions: int = 0
    initial_alpha: float = 0.05
    tied: bool = False
    divergence: AlphaDivergence = LogUniform()  # noqa: RUF009 - frozen, without state

    def __post_init__(self) -> None:
        _checks.positive_integer("units", self.units)
        _checks.positive("initial_alpha", self.initial_alpha)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        unit_axis(x_shape, self.units, self.positions, self)
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> LearnedGaussianParams:
        shape = (1 if self.tied else self.units, *(1,) * self.positions)
        full = array_namespace(like).full(shape, log(self.initial_alpha), dtype=like.dtype, device=device(like))
        return LearnedGaussianParams(full)

    def draw(self, rng: Rng, params: LearnedGaussianParams, x_shape: Shape, *, like: Array) -> LearnedGaussianNoise:
        return LearnedGaussianNoise(rng.normal(x_shape, like=like))

    def forward(
        self, params: LearnedGaussianParams, noise: LearnedGaussianNoise, x: Array
    ) -> tuple[Array, LearnedGaussianResiduals]:
        _checks.layer_input(x, params)
        self.output_shape(x.shape)
        _checks.noise(noise, LearnedGaussianNoise(x.shape))
        root_alpha = array_namespace(x).exp(0.5 * params.log_alpha)
        return x * (1.0 + root_alpha * noise.zeta), LearnedGaussianResiduals(x, root_alpha, noise.zeta)

    def backward(
        self, residuals: LearnedGaussianResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, LearnedGaussianParams]:
        x, root_alpha, zeta = residuals
        grad_log_alpha = sum_to(0.5 * grad_y * x * root_alpha * zeta, root_alpha.shape)
        return (grad_y * (1.0 + root_alpha * zeta) if input_grad else None), LearnedGaussianParams(grad_log_alpha)

    def predict(self, params: LearnedGaussianParams, x: Array) -> Array:
        _checks.layer_input(x, params)
        return x

    def moments(self, params: LearnedGaussianParams, x: Array) -> tuple[Array, Array]:
        """Mean `x` and variance `alpha x^2`."""
        return x, array_namespace(x).exp(params.log_alpha) * x * x

    def _units_per_alpha(self, log_alpha: Array) -> float:
        count: int = prod(log_alpha.shape)
        return self.units / count

    def kl(self, params: LearnedGaussianParams, noise: LearnedGaussianNoise | None = None) -> Array:
        value = self.divergence.elementwise(params.log_alpha)
        return self._units_per_alpha(params.log_alpha) * array_namespace(value).sum(value)

    def kl_grad(
        self, params: LearnedGaussianParams, noise: LearnedGaussianNoise | None = None
    ) -> LearnedGaussianParams:
        slope = self.divergence.slope(params.log_alpha)
        return LearnedGaussianParams(self._units_per_alpha(params.log_alpha) * slope)
