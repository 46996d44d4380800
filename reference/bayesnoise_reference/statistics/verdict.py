"""What a test says: evidence against a null hypothesis, and how small an effect it would have found.

A p-value is exact or an upper bound at every n: `P(p <= a) <= a` under the null, with no limit theorem. An e-value is
nonnegative with expectation at most 1 under the null, so that `P(e >= 1/a) <= a` (Markov). What a test `detects` is an
effect that it rejects with a probability of at least `1 - MISS`, by the exact law under that effect or by a stated
bound.
"""

from __future__ import annotations

import math
from typing import NamedTuple

MISS = 1e-6  # the probability with which an effect of the size named may still be missed


class Verdict(NamedTuple):
    """The outcome of one test: either `p` or `e` is a number."""

    p: float | None
    e: float | None
    n: int  # draws used
    detects: str  # the smallest effect found with probability >= 1 - MISS, a phrase with a number

    def rejects(self, alpha: float) -> bool:
        """Whether the null hypothesis is refuted with an error of at most alpha."""
        by_p = self.p is not None and self.p <= alpha
        return by_p or (self.e is not None and self.e >= 1.0 / alpha)


def at_least(value: float) -> str:
    """Three digits, rounded up, so that what is said of the number stays true of what is printed."""
    return _rounded(value, up=True)


def at_most(value: float) -> str:
    """Three digits, rounded down."""
    return _rounded(value, up=False)


def _rounded(value: float, *, up: bool) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    steps = math.ceil(value / unit) if up else math.floor(value / unit)
    return f"{steps * unit:.3g}"
