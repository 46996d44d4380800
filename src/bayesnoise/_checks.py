"""Checks at the public edge: one sentence that names the argument, what came and what was expected."""

from __future__ import annotations

import math
from difflib import get_close_matches
from numbers import Real
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj

from bayesnoise import tree
from bayesnoise._typing import Array, Shape


def floating(name: str, x: Array) -> None:
    """Raise TypeError unless `x` is an array of real floating-point numbers."""
    if not _is_array(x):
        raise TypeError(
            f"{name} is a {type(x).__name__}, expected an array of NumPy, CuPy, torch, JAX or the array API"
        )
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise TypeError(f"{name} has dtype {x.dtype}, expected real floating point: convert it, for example to float32")


def same_backend(name: str, x: Array, other_name: str, other: Array) -> None:
    """Raise TypeError unless the two arrays share their namespace."""
    try:
        array_namespace(x, other)
    except TypeError:
        raise TypeError(
            f"{name} is a {type(x).__module__}.{type(x).__name__} and {other_name} a "
            f"{type(other).__module__}.{type(other).__name__}: all arrays of one call must come from one backend"
        ) from None


def same_kind(name: str, x: Array, other_name: str, other: Array) -> None:
    """Raise TypeError unless the two arrays share their namespace and dtype."""
    same_backend(name, x, other_name, other)
    if x.dtype != other.dtype:
        raise TypeError(f"{name} has dtype {x.dtype} and {other_name} {other.dtype}: all arrays of one call must agree")


def layer_input(x: Array, params: Any) -> None:
    """Raise TypeError unless `x` is real floating point, of the backend and dtype of the parameters."""
    floating("x", x)
    leaf = tree.first_leaf(params)
    if leaf is not None:
        same_kind("x", x, "params", leaf)


def shape(name: str, x: Array, expected: Shape) -> None:
    """Raise ValueError unless `x` has exactly the expected shape."""
    if tuple(x.shape) != tuple(expected):
        raise ValueError(f"{name} has shape {tuple(x.shape)}, expected {tuple(expected)}")


def number(name: str, value: Any) -> None:
    """Raise TypeError unless the value is a real number, or an array of one without axes."""
    if _is_array(value):
        if value.ndim:
            raise TypeError(f"{name} is an array of shape {tuple(value.shape)}, expected a number")
    elif not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}, expected a number")


def positive(name: str, value: float) -> None:
    """Raise TypeError for what is no number, ValueError unless the number is finite and above zero."""
    number(name, value)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}, expected a finite number above 0")


def probability(name: str, value: float) -> None:
    """Raise TypeError for what is no number, ValueError unless the number lies in [0, 1)."""
    number(name, value)
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value}, expected a probability in [0, 1)")


def open_probability(name: str, value: float) -> None:
    """Raise TypeError for what is no number, ValueError unless the number lies strictly between 0 and 1."""
    number(name, value)
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}, expected a probability strictly between 0 and 1")


def positive_integer(name: str, value: int) -> None:
    """Raise TypeError or ValueError unless the value is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}, expected an integer")
    if value < 1:
        raise ValueError(f"{name} is {value}, expected at least 1")


def integers(name: str, value: Any) -> None:
    """Raise TypeError unless the value is a tuple or a list of integers."""
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} is {value!r}, expected a tuple of integers")
    if any(isinstance(v, bool) or not isinstance(v, int) for v in value):
        raise TypeError(f"{name} is {value!r}, expected integers")


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError, with the nearest names, unless the value is one of those allowed."""
    if value not in allowed:
        near = get_close_matches(str(value), allowed, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(allowed)}{hint}")


def finite(name: str, value: float) -> None:
    """Raise TypeError for what is no number, ValueError unless the number is finite."""
    number(name, value)
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, expected a finite number")


def not_negative(name: str, value: float) -> None:
    """Raise TypeError for what is no number, ValueError unless the number is finite and at least 0."""
    number(name, value)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value}, expected a finite number of at least 0")


def every(condition: Array) -> bool:
    """Whether every element is True; True as well where the values are not known yet, as under a JAX trace."""
    xp = array_namespace(condition)
    try:
        return bool(xp.all(condition))
    except TypeError:
        return True


def integral(name: str, x: Array) -> None:
    """Raise TypeError unless `x` is an array of integers."""
    if not _is_array(x):
        raise TypeError(f"{name} is a {type(x).__name__}, expected an array of integers")
    if not array_namespace(x).isdtype(x.dtype, "integral"):
        raise TypeError(f"{name} has dtype {x.dtype}, expected integers: convert it, for example to int64")


def _is_array(x: Any) -> bool:
    """As a plain bool, which narrows no type: an array of any namespace is an Any here."""
    return bool(is_array_api_obj(x))


def noise(given: Any, shapes: Any) -> None:
    """Raise ValueError unless each array of the noise has the shape that this call uses."""
    for name, expected in zip(getattr(shapes, "_fields", ()), shapes, strict=True):
        x = getattr(given, name)
        if tuple(x.shape) != tuple(expected):
            raise ValueError(
                f"noise.{name} has shape {tuple(x.shape)}, expected {tuple(expected)} here: draw it with x.shape"
            )
