"""Noise without parameters that multiplies activations: `y = x * m`, with `E m = 1`.

Bernoulli noise is dropout in its inverted form (Srivastava et al. 2014): nothing is rescaled at prediction. Kept at
prediction too, it is Monte Carlo dropout (Gal and Ghahramani 2016, arXiv 1506.02142). Gaussian noise with
`alpha = rate / (1 - rate)` has the same mean and variance (Srivastava et al. 2014, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.layer import Empty


class MultiplierLaw(Protocol):
    """The law of a random factor of mean 1."""

    @property
    def variance(self) -> float: ...

    def factor_shape(self, x_shape: Shape) -> Shape:
        """The shape `(n, ...)` of the factors for such an input, which broadcasts to it; ValueError if it has none."""
        ...

    def draw(self, rng: Rng, x_shape: Shape, *, like: Array) -> Array: ...


@dataclass(frozen=True)
class Bernoulli:
    """`0` with probability `rate`, else `1 / (1 - rate)`; ValueError unless the rate lies in [0, 1)."""

    rate: float

    def __post_init__(self) -> None:
        _checks.probability("rate", self.rate)

    @property
    def variance(self) -> float:
        return self.rate / (1.0 - self.rate)

    def factor_shape(self, x_shape: Shape) -> Shape:
        return tuple(x_shape)

    def draw(self, rng: Rng, x_shape: Shape, *, like: Array) -> Array:
        u = rng.uniform(x_shape, like=like)
        xp = array_namespace(u)
        return xp.where(u >= self.rate, xp.full_like(u, 1.0 / (1.0 - self.rate)), xp.zeros_like(u))


@dataclass(frozen=True)
class Gaussian:
    """`1 + sqrt(alpha) zeta`, `zeta` standard normal; ValueError unless alpha is finite and above 0."""

    alpha: float

    def __post_init__(self) -> None:
        _checks.positive("alpha", self.alpha)

    @property
    def variance(self) -> float:
        return self.alpha

    def factor_shape(self, x_shape: Shape) -> Shape:
        return tuple(x_shape)

    def draw(self, rng: Rng, x_shape: Shape, *, like: Array) -> Array:
        return 1.0 + self.alpha**0.5 * rng.normal(x_shape, like=like)


class MultiplyNoise(NamedTuple):
    multiplier: Array  # broadcasts to x


@dataclass(frozen=True)
class Multiply:
    """The input times random factors, as many as the law says."""

    law: MultiplierLaw

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        self.law.factor_shape(x_shape)
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Empty:
        return Empty()

    def draw(self, rng: Rng, params: Empty, x_shape: Shape, *, like: Array) -> MultiplyNoise:
        return MultiplyNoise(self.law.draw(rng, x_shape, like=like))

    def forward(self, params: Empty, noise: MultiplyNoise, x: Array) -> tuple[Array, MultiplyNoise]:
        _checks.layer_input(x, noise)
        _checks.noise(noise, MultiplyNoise(self.law.factor_shape(x.shape)))
        return x * noise.multiplier, noise

    def backward(
        self, residuals: MultiplyNoise, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Empty]:
        return (grad_y * residuals.multiplier if input_grad else None), Empty()

    def predict(self, params: Empty, x: Array) -> Array:
        return x

    def moments(self, params: Empty, x: Array) -> tuple[Array, Array]:
        """Mean `x` and variance `x^2` times that of the factor."""
        return x, self.law.variance * x * x

    def kl(self, params: Empty, noise: MultiplyNoise | None = None) -> Array:
        return 0.0

    def kl_grad(self, params: Empty, noise: MultiplyNoise | None = None) -> Empty:
        return Empty()
