"""Numbers of a prior, held in a frozen dataclass: a float, or an array that hashes and compares by its content."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_cupy_array, is_torch_array, to_device

from bayesnoise._typing import Array, Shape


@dataclass(frozen=True)
class ConstantArray:
    """An array by value, of no backend."""

    shape: Shape
    data: bytes  # float64, in C order

    @property
    def host(self) -> Any:
        """A fresh NumPy array of float64."""
        return np.frombuffer(self.data).reshape(self.shape).copy()

    def __repr__(self) -> str:
        host = self.host
        values = f" of {host.min():g} to {host.max():g}" if host.size else ""
        return f"<array of shape {self.shape}{values}>"


Constant: TypeAlias = float | ConstantArray


def _to_host(x: Array) -> Any:
    if is_torch_array(x) or is_cupy_array(x):
        x = to_device(x, "cpu")  # neither copies from a GPU unless told to
    try:
        return np.asarray(x, dtype=np.float64)
    except RuntimeError:
        return np.asarray(np.from_dlpack(x), dtype=np.float64)


def _freeze(host: Any) -> Constant:
    return float(host) if host.ndim == 0 else ConstantArray(host.shape, host.tobytes())


def constant(name: str, value: Any, *, positive: bool) -> Constant:
    """A number or an array of any backend as a constant.

    TypeError unless it is one of them, ValueError for the first element that is not finite, or not above 0 if it must.
    """
    if isinstance(value, ConstantArray):
        return value
    if not (is_array_api_obj(value) or isinstance(value, int | float | np.number)):
        raise TypeError(f"{name} is {value!r}, expected a number or an array")
    host = _to_host(value)
    wrong = np.logical_not(np.isfinite(host) & ((host > 0) | (not positive)))
    if np.any(wrong):
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = f"{name}[{', '.join(map(str, index))}]" if index else name
        expected = "a finite number above 0" if positive else "a finite number"
        raise ValueError(f"{where} is {host[index]}, expected {expected}")
    return _freeze(host)


def log(value: Constant) -> Constant:
    """The logarithm, taken in float64."""
    return _freeze(np.log(value.host)) if isinstance(value, ConstantArray) else math.log(value)


def like(name: str, value: Constant, weights: Array) -> Array:
    """The constant as an array with the namespace, dtype and device of the weights; a float stays a float.

    ValueError unless its shape broadcasts to that of the weights.
    """
    if not isinstance(value, ConstantArray):
        return value
    shape = tuple(weights.shape)
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name} has shape {value.shape}, expected that of the weights, {shape}, or one that broadcasts"
        )
    return array_namespace(weights).asarray(value.host, dtype=weights.dtype, device=device(weights))
