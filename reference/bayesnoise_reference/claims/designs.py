"""Inputs that are made for power, and what a layer does to them without noise.

The best of them is a reading: unit impulses, one input or channel a row, so that every output element that is looked at
is one single weight, and no weight is looked at twice in a call. The elements of a reading are then independent draws,
one a weight, under each of the three estimators.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description

_MOST = 4096  # elements of a reading


def _windows(d: Description, x: Array) -> tuple[Array, tuple[int, ...]]:
    """(n, groups, positions, weights): what the weights of a filter multiply at each position; and the positions."""
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in d.padding)])
    extents = [d.dilation[a] * (d.kernel[a] - 1) + 1 for a in range(len(d.kernel))]
    views = np.lib.stride_tricks.sliding_window_view(padded, extents, axis=tuple(range(2, x.ndim)))
    steps: tuple[Any, ...] = tuple(slice(None, None, step) for step in (*d.stride, *d.dilation))
    views = views[(..., *steps)]
    n, places, channels = len(x), views.shape[2 : x.ndim], d.inputs // d.groups
    grouped = views.reshape(n, d.groups, channels, *places, *d.kernel)
    weights = channels * math.prod(d.kernel)
    return np.moveaxis(grouped, 2, x.ndim).reshape(n, d.groups, math.prod(places), weights), places


def apply(d: Description, x: Array, w: Array) -> Array:
    """`B(x, w)`: (n, in), (in, out) -> (n, out), or the cross-correlation of (n, c, *space) and (out, c / groups,
    *kernel).
    """
    if d.family == "dense":
        return np.asarray(x @ w)
    seen, places = _windows(d, x)
    filters = w.reshape(d.groups, d.outputs // d.groups, seen.shape[-1])
    return np.asarray(filters @ np.swapaxes(seen, 2, 3)).reshape(len(x), d.outputs, *places)


def adjoint(d: Description, x: Array, grad_y: Array) -> Array:
    """The adjoint of `B(x, .)`: the gradient of `sum(grad_y B(x, w))` in w."""
    if d.family == "dense":
        return np.asarray(x.T @ grad_y)
    seen, places = _windows(d, x)
    grouped = grad_y.reshape(len(x), d.groups, d.outputs // d.groups, math.prod(places))
    return np.asarray(np.sum(grouped @ seen, axis=0)).reshape(d.weight_shape)


def space(d: Description) -> tuple[int, ...]:
    """The size of image in which an impulse near the middle meets every offset of the kernel."""
    return tuple(2 * (d.dilation[a] * (d.kernel[a] - 1) + 1) + d.stride[a] - 1 for a in range(len(d.kernel)))


def input_shape(d: Description, n: int) -> tuple[int, ...]:
    """The shape of a batch."""
    return (n, d.inputs, *space(d))


def bias_shape(d: Description) -> tuple[int, ...]:
    """What a bias is reshaped to, so that it broadcasts against an output."""
    return (d.outputs, *(1,) * len(d.kernel))


class Reading(NamedTuple):
    """Impulses, and where in the flattened output which flattened weight is seen."""

    x: Array  # (n, in) or (n, in, *space)
    at: Array  # (m,) integers: into the flattened output
    weight: Array  # (m,) integers: into the flattened weights


def _impulses(d: Description) -> list[tuple[int, ...]]:
    """Where to put a 1: for every input or channel, as many places as a stride needs to meet every offset."""
    middle = [d.dilation[a] * (d.kernel[a] - 1) for a in range(len(d.kernel))]
    left = [m + d.padding[a] for a, m in enumerate(middle)]
    meets = [{(d.dilation[a] * o - left[a]) % d.stride[a] for o in range(k)} for a, k in enumerate(d.kernel)]
    steps = list(product(*map(sorted, meets)))
    return [(c, *(m + s for m, s in zip(middle, step, strict=True))) for c in range(d.inputs) for step in steps]


def reading(d: Description, rng: np.random.Generator | None = None, inputs: int = 64) -> Reading:
    """A reading of at most so many inputs: the first ones, or with `rng` a random few that are not too large
    together.
    """
    chosen = np.arange(d.inputs)
    if rng is not None:
        inputs = min(inputs, max(1, _MOST * d.groups // (d.outputs * int(np.prod(d.kernel, dtype=int)))))
        chosen = rng.permutation(d.inputs)
    kept = set(chosen[:inputs].tolist())
    impulses = [where for where in _impulses(d) if where[0] in kept]
    x = np.zeros(input_shape(d, len(impulses)))
    for n, where in enumerate(impulses):
        x[(n, *where)] = 1.0
    return _read(d, x)


def only_read(d: Description, seen: Reading, x: Array) -> Array:
    """`x` with the inputs that the reading leaves out set to zero."""
    known = np.sum(seen.x, axis=(0, *range(2, seen.x.ndim))) > 0
    return np.asarray(x * known.reshape(-1, *(1,) * len(d.kernel)))


def _read(d: Description, x: Array) -> Reading:
    """Number the weights: what an output shows is the number of the weight that it sees."""
    numbers = 1.0 + np.arange(np.prod(d.weight_shape)).reshape(d.weight_shape)
    seen = np.rint(apply(d, x, numbers)).astype(np.int64).ravel() - 1
    weight, at = np.unique(seen, return_index=True)
    return Reading(x, at[weight >= 0], weight[weight >= 0])


def twice(x: Array) -> Array:
    """Every row, and then every row again."""
    return np.concatenate([x, x])


def interior(d: Description) -> Array:
    """(m,) integers: the positions, flattened, at which a kernel sees no padding."""
    ones = np.ones(input_shape(d, 1))
    count = apply(d, ones, np.ones(d.weight_shape))[0, 0].ravel()
    return np.flatnonzero(np.rint(count) == np.prod(d.weight_shape[1:]))
