"""DropBlock: contiguous blocks of a map are dropped, and the rest is scaled by elements over elements kept.

Ghiasi, Lin, Le 2018, "DropBlock: A regularization method for convolutional networks" (arXiv 1810.12890), algorithm 1.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import masks


def places(space: tuple[int, ...], block: tuple[int, ...]) -> tuple[int, ...]:
    """Where a block may begin, along each dimension."""
    return tuple(size - b + 1 for size, b in zip(space, block, strict=True))


def gamma(rate: float, space: tuple[int, ...], block: tuple[int, ...]) -> float:
    """The probability that a block is dropped, so that without overlaps as many elements are as the rate asks for."""
    wanted = rate * np.prod(space)
    return float(wanted / (np.prod(block) * np.prod(places(space, block))))


def kept(dropped: Array, space: tuple[int, ...], block: tuple[int, ...]) -> Array:
    """The mask over `space` of one channel, from the blocks that are dropped, by where they begin."""
    mask = np.ones(space)
    for start in np.ndindex(*dropped.shape):
        if dropped[start]:
            mask[tuple(slice(s, s + b) for s, b in zip(start, block, strict=True))] = 0.0
    return mask


def output(x: Array, dropped: Array, block: tuple[int, ...], scale_by: str = "batch") -> Array:
    """`(n, c, *space)`, and `dropped (n, c, *places)`: 1 for a block that is dropped.

    Counted are the elements of the batch or of each example; where none is kept the output is 0.
    """
    mask = np.ones(x.shape)
    for n, c in np.ndindex(*x.shape[:2]):
        mask[n, c] = kept(dropped[n, c], x.shape[2:], block)
    y = np.zeros(x.shape, dtype=np.result_type(x, float))
    for n in range(x.shape[0]):
        counted = mask if scale_by == "batch" else mask[n]
        if np.any(counted):
            y[n] = x[n] * mask[n] * counted.size / np.count_nonzero(counted)
    return y


def kept_fraction(rate: float, space: tuple[int, ...], block: tuple[int, ...]) -> float:
    """The expected fraction of a channel that is kept, by enumeration of all blocks, dropped or not."""
    grid = places(space, block)
    total = 0.0
    for row, probability in zip(*masks(int(np.prod(grid)), gamma(rate, space, block)), strict=True):
        total += probability * float(np.mean(kept(row.reshape(grid), space, block)))
    return total
