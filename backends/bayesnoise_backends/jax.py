"""JAX. Everything here may be called inside a jit, and what `accelerate` returns is jitted already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from bayesnoise._typing import Array, Shape
from bayesnoise.layer import Layer
from bayesnoise.maps.map import Map
from bayesnoise_backends._seed import Seed
from bayesnoise_backends.jax_layers import Differentiable, Jitted, jitted

__all__ = [
    "Differentiable",
    "JaxRng",
    "Jitted",
    "accelerate",
    "asarray",
    "compile",
    "devices",
    "differentiable",
    "native",
    "rng",
    "to_host",
    "version",
]


@dataclass(frozen=True)
class JaxRng:
    """A JAX key: each source is for one draw or one split. It is a pytree, and passes through jit."""

    key: Array

    def _place(self, draw: Array, like: Array) -> Array:
        if isinstance(like, Tracer) or len(like.devices()) > 1 or like.devices() == draw.devices():
            return draw
        return jax.device_put(draw, next(iter(like.devices())))

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return self._place(jax.random.normal(self.key, tuple(shape), like.dtype), like)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        return self._place(jax.random.uniform(self.key, tuple(shape), like.dtype), like)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        return self._place(jax.random.rademacher(self.key, tuple(shape), like.dtype), like)

    def split(self, n: int) -> tuple[JaxRng, ...]:
        return tuple(JaxRng(key) for key in jax.random.split(self.key, n))


jax.tree_util.register_dataclass(JaxRng, data_fields=["key"], meta_fields=[])


def version() -> str:
    return str(jax.__version__)


def devices() -> tuple[str, ...]:
    return tuple(f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices())


def rng(seed: int, like: Array | None = None) -> JaxRng:
    """A source of random arrays from a seed, a non-negative integer of any size, whether or not 64 bits are enabled."""
    return JaxRng(jax.random.wrap_key_data(jnp.asarray(Seed(seed).words(2)), impl="threefry2x32"))


def _device(name: str) -> Any:
    platform, _, index = name.partition(":")
    return jax.devices(platform)[int(index or 0)]


def asarray(host_array: Any, dtype: str | None = "float32", device: Any = None) -> Array:
    """A copy of a host array; real numbers take `dtype` (None: their own), integers and booleans keep theirs."""
    host = np.array(host_array)
    real = np.issubdtype(host.dtype, np.floating)
    dtype = (dtype or str(host.dtype)) if real else str(host.dtype)
    if dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise TypeError(
            "dtype is 'float64', which JAX turns into float32 here: ask for 'float32', "
            'or call jax.config.update("jax_enable_x64", True) first'
        )
    array = jnp.asarray(host, dtype=jnp.dtype(dtype) if real else None)
    return array if device is None else jax.device_put(array, _device(device) if isinstance(device, str) else device)


def to_host(x: Array) -> Any:
    """A NumPy array of the same numbers, read-only where it shares their memory; bfloat16 comes as float32."""
    return np.asarray(x.astype(jnp.float32) if x.dtype == jnp.bfloat16 else x)


def compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.jit` of the function."""
    compiled: Callable[..., Any] = jax.jit(function)
    return compiled


def native(map: Map) -> Map:
    """The map itself: XLA compiles the portable convolutions."""
    return map


def accelerate(layer: Layer) -> Jitted:
    """The same layer with every method jitted."""
    return jitted(layer)


def differentiable(layer: Layer) -> Differentiable:
    """The layer as functions that `jax.grad` differentiates, by the layer's own backward rule."""
    return Differentiable(layer)
