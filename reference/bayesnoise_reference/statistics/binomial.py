"""Counts of successes: the exact binomial test with two sides of alpha/2 each, and the coin.

The probabilities that it detects are the exact limits of Clopper and Pearson (Biometrika 26, 1934) at the critical
counts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least, at_most


def binomial(k: int, n: int, probability: float, *, alpha: float = 1e-6) -> Verdict:
    """Null: `k` successes in `n` independent trials of this probability. Raises ValueError for impossible counts."""
    _checks.probability("probability", probability)
    if not (n >= 1 and 0 <= k <= n):
        raise ValueError(f"k is {k} and n is {n}, expected 0 <= k <= n and n at least 1")
    k, n = int(k), int(n)
    p = two_sided_p(k, n, probability)
    low, high = detectable_probabilities(n, probability, alpha)
    found = [f"at least {at_least(high)}"] if high is not None else []
    found += [f"at most {at_most(low)}"] if low is not None else []
    return Verdict(p, None, n, f"a probability of {' or '.join(found)}" if found else "nothing at this n")


def coin(k: int, n: int, *, alpha: float = 1e-6) -> Verdict:
    """Null: `k` heads in `n` tosses of a fair coin."""
    return binomial(k, n, 0.5, alpha=alpha)


def sign_test(samples: Any, median: float = 0.0, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws with `P(X > median) = P(X < median)`; draws equal to the median are left out."""
    _checks.finite("median", median)
    x = _checks.sample("samples", samples)
    above, below = int(np.sum(x > median)), int(np.sum(x < median))
    if above + below == 0:
        return Verdict(1.0, None, 0, "nothing: every draw is the median")
    return coin(above, above + below, alpha=alpha)


def two_sided_p(k: int, n: int, probability: float) -> float:
    """`2 min(P(X <= k), P(X >= k))`, at most 1."""
    at_most_k = float(bdtr(k, n, probability))
    at_least_k = float(bdtrc(k - 1, n, probability)) if k > 0 else 1.0
    return min(1.0, 2.0 * min(at_most_k, at_least_k))


def critical_counts(n: int, probability: float, alpha: float) -> tuple[int, int]:
    """The greatest count that is rejected as too small (-1: none) and the least as too great (n + 1: none)."""
    _checks.level(alpha)
    kept = bisect_right(range(n + 1), alpha / 2.0, key=lambda k: float(bdtr(k, n, probability)))
    great = bisect_left(range(n), True, key=lambda k: bool(bdtrc(k, n, probability) <= alpha / 2.0))
    return kept - 1, great + 1


def detectable_probabilities(
    n: int, probability: float, alpha: float, miss: float = MISS
) -> tuple[float | None, float | None]:
    """The probabilities, below and above, that are missed with probability at most `miss`; None where none is."""
    low, high = critical_counts(n, probability, alpha)
    below = float(betaincinv(low + 1, n - low, miss)) if low >= 0 else None
    above = float(betaincinv(high, n - high + 1, 1.0 - miss)) if high <= n else None
    return below, above if above is None or not math.isnan(above) else None
