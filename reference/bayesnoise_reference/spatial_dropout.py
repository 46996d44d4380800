"""Spatial dropout: a channel of an example is there, divided by `1 - rate`, or it is 0 at every position.

Tompson, Goroshin, Jain, LeCun, Bregler 2015, "Efficient Object Localization Using Convolutional Networks" (arXiv
1411.4280).
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import masks


def output(x: Array, kept: Array, rate: float) -> Array:
    """`(n, c, *space)`, and `kept (n, c)` of zeros and ones."""
    y = np.zeros(x.shape, dtype=np.result_type(x, float))
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            if kept[n, c]:
                y[n, c] = x[n, c] / (1.0 - rate)
    return y


def moments(x: Array, rate: float) -> tuple[Array, Array]:
    """Mean and variance of every output, by enumeration of all masks of all channels."""
    mean, square = np.zeros(x.shape), np.zeros(x.shape)
    for kept, probability in zip(*masks(x.shape[0] * x.shape[1], 1.0 - rate), strict=True):
        y = output(x, kept.reshape(x.shape[:2]), rate)
        mean, square = mean + probability * y, square + probability * y**2
    return mean, square - mean**2


def weights(w: Array, kept: Array, rate: float) -> Array:
    """The weights `(o, c, *kernel)` of a convolution that one example sees whose channels `kept (c,)` are there."""
    seen = np.zeros(w.shape, dtype=np.result_type(w, float))
    for c in range(w.shape[1]):
        if kept[c]:
            seen[:, c] = w[:, c] / (1.0 - rate)
    return seen
