"""What every backend offers: the same few functions, one module each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from bayesnoise._typing import Array, Rng
from bayesnoise.layer import Layer
from bayesnoise.maps.map import Map

NAMES = ("numpy", "cupy", "torch", "jax")

_EXTRAS = {"cupy": ("cuda12", "cuda13"), "torch": ("torch",), "jax": ("jax",)}


class Found(NamedTuple):
    """A backend as it is on this machine."""

    name: str
    version: str | None  # None where it cannot be imported
    devices: tuple[str, ...]
    problem: str | None  # one sentence, with what to do


class Backend(Protocol):
    """The functions of `bayesnoise_backends.numpy`, `.cupy`, `.torch` and `.jax`."""

    def version(self) -> str: ...

    def devices(self) -> tuple[str, ...]: ...

    def rng(self, seed: int, like: Array | None = None) -> Rng:
        """A source of random arrays from a non-negative integer."""
        ...

    def asarray(self, host_array: Any, dtype: str | None = "float32", device: Any = None) -> Array:
        """A copy of a host array; real numbers take `dtype` (None: their own), integers and booleans keep theirs."""
        ...

    def to_host(self, x: Array) -> Any:
        """The array as one of NumPy, in shared memory where that is possible."""
        ...

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled where the backend has a compiler for it."""
        ...

    def native(self, map: Map) -> Map:
        """The backend's own map in the place of a portable one, or the map itself."""
        ...

    def accelerate(self, layer: Layer) -> Layer:
        """A layer with the same methods and the same numbers to rounding, as fast as the backend makes it."""
        ...

    def differentiable(self, layer: Layer) -> Any:
        """The layer for the backend's automatic differentiation; TypeError where there is none."""
        ...


def install(name: str) -> str:
    """How to install a backend."""
    return " or ".join(f'pip install "bayesnoise[{extra}]"' for extra in _EXTRAS.get(name, ()))
