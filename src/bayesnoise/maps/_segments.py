"""The adjoint of taking rows: the sum of all that was taken from each row. The standard has no scatter.

Sort the positions by the row they read; then every row's positions are a segment, which is summed by doubling: after
step d each place holds the sum of the last 2^d of its segment. That is `log2 m` passes over `g` for m positions, each
sum is a balanced tree, and nothing is subtracted, as differences of running sums would be: a rare word beside a
frequent one keeps its digits.
"""

from __future__ import annotations

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array

_LARGEST = 2**31 - 1  # of an integer, where the namespace has those of 32 bits alone


def indexing(x: Array) -> Array:
    """The integers in the dtype that the namespace takes rows with."""
    xp = array_namespace(x)
    return xp.astype(x, xp.__array_namespace_info__().default_dtypes(device=device(x))["indexing"])


def sum_rows(g: Array, index: Array, rows: int) -> Array:
    """`(m, f), (m,) -> (rows, f)`: the sum of the `g` whose index is that row, 0 for a row of none."""
    xp = array_namespace(g, index)
    m, most = index.shape[0], max(1, _LARGEST // (rows + 1))
    if m == 0:
        return xp.zeros((rows, g.shape[1]), dtype=g.dtype, device=device(g))
    parts = [slice(start, min(start + most, m)) for start in range(0, m, most)]
    return sum(_sum_rows(g[part, :], index[part], rows) for part in parts)


def _sum_rows(g: Array, index: Array, rows: int) -> Array:
    xp = array_namespace(g, index)
    m = index.shape[0]
    packed = xp.sort(index * m + xp.arange(m, dtype=index.dtype, device=device(index)))  # by row, then by position
    key = packed // m
    sums = xp.take(g, packed - key * m, axis=0)
    reach = 1
    while reach < m:
        same = xp.expand_dims(key[reach:] == key[:-reach], axis=1)
        added = xp.where(same, sums[:-reach, :], xp.zeros_like(sums[:-reach, :]))
        sums = xp.concat([sums[:reach, :], sums[reach:, :] + added], axis=0)
        reach *= 2
    each = xp.arange(rows, dtype=index.dtype, device=device(index))
    last = _last_at_most(key, each)
    totals = xp.take(sums, last, axis=0)
    found = xp.expand_dims(xp.take(key, last) == each, axis=1)
    return xp.where(found, totals, xp.zeros_like(totals))


def _last_at_most(key: Array, each: Array) -> Array:
    """The last place whose key is at most each of the values, by bisection; 0 where there is none."""
    xp = array_namespace(key, each)
    place, stride = xp.zeros_like(each), 1 << (key.shape[0] - 1).bit_length()
    while stride > 0:
        ahead = xp.minimum(place + stride, xp.full_like(place, key.shape[0] - 1))
        place = xp.where(xp.take(key, ahead) <= each, ahead, place)
        stride //= 2
    return place
