"""Layers one after the other: again a layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from bayesnoise import layer as _layer
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.layer import Layer

Backward: TypeAlias = Callable[..., tuple[Array | None, Any]]  # of (layer, residuals, grad_y, input_grad=...)


def _ordinary(layer: Layer, residuals: Any, grad_y: Array, *, input_grad: bool) -> tuple[Array | None, Any]:
    return layer.backward(residuals, grad_y, input_grad=input_grad)


@dataclass(frozen=True)
class Chain:
    """`y = layers[-1](... layers[0](x))`. Parameters, noise and residuals are tuples with one entry a layer."""

    layers: tuple[Layer, ...]

    @property
    def parts(self) -> tuple[tuple[str, Layer], ...]:
        return tuple((str(i), layer) for i, layer in enumerate(self.layers))

    def output_shape(self, x_shape: Shape) -> Shape:
        for layer in self.layers:
            x_shape = layer.output_shape(x_shape)
        return x_shape

    def init(self, rng: Rng, *, like: Array) -> tuple[Any, ...]:
        rngs = rng.split(len(self.layers))
        return tuple(layer.init(r, like=like) for layer, r in zip(self.layers, rngs, strict=True))

    def draw(self, rng: Rng, params: tuple[Any, ...], x_shape: Shape, *, like: Array) -> tuple[Any, ...]:
        noise = []
        for layer, p, r in zip(self.layers, params, rng.split(len(self.layers)), strict=True):
            noise.append(layer.draw(r, p, x_shape, like=like))
            x_shape = layer.output_shape(x_shape)
        return tuple(noise)

    def forward(self, params: tuple[Any, ...], noise: tuple[Any, ...], x: Array) -> tuple[Array, tuple[Any, ...]]:
        residuals = []
        for layer, p, n in zip(self.layers, params, noise, strict=True):
            x, r = layer.forward(p, n, x)
            residuals.append(r)
        return x, tuple(residuals)

    def _backward(self, backward: Backward, residuals: tuple[Any, ...], grad: Array | None, input_grad: bool) -> Any:
        """The layers' own rules from the last to the first."""
        grads: list[Any] = []
        for i, (layer, r) in reversed(list(enumerate(zip(self.layers, residuals, strict=True)))):
            grad, grad_params = backward(layer, r, grad, input_grad=input_grad or i > 0)
            grads.append(grad_params)
        return grad, tuple(reversed(grads))

    def backward(
        self, residuals: tuple[Any, ...], grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, tuple[Any, ...]]:
        grad_x, grads = self._backward(_ordinary, residuals, grad_y, input_grad)
        return grad_x, grads

    def example_kl(self, residuals: tuple[Any, ...]) -> Array:
        """The sum over the layers that have a divergence an example."""
        return sum(_layer.example_kl(layer, r) for layer, r in zip(self.layers, residuals, strict=True))

    def backward_with_kl(
        self, residuals: tuple[Any, ...], grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, tuple[Any, ...]]:
        grad_x, grads = self._backward(partial(_layer.backward_with_kl, weights=weights), residuals, grad_y, input_grad)
        return grad_x, grads

    def predict(self, params: tuple[Any, ...], x: Array) -> Array:
        for layer, p in zip(self.layers, params, strict=True):
            x = layer.predict(p, x)
        return x

    def kl(self, params: tuple[Any, ...], noise: tuple[Any, ...] | None = None) -> Array:
        noise = (None,) * len(self.layers) if noise is None else noise
        return sum(layer.kl(p, n) for layer, p, n in zip(self.layers, params, noise, strict=True))

    def kl_grad(self, params: tuple[Any, ...], noise: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        noise = (None,) * len(self.layers) if noise is None else noise
        return tuple(layer.kl_grad(p, n) for layer, p, n in zip(self.layers, params, noise, strict=True))

    def absorb(
        self, params: tuple[Any, ...], residuals: tuple[Any, ...], share: float | None = None
    ) -> tuple[Any, ...]:
        """The parameters with the statistics that the layers keep brought up to date."""
        return tuple(_layer.absorb(*parts, share) for parts in zip(self.layers, params, residuals, strict=True))

    def frozen(self) -> Chain:
        """The chain of the layers as they predict."""
        return Chain(tuple(_layer.frozen(layer) for layer in self.layers))


def chain(*layers: Layer) -> Chain:
    """The composition of layers, first to last. ValueError if there is none, TypeError for what is no layer."""
    if not layers:
        raise ValueError("layers is empty, expected at least one layer")
    for i, layer in enumerate(layers):
        if not callable(getattr(layer, "forward", None)) or isinstance(layer, type):
            raise TypeError(f"layers[{i}] is {layer!r}, expected a layer")
    return Chain(layers)
