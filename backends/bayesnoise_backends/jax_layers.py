"""Layers under `jax.jit` and under `jax.grad`.

A layer is hashable, so that it is a static argument: equal layers share one compiled function.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from bayesnoise import layer as _layer
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.composite import independent_examples
from bayesnoise.layer import HasMoments, HasStatistics, Layer
from bayesnoise_backends._jax_static import freeze, thaw


def _init(layer: Layer, rng: Rng, like: Array) -> Params:
    return layer.init(rng, like=like)


def _draw(layer: Layer, x_shape: Shape, rng: Rng, params: Params, like: Array) -> Noise:
    return layer.draw(rng, params, x_shape, like=like)


def _forward(layer: Layer, params: Params, noise: Noise, x: Array) -> tuple[Array, Residuals]:
    y, residuals = layer.forward(params, noise, x)
    return y, freeze(residuals)


def _backward(layer: Layer, input_grad: bool, residuals: Residuals, grad_y: Array) -> tuple[Array | None, Params]:
    return layer.backward(thaw(residuals), grad_y, input_grad=input_grad)


def _example_kl(layer: Layer, residuals: Residuals) -> Array:
    return jax.numpy.asarray(_layer.example_kl(layer, thaw(residuals)))


def _backward_with_kl(
    layer: Layer, input_grad: bool, residuals: Residuals, grad_y: Array, weights: Array
) -> tuple[Array | None, Params]:
    return _layer.backward_with_kl(layer, thaw(residuals), grad_y, weights, input_grad=input_grad)


def _absorb(layer: Layer, params: Params, residuals: Residuals, share: float | None) -> Params:
    return _layer.absorb(layer, params, thaw(residuals), share)


_init_jit = jax.jit(_init, static_argnums=0)
_draw_jit = jax.jit(_draw, static_argnums=(0, 1))
_forward_jit = jax.jit(_forward, static_argnums=0)
_backward_jit = jax.jit(_backward, static_argnums=(0, 1))
_example_kl_jit = jax.jit(_example_kl, static_argnums=0)
_backward_with_kl_jit = jax.jit(_backward_with_kl, static_argnums=(0, 1))
_absorb_jit = jax.jit(_absorb, static_argnums=0)
_predict_jit = jax.jit(lambda layer, params, x: layer.predict(params, x), static_argnums=0)
_moments_jit = jax.jit(lambda layer, params, x: layer.moments(params, x), static_argnums=0)
_kl_jit = jax.jit(lambda layer, params, noise: layer.kl(params, noise), static_argnums=0)
_kl_grad_jit = jax.jit(lambda layer, params, noise: layer.kl_grad(params, noise), static_argnums=0)


@dataclass(frozen=True)
class Jitted:
    """A layer whose methods are compiled, each for the shapes it meets. Residuals pass from forward to backward."""

    layer: Layer

    @property
    def plain(self) -> Layer:
        """The layer that is compiled."""
        return self.layer

    @property
    def independent_examples(self) -> bool:
        return independent_examples(self.layer)

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.layer.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Params:
        return _init_jit(self.layer, rng, like)

    def draw(self, rng: Rng, params: Params, x_shape: Shape, *, like: Array) -> Noise:
        return _draw_jit(self.layer, tuple(x_shape), rng, params, like)

    def forward(self, params: Params, noise: Noise, x: Array) -> tuple[Array, Residuals]:
        y, residuals = _forward_jit(self.layer, params, noise, x)
        return y, residuals

    def backward(self, residuals: Residuals, grad_y: Array, *, input_grad: bool = True) -> tuple[Array | None, Params]:
        grad_x, grads = _backward_jit(self.layer, input_grad, residuals, grad_y)
        return grad_x, grads

    def example_kl(self, residuals: Residuals) -> Array:
        return _example_kl_jit(self.layer, residuals)

    def backward_with_kl(
        self, residuals: Residuals, grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        grad_x, grads = _backward_with_kl_jit(self.layer, input_grad, residuals, grad_y, weights)
        return grad_x, grads

    def predict(self, params: Params, x: Array) -> Array:
        return _predict_jit(self.layer, params, x)

    def kl(self, params: Params, noise: Noise | None = None) -> Array:
        return _kl_jit(self.layer, params, noise)

    def kl_grad(self, params: Params, noise: Noise | None = None) -> Params:
        return _kl_grad_jit(self.layer, params, noise)


class _JittedMoments(Jitted):
    def moments(self, params: Params, x: Array) -> tuple[Array, Array]:
        mean, variance = _moments_jit(self.layer, params, x)
        return mean, variance


class _JittedStatistics(Jitted):
    def absorb(self, params: Params, residuals: Residuals, share: float | None = None) -> Params:
        return _absorb_jit(self.layer, params, residuals, share)

    def frozen(self) -> Jitted:
        return jitted(_layer.frozen(self.layer))


class _JittedBoth(_JittedMoments, _JittedStatistics):
    pass


def jitted(layer: Layer) -> Jitted:
    """The layer jitted, with `moments` and with statistics where it has them."""
    if isinstance(layer, HasStatistics):
        return _JittedBoth(layer) if isinstance(layer, HasMoments) else _JittedStatistics(layer)
    return _JittedMoments(layer) if isinstance(layer, HasMoments) else Jitted(layer)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _output(layer: Layer, params: Params, noise: Noise, x: Array) -> Array:
    return layer.forward(params, noise, x)[0]


def _output_backward(layer: Layer, residuals: Residuals, grad_y: Array) -> tuple[Params, None, Array | None]:
    grad_x, grads = layer.backward(thaw(residuals), grad_y)
    return grads, None, grad_x


_output.defvjp(_forward, _output_backward)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _divergence(layer: Layer, params: Params, noise: Noise | None) -> Array:
    return jax.numpy.asarray(layer.kl(params, noise))


def _divergence_forward(layer: Layer, params: Params, noise: Noise | None) -> tuple[Array, Any]:
    return jax.numpy.asarray(layer.kl(params, noise)), (params, noise)


def _divergence_backward(layer: Layer, residuals: Any, grad: Array) -> tuple[Params, None]:
    return jax.tree.map(lambda leaf: grad * leaf, layer.kl_grad(*residuals)), None


_divergence.defvjp(_divergence_forward, _divergence_backward)


@dataclass(frozen=True)
class Differentiable:
    """A layer as two functions for `jax.grad`. The noise is a constant to both."""

    layer: Layer

    def __call__(self, params: Params, noise: Noise, x: Array) -> Array:
        """The output, differentiable once, in reverse mode, by every array of `params` and by `x`."""
        return _output(self.layer, params, noise, x)

    def kl(self, params: Params, noise: Noise | None = None) -> Array:
        """The divergence, shape (), differentiable once by every array of `params`."""
        return _divergence(self.layer, params, noise)
