"""Numbers as text that any language reads: shortest decimals that round-trip, and three words for what has no decimals.

A float32 number is written with the fewest digits that name it among float32 numbers, as `0.1`: a reader rounds what it
reads to float32. Hexadecimal floats would be exact, but JavaScript reads them as NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(array: Any, dtype: str) -> dict[str, Any]:
    """`{"shape": [...], "data": [...]}`, the elements in row-major order."""
    rounded = to_dtype(array, dtype)
    return {"shape": list(rounded.shape), "data": [number(x) for x in rounded.ravel()]}


def number(x: np.floating[Any]) -> float | str:
    """One element as JSON holds it: a number, or a word where it is not finite."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return float(str(x))


def to_dtype(array: Any, dtype: str) -> Array:
    """Rounded to "float32" or "float64", without a warning where that overflows."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(array).astype(np.dtype(dtype))


def decode(field: Any, dtype: str) -> Array:
    """The float64 array of a `{"shape", "data"}` record, its elements rounded to their dtype first."""
    values = [WORDS[x] if isinstance(x, str) else float(x) for x in field["data"]]
    return to_dtype(np.array(values, dtype=np.float64), dtype).astype(np.float64).reshape(field["shape"])
