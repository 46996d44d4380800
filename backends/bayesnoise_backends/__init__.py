"""What the array API lacks, one file a backend: random numbers, host copies, compilation and bridges to autograd.

A framework is imported when its backend is asked for, or when one of its arrays comes in; never before.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import array_api_compat

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise_backends._backend import NAMES, Backend, Found, install
from bayesnoise_backends.host import HostRng, host_rng

__all__ = [
    "NAMES",
    "Backend",
    "Found",
    "HostRng",
    "available",
    "backend",
    "backend_of",
    "from_host",
    "host_rng",
    "rng",
    "to_host",
]


def backend(name: str) -> Backend:
    """The backend of that name: "numpy", "cupy", "torch" or "jax".

    Raises ValueError for another name, and ImportError, with the command that installs it, where it is missing.
    """
    _checks.one_of("name", name, NAMES)
    try:
        return cast(Backend, import_module(f"bayesnoise_backends.{name}"))
    except ImportError as error:
        raise ImportError(f"backend is {name!r}, which cannot be imported ({error}): {install(name)}") from error


def backend_of(x: Array) -> Backend:
    """The backend that an array belongs to; that of NumPy for the namespaces of the host."""
    if array_api_compat.is_torch_array(x):
        return backend("torch")
    if array_api_compat.is_cupy_array(x):
        return backend("cupy")
    if array_api_compat.is_jax_array(x):
        return backend("jax")
    if not array_api_compat.is_array_api_obj(x):
        raise TypeError(f"array is a {type(x).__name__}, expected one of NumPy, CuPy, torch, JAX or the array API")
    return backend("numpy")


def rng(seed: int, *, like: Array) -> Rng:
    """The source of random arrays that fits an array, from a seed: any non-negative integer.

    TypeError for a seed that is no integer, ValueError for one below 0.
    """
    return backend_of(like).rng(seed, like)


def to_host(x: Array) -> Any:
    """The array as one of NumPy. It may share memory: do not write to it."""
    return backend_of(x).to_host(x)


def from_host(array: Any, *, like: Array) -> Array:
    """A copy of a host array with the namespace and device of `like`; real numbers take its dtype."""
    dtype = str(like.dtype).rsplit(".", 1)[-1]
    host = backend("numpy").asarray(array, dtype=None)
    device = array_api_compat.device(like)
    owner = backend_of(like)
    if owner is backend("numpy") and not array_api_compat.is_numpy_array(like):
        return array_api_compat.array_namespace(like).asarray(owner.asarray(host, dtype), device=device)
    return owner.asarray(host, dtype, device)


def available() -> tuple[Found, ...]:
    """Each backend, whether it can be imported here, its version and devices. This imports all that can be."""
    return tuple(_find(name) for name in NAMES)


def _find(name: str) -> Found:
    try:
        module = backend(name)
    except ImportError as error:
        return Found(name, None, (), str(error))
    try:
        return Found(name, module.version(), module.devices(), None)
    except RuntimeError as error:  # imported, but its device or driver is missing
        return Found(name, module.version(), (), f"{name} is installed but finds no device: {error}")
