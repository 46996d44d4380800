"""Which input position each offset of a sliding window reads, as a table of indices, and gathers by that table.

A window over any number of spatial dimensions, with stride, dilation and padding, is one gather. The adjoint of a
gather is the gather by the inverse lists (who reads this position?) followed by a sum: no scatter is needed, and no
loop over offsets. Padding is a position past the end, which holds a zero; circular padding is a modulus.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise._typing import Array, Shape

PaddingMode: TypeAlias = Literal["zeros", "circular"]
Indices: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"


class Table(NamedTuple):
    """Rows to take, and whether any of them is the row of zeros past the end."""

    rows: Indices  # (a, b)
    zeros: bool


@dataclass(frozen=True)
class Windows:
    """The geometry of a sliding window; every tuple has one entry a spatial dimension."""

    size: Shape
    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    padding_mode: PaddingMode = "zeros"

    @property
    def positions(self) -> Shape:
        """How many places the window takes along each dimension."""
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(self.size, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        )


@lru_cache(maxsize=256)
def _reads(windows: Windows) -> Table:
    """`(p, k)`: the flat input position that offset k reads at place p; `prod(size)` stands for a padded zero."""
    outside = prod(windows.size)
    flat, inside = np.zeros((1, 1), dtype=np.int64), np.ones((1, 1), dtype=bool)
    geometry = zip(
        windows.size, windows.kernel, windows.stride, windows.padding, windows.dilation, windows.positions, strict=True
    )
    for n, k, s, p, d, places in geometry:
        along = np.arange(places)[:, None] * s - p + np.arange(k)[None, :] * d  # (places, k)
        valid = np.ones_like(along, dtype=bool) if windows.padding_mode == "circular" else (along >= 0) & (along < n)
        along = along % n
        shape = (flat.shape[0] * places, flat.shape[1] * k)
        flat = (flat[:, None, :, None] * n + along[None, :, None, :]).reshape(shape)
        inside = (inside[:, None, :, None] & valid[None, :, None, :]).reshape(shape)
    return Table(np.where(inside, flat, outside), not bool(inside.all()))


@lru_cache(maxsize=256)
def _readers(windows: Windows) -> Table:
    """`(q, m)`: the flat `(p, k)` entries that read input position q; `p * k` stands for none."""
    reads = _reads(windows).rows.ravel()
    outside = prod(windows.size)
    entries = np.flatnonzero(reads < outside)
    entries = entries[np.argsort(reads[entries], kind="stable")]
    counts = np.bincount(reads[entries], minlength=outside)
    readers = np.full((outside, max(int(counts.max(initial=0)), 1)), reads.size, dtype=np.int64)
    rank = np.arange(entries.size) - np.repeat(np.cumsum(counts) - counts, counts)
    readers[reads[entries], rank] = entries
    return Table(readers, bool((readers == reads.size).any()))


def _take(rows: Array, table: Table) -> Array:
    """`(n, r, c), (a, b) -> (n, a, b, c)`: rows by number, the number r standing for a row of zeros."""
    xp = array_namespace(rows)
    n, _, c = rows.shape
    if table.zeros:
        rows = xp.concat([rows, xp.zeros((n, 1, c), dtype=rows.dtype, device=device(rows))], axis=1)
    indexing = xp.__array_namespace_info__().default_dtypes(device=device(rows))["indexing"]
    index = xp.asarray(table.rows.ravel(), dtype=indexing, device=device(rows))
    return xp.reshape(xp.take(rows, index, axis=1), (n, *table.rows.shape, c))


def gather(x: Array, windows: Windows) -> Array:
    """`(n, q, c) -> (n, p, k, c)`: the window at each place."""
    return _take(x, _reads(windows))


def gather_adjoint(g: Array, windows: Windows) -> Array:
    """`(n, p, k, c) -> (n, q, c)`: the sum, at each position, over everything that read it."""
    xp = array_namespace(g)
    n, p, k, c = g.shape
    return xp.sum(_take(xp.reshape(g, (n, p * k, c)), _readers(windows)), axis=2)


def padded(windows: Windows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """`(p, k)`: True where the window reads padding."""
    return np.asarray(_reads(windows).rows == prod(windows.size))
