"""The array namespaces that every contract test runs on, as one list of records; those of a GPU where there is one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat.numpy
import array_api_compat.torch
import array_api_strict
import jax
import numpy as np
import torch
from array_api_compat import device

jax.config.update("jax_enable_x64", True)
array_api_strict.set_array_api_strict_flags(api_version="2024.12")


@dataclass(frozen=True)
class Namespace:
    """A way to make arrays, and to run a function of arrays: on JAX, under jit."""

    name: str
    xp: Any
    dtype: Any
    device: Any = None
    read_only: bool = False
    jit: bool = False

    @property
    def eps(self) -> float:
        """The unit round-off of the dtype."""
        return float(np.finfo(np.dtype(str(self.dtype).rsplit(".", 1)[-1])).eps)

    @property
    def double(self) -> bool:
        return self.eps < 1e-12

    def asarray(self, x: Any) -> Any:
        """`x` as an array of this namespace; float64 input becomes the namespace's dtype, integers stay."""
        host = np.array(x)
        if not np.issubdtype(host.dtype, np.floating):
            return self.xp.asarray(host, device=self.device)
        array = self.xp.asarray(host.astype(str(self.dtype).rsplit(".", 1)[-1]), dtype=self.dtype, device=self.device)
        if self.read_only:
            array.flags.writeable = False
        return array

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """`function(*args)`, jitted where the namespace compiles."""
        return jax.jit(function)(*args) if self.jit else function(*args)

    def shaped(self, function: Callable[..., Any], *args: Any) -> Any:
        """The same where shapes are all that is asked: only traced where the namespace compiles."""
        return jax.eval_shape(function, *args) if self.jit else function(*args)

    def owns(self, x: Any) -> bool:
        """Whether `x` has this namespace's dtype and device."""
        return x.dtype == self.dtype and (self.device is None or device(x) == self.device)


def to_numpy(x: Any) -> Any:
    """A host copy of an array of any namespace, in its own precision."""
    if isinstance(x, torch.Tensor):
        return x.detach().cpu().numpy()
    if hasattr(x, "get"):  # CuPy
        return x.get()
    if hasattr(x, "_array"):  # array-api-strict keeps its NumPy array here; np.asarray refuses its other devices
        return np.array(x._array)
    return np.array(x)


def _strict(kind: str) -> Namespace:
    xp = array_api_strict
    name = f"strict-{kind}"
    dtype = xp.float64 if kind in ("cpu", "device2") else xp.float32
    return Namespace(name, xp, dtype, xp.Device("CPU_DEVICE" if kind == "cpu" else kind))


NUMPY64 = Namespace("numpy-float64", array_api_compat.numpy, np.dtype("float64"))

NAMESPACES = [
    NUMPY64,
    Namespace("numpy-float32", array_api_compat.numpy, np.dtype("float32")),
    Namespace("numpy-readonly", array_api_compat.numpy, np.dtype("float64"), read_only=True),
    _strict("cpu"),
    _strict("device2"),
    _strict("no_float64"),
    _strict("no_x64"),
    Namespace("torch-float32", array_api_compat.torch, torch.float32),
    Namespace("torch-float64", array_api_compat.torch, torch.float64),
    Namespace("jax-float32", jax.numpy, np.dtype("float32"), jit=True),
    Namespace("jax-float64", jax.numpy, np.dtype("float64"), jit=True),
]


def _cupy(dtype: str) -> Namespace:
    import array_api_compat.cupy
    import cupy

    return Namespace(f"cupy-{dtype}", array_api_compat.cupy, np.dtype(dtype), cupy.cuda.Device(0))


def _torch_cuda(dtype: str) -> Namespace:
    return Namespace(
        f"torch-cuda-{dtype}", array_api_compat.torch, getattr(torch, dtype), torch.empty((), device="cuda").device
    )


GPU_NAMESPACES: dict[str, Callable[[], Namespace]] = {
    "cupy-float64": lambda: _cupy("float64"),
    "cupy-float32": lambda: _cupy("float32"),
    "torch-cuda-float64": lambda: _torch_cuda("float64"),
    "torch-cuda-float32": lambda: _torch_cuda("float32"),
}


def why_no_gpu(name: str) -> str | None:
    """Why a namespace of a GPU cannot be made here; None if it can."""
    if name.startswith("torch"):
        return None if torch.cuda.is_available() else "torch sees no CUDA device"
    if importlib.util.find_spec("cupy") is None:
        return 'CuPy is not installed: pip install "bayesnoise[cuda12]" on a machine with a CUDA device'
    import cupy

    return None if cupy.cuda.is_available() else "CuPy sees no CUDA device"
