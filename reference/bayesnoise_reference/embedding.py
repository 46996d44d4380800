"""An embedding for one example: the product of the one-hot vector of each integer with the weights, written out."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def output(x: Array, w: Array) -> Array:
    """`(...), (rows, o) -> (..., o)`; `x` holds integers, and every index is a position that uses the same weights."""
    rows, outputs = w.shape
    x = np.asarray(x)
    y = np.zeros((*x.shape, outputs), dtype=w.dtype)
    for position in np.ndindex(x.shape):
        hot = [1.0 if v == x[position] else 0.0 for v in range(rows)]
        for o in range(outputs):
            for v in range(rows):
                y[(*position, o)] += hot[v] * w[v, o]
    return y
