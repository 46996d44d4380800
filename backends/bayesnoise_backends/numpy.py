"""NumPy, and any other array namespace of the host, such as array-api-strict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import array_api_compat
import numpy as np
from array_api_compat import array_namespace, is_numpy_array

from bayesnoise._typing import Array, Shape
from bayesnoise.layer import Layer
from bayesnoise.maps.map import Map
from bayesnoise_backends import _host_draws
from bayesnoise_backends._blocked import Blocked, elementwise
from bayesnoise_backends._rewrite import rewrite
from bayesnoise_backends._seed import Seed
from bayesnoise_backends.host import numpy_dtype


@dataclass(frozen=True)
class NumpyRng:
    """Draws by SFC64 generators, over threads. A function of its seed: each source is for one draw or one split."""

    seed: Seed

    def _draw(self, draw: Callable[[Seed, Shape, Any], Any], shape: Shape, like: Array) -> Array:
        host = draw(self.seed, tuple(shape), numpy_dtype(like))
        if is_numpy_array(like):
            return host
        return array_namespace(like).asarray(host, dtype=like.dtype, device=array_api_compat.device(like))

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return self._draw(_host_draws.normal, shape, like)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        return self._draw(_host_draws.uniform, shape, like)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        return self._draw(_host_draws.rademacher, shape, like)

    def split(self, n: int) -> tuple[NumpyRng, ...]:
        return tuple(NumpyRng(child) for child in self.seed.split(n))


def version() -> str:
    return np.__version__


def devices() -> tuple[str, ...]:
    return ("cpu",)


def rng(seed: int, like: Array | None = None) -> NumpyRng:
    """A source of random arrays from a seed, a non-negative integer."""
    return NumpyRng(Seed(seed))


def asarray(host_array: Any, dtype: str | None = "float32", device: Any = None) -> Array:
    """A copy of a host array; real numbers take `dtype` (None: their own), integers and booleans keep theirs."""
    host = np.array(host_array)
    return host.astype(dtype, copy=False) if dtype is not None and np.issubdtype(host.dtype, np.floating) else host


def to_host(x: Array) -> Any:
    """The array as one of NumPy: itself if it is one."""
    if is_numpy_array(x):
        return x
    xp = array_namespace(x)
    cpu = xp.Device("CPU_DEVICE") if hasattr(xp, "Device") else "cpu"  # array-api-strict has several on the host
    return np.asarray(array_api_compat.to_device(x, cpu))


def compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: NumPy runs as it is written."""
    return function


def native(map: Map) -> Map:
    """The map itself: NumPy has no convolution of its own."""
    return map


def accelerate(layer: Layer) -> Layer:
    """The same layer whose heavy elementwise rules run block by block over threads."""
    return cast(Layer, rewrite(layer, elementwise, Blocked))


def differentiable(layer: Layer) -> NoReturn:
    """NumPy does not differentiate: raises TypeError."""
    raise TypeError(
        f"layer is {layer!r} on NumPy, which does not differentiate: call its backward, or use torch or JAX"
    )
