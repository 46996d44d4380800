"""Features and targets brought to mean 0 and standard deviation 1, by the statistics of the training rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesnoise import _host
from bayesnoise._host import Floats
from bayesnoise._typing import Array


class Standardizer(NamedTuple):
    """`(x - mean) / scale`, and back."""

    mean: Floats  # (d,), or () for all columns alike
    scale: Floats  # as mean, above 0; 1 for a constant column

    def apply(self, x: Array) -> Floats:
        return np.asarray((np.asarray(x, dtype=np.float64) - self.mean) / self.scale)

    def undo(self, z: Array) -> Floats:
        return np.asarray(np.asarray(z, dtype=np.float64) * self.scale + self.mean)


def standardizer(x: Array, *, together: bool = False) -> Standardizer:
    """The statistics of the rows of `x (n, d)` or `(n,)`, for each column; `together` for all of them (pixels).

    A constant column gets the scale 1, so that it becomes 0. Raises ValueError for what is not finite, and for numbers
    so large that their variance is not.
    """
    host = _host.finite("x", x, (1, 2))
    axis = None if together else 0
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = np.mean(host, axis=axis), np.std(host, axis=axis)
    _host.require("the standard deviation of x", np.asarray(scale), np.isfinite(scale), "a finite one: rescale x")
    constant = np.max(host, axis=axis) == np.min(host, axis=axis)  # the rounded deviation need not be 0
    return Standardizer(np.asarray(mean), np.where(constant | (scale == 0), 1.0, scale))
