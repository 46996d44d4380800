"""A dense layer for one example: `y_o = sum_i x_i w_io`, one product at a time."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def output(x: Array, w: Array) -> Array:
    """`(..., i), (i, o) -> (..., o)`; every leading index is a position that uses the same weights."""
    inputs, outputs = w.shape
    y = np.zeros((*x.shape[:-1], outputs), dtype=np.result_type(x, w))
    for position in np.ndindex(x.shape[:-1]):
        for o in range(outputs):
            for i in range(inputs):
                y[(*position, o)] += x[(*position, i)] * w[i, o]
    return y


def sign_pattern(sign_in: Array, sign_out: Array) -> Array:
    """The sign on every weight: `E_io = r_i s_o`."""
    return np.outer(sign_in, sign_out)
