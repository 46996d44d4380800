"""A bias for one example: the same number at every position of an output."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def output(x: Array, b: Array, axis: int) -> Array:
    """`(1, ..., 1), (o,) -> (o, 1, ...)` for `axis=0` (channels first) or `(1, ..., o)` for `axis=-1`.

    `x` is the number that multiplies the bias, one an example.
    """
    shape = list(x.shape)
    shape[axis] = b.shape[0]
    y = np.zeros(shape, dtype=np.result_type(x, b))
    for o in range(b.shape[0]):
        np.moveaxis(y, axis, 0)[o] = x.reshape(()) * b[o]
    return y


def sign_pattern(sign_in: Array, sign_out: Array) -> Array:
    """The sign on every bias: that of the example times that of the output."""
    return np.array([sign_in.reshape(()) * s for s in sign_out.ravel()])
