"""CuPy: NumPy's functions on a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, NoReturn

import cupy
import numpy as np

from bayesnoise._typing import Array, Shape
from bayesnoise.layer import Layer
from bayesnoise.maps.map import Map
from bayesnoise_backends import _cuda_random
from bayesnoise_backends._seed import Seed


@lru_cache
def _module() -> Any:
    """The kernels, which CuPy compiles for a device at their first use on it."""
    return cupy.RawModule(code=_cuda_random.SOURCE)


@dataclass(frozen=True)
class CupyRng:
    """Draws by Philox on the device of `like`. A function of its seed: each source is for one draw or one split."""

    seed: Seed

    def _draw(self, name: str, shape: Shape, like: Array) -> Array:
        dtype = "float64" if like.dtype == np.float64 else "float32"
        with like.device:
            out = cupy.empty(tuple(shape), dtype=dtype)
            n = prod(out.shape)
            if n > 0:
                blocks = -(-n // (_cuda_random.PER_THREAD[dtype] * _cuda_random.THREADS))
                kernel = _module().get_function(f"{name}_{dtype}")
                kernel((blocks,), (_cuda_random.THREADS,), (out, np.uint64(n), *self.seed.words(4)))
            return out

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return self._draw("normal", shape, like).astype(like.dtype, copy=False)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        draw = self._draw("uniform", shape, like)
        if like.dtype == np.float16:  # 11 bits, which rounding leaves below 1
            draw = cupy.floor(draw * 2048.0) / 2048.0
        return draw.astype(like.dtype, copy=False)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        return self._draw("rademacher", shape, like).astype(like.dtype, copy=False)

    def split(self, n: int) -> tuple[CupyRng, ...]:
        return tuple(CupyRng(child) for child in self.seed.split(n))


def version() -> str:
    return str(cupy.__version__)


def devices() -> tuple[str, ...]:
    """The CUDA devices; RuntimeError of CuPy where there is no driver."""
    runtime = cupy.cuda.runtime
    names = (runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount()))
    return tuple(f"cuda:{i} {name}" for i, name in enumerate(names))


def rng(seed: int, like: Array | None = None) -> CupyRng:
    """A source of random arrays from a seed, a non-negative integer."""
    return CupyRng(Seed(seed))


def _device(device: Any) -> Any:
    """A device from itself, its number, its name such as "cuda:1", or None for the current one."""
    if isinstance(device, str):
        device = int(device.partition(":")[2] or 0)
    return cupy.cuda.Device(device) if device is None or isinstance(device, int) else device


def asarray(host_array: Any, dtype: str | None = "float32", device: Any = None) -> Array:
    """A copy of a host array; real numbers take `dtype` (None: their own), integers and booleans keep theirs."""
    host = np.asarray(host_array)
    real = np.issubdtype(host.dtype, np.floating)
    with _device(device):
        return cupy.asarray(host.astype(dtype, copy=False) if real and dtype is not None else host)


def to_host(x: Array) -> Any:
    """A copy as an array of NumPy."""
    return cupy.asnumpy(x)


def compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: `cupy.fuse` cannot trace one that asks its arguments for their namespace."""
    return function


def native(map: Map) -> Map:
    """The map itself: CuPy 14 has no cuDNN, and the portable convolution is a gather and a matrix product."""
    return map


def accelerate(layer: Layer) -> Layer:
    """The layer itself: its rules run as they are written, one kernel an operation."""
    return layer


def differentiable(layer: Layer) -> NoReturn:
    """CuPy does not differentiate: raises TypeError."""
    raise TypeError(f"layer is {layer!r} on CuPy, which does not differentiate: call its backward, or use torch or JAX")
