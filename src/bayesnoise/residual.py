"""A layer beside the identity: `y = x + layer(x)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bayesnoise import layer as _layer
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.layer import Layer


class ResidualParams(NamedTuple):
    layer: Params


@dataclass(frozen=True)
class Residual:
    """The sum of the input and of a layer's output; ValueError if the layer changes the shape."""

    layer: Layer

    @property
    def parts(self) -> tuple[tuple[str, Layer], ...]:
        return (("layer", self.layer),)

    def output_shape(self, x_shape: Shape) -> Shape:
        y_shape = self.layer.output_shape(x_shape)
        if tuple(y_shape) != tuple(x_shape):
            raise ValueError(f"x has shape {tuple(x_shape)} and its layer gives {tuple(y_shape)}: a sum needs the same")
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> ResidualParams:
        return ResidualParams(self.layer.init(rng, like=like))

    def draw(self, rng: Rng, params: ResidualParams, x_shape: Shape, *, like: Array) -> Noise:
        return self.layer.draw(rng, params.layer, x_shape, like=like)

    def forward(self, params: ResidualParams, noise: Noise, x: Array) -> tuple[Array, Residuals]:
        self.output_shape(x.shape)
        y, residuals = self.layer.forward(params.layer, noise, x)
        return x + y, residuals

    def _beside(self, grad_y: Array, grad_x: Array | None, grad: Params) -> tuple[Array | None, ResidualParams]:
        """The gradients of the sum from those of the layer."""
        return (None if grad_x is None else grad_y + grad_x), ResidualParams(grad)

    def backward(
        self, residuals: Residuals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, ResidualParams]:
        return self._beside(grad_y, *self.layer.backward(residuals, grad_y, input_grad=input_grad))

    def example_kl(self, residuals: Residuals) -> Array:
        """That of the layer."""
        return _layer.example_kl(self.layer, residuals)

    def backward_with_kl(
        self, residuals: Residuals, grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, ResidualParams]:
        inner = _layer.backward_with_kl(self.layer, residuals, grad_y, weights, input_grad=input_grad)
        return self._beside(grad_y, *inner)

    def predict(self, params: ResidualParams, x: Array) -> Array:
        self.output_shape(x.shape)
        return x + self.layer.predict(params.layer, x)

    def kl(self, params: ResidualParams, noise: Noise | None = None) -> Array:
        return self.layer.kl(params.layer, noise)

    def kl_grad(self, params: ResidualParams, noise: Noise | None = None) -> ResidualParams:
        return ResidualParams(self.layer.kl_grad(params.layer, noise))

    def absorb(self, params: ResidualParams, residuals: Residuals, share: float | None = None) -> ResidualParams:
        """The parameters with the statistics that the layer keeps brought up to date."""
        return ResidualParams(_layer.absorb(self.layer, params.layer, residuals, share))

    def frozen(self) -> Residual:
        """The sum with the layer as it predicts."""
        return Residual(_layer.frozen(self.layer))
