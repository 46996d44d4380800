"""One way of saying that an array is what the oracle says."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference._typing import Array
from namespaces import Namespace, to_numpy

from bayesnoise import tree


def assert_close(got: Any, want: Any, tolerance: float, namespace: Namespace, size: Any = 0.0) -> None:
    """Every element within `tolerance * (|want| + size)`, with the namespace's dtype and device and the same shape.

    `size` is that of the numbers which a sum or a difference is made of, where it may be larger than the result.
    """
    want = np.asarray(want)
    assert namespace.owns(got)
    assert tuple(got.shape) == want.shape
    bound = tolerance * (np.abs(want) + size)
    error = np.abs(to_numpy(got).astype(np.float64) - want)
    assert np.all(error <= bound), f"largest error {np.max(error / bound) * tolerance}, allowed {tolerance}"


def assert_untouched(arrays: Any, before: Any) -> None:
    """The inputs of a call still hold what they held."""
    for after, original in zip(tree.leaves(arrays), tree.leaves(before), strict=True):
        assert np.array_equal(to_numpy(after), original, equal_nan=True)


def largest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0.0))
