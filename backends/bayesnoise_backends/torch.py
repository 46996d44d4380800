"""PyTorch, on the CPU and on any device it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch

from bayesnoise._typing import Array
from bayesnoise.layer import Layer
from bayesnoise_backends._rewrite import rewrite
from bayesnoise_backends._seed import Seed
from bayesnoise_backends.torch_autograd import Differentiable, Module
from bayesnoise_backends.torch_maps import NativeConv, NativeConvTranspose, has_native, native
from bayesnoise_backends.torch_random import TorchRng

__all__ = [
    "Differentiable",
    "Module",
    "NativeConv",
    "NativeConvTranspose",
    "TorchRng",
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


def version() -> str:
    return str(torch.__version__)


def devices() -> tuple[str, ...]:
    cuda = tuple(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count()))
    return ("cpu", *cuda, *(("mps",) if torch.backends.mps.is_available() else ()))


def rng(seed: int, like: Array | None = None) -> TorchRng:
    """A source of random arrays from a seed, a non-negative integer."""
    return TorchRng(Seed(seed))


def asarray(host_array: Any, dtype: str | None = "float32", device: Any = None) -> Array:
    """A copy of a host array; real numbers take `dtype` (None: their own), integers and booleans keep theirs."""
    host = np.array(host_array)  # a copy: torch would share its memory
    real = np.issubdtype(host.dtype, np.floating)
    return torch.asarray(host, dtype=getattr(torch, dtype) if real and dtype is not None else None, device=device)


def to_host(x: Array) -> Any:
    """A NumPy array of the same numbers, in shared memory where torch allows it; bfloat16 comes as float32."""
    x = x.detach()
    return (x.float() if x.dtype == torch.bfloat16 else x).cpu().numpy()


def compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: `torch.compile` was twice as slow as plain execution on a CPU."""
    return function


def accelerate(layer: Layer) -> Layer:
    """The same layer with torch's own convolutions in the place of every portable one."""
    return cast(Layer, rewrite(layer, has_native, native))


def differentiable(layer: Layer) -> Differentiable:
    """The layer as functions that `torch.autograd` differentiates, by the layer's own backward rule."""
    return Differentiable(layer)
