"""A weight term and a bias term, each a stochastic layer of its own: `y = weight(x) + bias(x)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from array_api_compat import array_namespace, device

from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.layer import Layer
from bayesnoise.stochastic import Stochastic


class AffineParams(NamedTuple):
    weight: Params
    bias: Params


class AffineNoise(NamedTuple):
    weight: Noise
    bias: Noise


class AffineResiduals(NamedTuple):
    weight: Residuals
    bias: Residuals


def one_per_example(y: Array) -> Array:
    """The input of a bias: `(n, 1, ..., 1)`, as many axes as the output `y` that it is added to."""
    return array_namespace(y).ones(_one_shape(y.shape), dtype=y.dtype, device=device(y))


def _one_shape(y_shape: Shape) -> Shape:
    return (y_shape[0], *(1,) * (len(y_shape) - 1))


@dataclass(frozen=True)
class Biased:
    """The sum of a term in the weights and a term in the bias, whose map is the weight map's `bias()`."""

    weight: Layer
    bias: Stochastic

    @property
    def parts(self) -> tuple[tuple[str, Layer], ...]:
        return ("weight", self.weight), ("bias", self.bias)

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.weight.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> AffineParams:
        for_weight, for_bias = rng.split(2)
        return AffineParams(self.weight.init(for_weight, like=like), self.bias.init(for_bias, like=like))

    def draw(self, rng: Rng, params: AffineParams, x_shape: Shape, *, like: Array) -> AffineNoise:
        for_weight, for_bias = rng.split(2)
        return AffineNoise(
            self.weight.draw(for_weight, params.weight, x_shape, like=like),
            self.bias.draw(for_bias, params.bias, _one_shape(self.output_shape(x_shape)), like=like),
        )

    def forward(self, params: AffineParams, noise: AffineNoise, x: Array) -> tuple[Array, AffineResiduals]:
        y, weight = self.weight.forward(params.weight, noise.weight, x)
        b, bias = self.bias.forward(params.bias, noise.bias, one_per_example(y))
        return y + b, AffineResiduals(weight, bias)

    def backward(
        self, residuals: AffineResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, AffineParams]:
        grad_x, weight = self.weight.backward(residuals.weight, grad_y, input_grad=input_grad)
        # The bias broadcasts over positions, its noise included: sum over them before it is pulled back.
        by_example = sum_to(grad_y, self.bias.output_shape(_one_shape(grad_y.shape)))
        _, bias = self.bias.backward(residuals.bias, by_example, input_grad=False)
        return grad_x, AffineParams(weight, bias)

    def predict(self, params: AffineParams, x: Array) -> Array:
        y = self.weight.predict(params.weight, x)
        return y + self.bias.predict(params.bias, one_per_example(y))

    def kl(self, params: AffineParams, noise: AffineNoise | None = None) -> Array:
        weight, bias = (None, None) if noise is None else noise
        return self.weight.kl(params.weight, weight) + self.bias.kl(params.bias, bias)

    def kl_grad(self, params: AffineParams, noise: AffineNoise | None = None) -> AffineParams:
        weight, bias = (None, None) if noise is None else noise
        return AffineParams(self.weight.kl_grad(params.weight, weight), self.bias.kl_grad(params.bias, bias))


class LayerWithMoments(Layer, Protocol):
    """A layer that has moments: see `bayesnoise.layer.HasMoments`."""

    def moments(self, params: Params, x: Array) -> tuple[Array, Array]: ...


@dataclass(frozen=True)
class BiasedWithMoments(Biased):
    """A biased layer whose two terms are independent and have moments."""

    weight: LayerWithMoments

    def moments(self, params: AffineParams, x: Array) -> tuple[Array, Array]:
        """Exact mean and variance of each output: the two terms are independent."""
        mean, variance = self.weight.moments(params.weight, x)
        bias_mean, bias_variance = self.bias.moments(params.bias, one_per_example(mean))
        return mean + bias_mean, variance + bias_variance


@dataclass(frozen=True)
class Affine(BiasedWithMoments):
    """A biased layer of one map: both terms are stochastic layers."""

    weight: Stochastic
