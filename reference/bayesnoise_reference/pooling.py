"""Pooling of one channel of one example, window by window, over any number of spatial dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array

Sizes = tuple[int, ...]


def windows(space: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes) -> Iterator[tuple[Sizes, list[Sizes]]]:
    """Each place of the window that fits into the padded input, with the input positions that it covers."""
    axes = range(len(space))
    counts = []
    for a in axes:
        count = 0
        while count * stride[a] + kernel[a] <= space[a] + 2 * padding[a]:
            count += 1
        counts.append(count)
    for place in np.ndindex(*counts):
        covered = []
        for offset in np.ndindex(*kernel):
            at = tuple(place[a] * stride[a] - padding[a] + offset[a] for a in axes)
            if all(0 <= at[a] < space[a] for a in axes):
                covered.append(at)
        yield place, covered


def _collect(values: dict[Sizes, Any], dtype: Any) -> Array:
    y = np.zeros(tuple(1 + max(place[a] for place in values) for a in range(len(next(iter(values))))), dtype=dtype)
    for place, value in values.items():
        y[place] = value
    return y


def largest(x: Array, kernel: Sizes, stride: Sizes, padding: Sizes) -> Array:
    """`(*space) -> (*positions)`: the largest value covered; of equal ones the first, which a complex step shows."""
    values: dict[Sizes, Any] = {}
    for place, covered in windows(x.shape, kernel, stride, padding):
        best = covered[0]
        for at in covered:
            if x[at].real > x[best].real:
                best = at
        values[place] = x[best]
    return _collect(values, x.dtype)


def average(x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, count_include_pad: bool) -> Array:
    """`(*space) -> (*positions)`: the sum of the values covered, over the kernel's size or over their number."""
    size = 1
    for k in kernel:
        size *= k
    values: dict[Sizes, Any] = {}
    for place, covered in windows(x.shape, kernel, stride, padding):
        total = sum(x[at] for at in covered)
        values[place] = total / (size if count_include_pad else len(covered))
    return _collect(values, x.dtype)


def each_channel(function: Callable[..., Array], x: Array, *args: Any) -> Array:
    """A function of one channel, on every channel of every example of `(n, c, *space)`."""
    return np.stack([np.stack([function(channel, *args) for channel in example]) for example in x])


def global_average(x: Array) -> Array:
    """`(n, c, *space) -> (n, c)`."""
    y = np.zeros(x.shape[:2], dtype=x.dtype)
    for n, c in np.ndindex(*x.shape[:2]):
        values = [x[(n, c, *at)] for at in np.ndindex(*x.shape[2:])]
        y[n, c] = sum(values) / len(values)
    return y


def flattened(x: Array) -> Array:
    """`(n, ...) -> (n, features)`, the last axis running fastest."""
    return np.array([[example[at] for at in np.ndindex(*example.shape)] for example in x]).reshape(len(x), -1)


def selected(x: Array, indices: tuple[int, ...]) -> Array:
    """`(n, ..., features) -> (n, ..., len(indices))`, one feature after another."""
    return np.stack([x[..., i] for i in indices], axis=-1)
