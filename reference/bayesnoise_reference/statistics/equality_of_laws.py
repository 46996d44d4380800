"""Two samples of one law: the exact two-sample Kolmogorov-Smirnov test (Smirnov 1939; Hodges, Ark. Mat. 3, 1958).

Under the null hypothesis every order of the two samples is equally likely, a lattice path from (0, 0) to (m, n). The
p-value is the share of paths that stray from the diagonal at least as far as the one seen. Ties only bring a path
nearer to it, so that with discrete laws the test errs on the safe side.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least

_LARGEST = 10**8  # lattice points; equal sizes have a closed form


def equality_of_laws(first: Any, second: Any, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws, all of one unknown law, `(m,), (n,)`.

    Raises ValueError for samples of unequal sizes with more than 1e8 pairs.
    """
    x, y = np.sort(_checks.sample("first", first)), np.sort(_checks.sample("second", second))
    m, n = x.size, y.size
    if m != n and m * n > _LARGEST:
        raise ValueError(f"first has {m} values and second {n}, expected equal sizes, or at most 1e8 pairs")
    points = np.concatenate([x, y])
    counts_x, counts_y = np.searchsorted(x, points, side="right"), np.searchsorted(y, points, side="right")
    stray = int(np.max(np.abs(counts_x.astype(np.int64) * n - counts_y.astype(np.int64) * m)))
    effect = detectable_law_distance(m, n, alpha)
    phrase = (
        f"distribution functions that differ by {at_least(effect)} anywhere" if effect <= 1 else "nothing at this n"
    )
    return Verdict(share_of_paths(m, n, stray), None, m + n, phrase)


def share_of_paths(m: int, n: int, stray: int) -> float:
    """The share of lattice paths to (m, n) that reach a point (i, j) with `|i n - j m| >= stray`."""
    if stray <= 0:
        return 1.0
    if m == n:
        return _equal_sizes(n, -(-stray // n))
    return _by_diagonals(m, n, stray)


def _equal_sizes(n: int, height: int) -> float:
    """By reflection: `2 sum_k (-1)^(k-1) C(2n, n - k height) / C(2n, n)`, an alternating decreasing series."""
    total, sign = 0.0, 2.0
    for multiple in range(height, n + 1, height):
        log_ratio = 2.0 * math.lgamma(n + 1) - math.lgamma(n - multiple + 1) - math.lgamma(n + multiple + 1)
        term = math.exp(log_ratio)
        total += sign * term
        sign = -sign
        if term < 1e-18 * abs(total):
            break
    return min(1.0, total)


def _by_diagonals(m: int, n: int, stray: int) -> float:
    """Chance that a random path to (i, j) has strayed, one diagonal i + j at a time: sums of positive terms only."""
    strayed = np.zeros(1)
    first = 0  # the i of the diagonal's first entry
    for total in range(1, m + n + 1):
        low, high = max(0, total - n), min(m, total)
        i = np.arange(low, high + 1)
        padded = np.concatenate([[0.0], strayed, [0.0]])  # entry of i is at i - first + 1
        came_from_i = padded[np.clip(i - 1 - first + 1, 0, padded.size - 1)]
        came_from_j = padded[np.clip(i - first + 1, 0, padded.size - 1)]
        mixed = (i * came_from_i + (total - i) * came_from_j) / total
        strayed = np.where(np.abs(i * n - (total - i) * m) >= stray, 1.0, mixed)
        first = low
    return float(strayed[-1])


@lru_cache(maxsize=256)
def detectable_law_distance(m: int, n: int, alpha: float, miss: float = MISS) -> float:
    """The distance of the two distribution functions that is missed with probability at most `miss`; above 1, none.

    The critical value, and Hoeffding's inequality for the difference of two shares at the point where the laws differ.
    """
    _checks.level(alpha)
    unit = math.gcd(m, n)  # the values that a path can take are multiples of it
    low, high = 0, m * n // unit + 1  # multiples: not rejected, rejected or impossible
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if share_of_paths(m, n, middle * unit) <= alpha else (middle, high)
    return high * unit / (m * n) + math.sqrt(-0.5 * math.log(miss) * (1.0 / m + 1.0 / n))
