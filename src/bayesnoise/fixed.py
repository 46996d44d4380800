"""A layer without parameters and without noise: activations, pooling, reshaping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bayesnoise import _checks
from bayesnoise._typing import Array, Residuals, Rng, Shape
from bayesnoise.layer import Empty


class Operation(Protocol):
    """A function of one array, with its backward rule."""

    def output_shape(self, x_shape: Shape) -> Shape: ...

    def forward(self, x: Array) -> tuple[Array, Residuals]: ...

    def backward(self, residuals: Residuals, grad_y: Array) -> Array: ...


@dataclass(frozen=True)
class Fixed:
    """An operation seen as a layer."""

    operation: Operation

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.operation.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Empty:
        return Empty()

    def draw(self, rng: Rng, params: Empty, x_shape: Shape, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: Empty, noise: Empty, x: Array) -> tuple[Array, Residuals]:
        _checks.floating("x", x)
        self.operation.output_shape(x.shape)
        return self.operation.forward(x)

    def backward(self, residuals: Residuals, grad_y: Array, *, input_grad: bool = True) -> tuple[Array | None, Empty]:
        return (self.operation.backward(residuals, grad_y) if input_grad else None), Empty()

    def predict(self, params: Empty, x: Array) -> Array:
        return self.forward(params, Empty(), x)[0]

    def kl(self, params: Empty, noise: Empty | None = None) -> Array:
        return 0.0

    def kl_grad(self, params: Empty, noise: Empty | None = None) -> Empty:
        return Empty()
