"""Checks of what a test is given: one sentence that names the argument, what came and what was expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array


def sample(name: str, values: Any, at_least: int = 1) -> Array:
    """The finite float64 numbers of an array-like, `(any shape) -> (n,)`. Raises ValueError otherwise."""
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    if flat.size < at_least:
        raise ValueError(f"{name} has {flat.size} values, expected at least {at_least}")
    bad = int(np.sum(~np.isfinite(flat)))
    if bad:
        raise ValueError(f"{name} has {bad} values of {flat.size} that are NaN or infinite, expected finite numbers")
    return flat


def level(alpha: float) -> None:
    """Raise ValueError unless alpha lies between 0 and 1."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}, expected a probability of error above 0 and below 1")


def positive(name: str, value: float) -> None:
    """Raise ValueError unless the number is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}, expected a finite number above 0")


def finite(name: str, value: float) -> None:
    """Raise ValueError unless the number is finite."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, expected a finite number")


def probability(name: str, value: float) -> None:
    """Raise ValueError unless the number lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, expected a probability in [0, 1]")
