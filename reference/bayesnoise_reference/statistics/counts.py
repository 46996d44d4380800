"""Counts in several cells: the exact binomial test of every cell, with the error divided among the cells (Bonferroni).

Every cell's count is binomial. Unlike the chi-square approximation of Pearson's statistic this holds at every n, with
cells as rare as they come, and it says which cell is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.binomial import binomial, detectable_probabilities, two_sided_p
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least


def cell_counts(counts: Any, probabilities: Any, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent trials fall into the cells with these probabilities, `(k,), (k,)`.

    Raises ValueError for counts that are not whole numbers or probabilities that do not sum to 1.
    """
    k, chances = _checks.sample("counts", counts, 2), _checks.sample("probabilities", probabilities, 2)
    if k.shape != chances.shape:
        raise ValueError(f"counts has {k.size} cells and probabilities {chances.size}, expected as many")
    if np.any(k < 0) or np.any(k != np.floor(k)) or not np.any(k):
        raise ValueError(f"counts is {counts}, expected whole numbers of at least 0, not all 0")
    if np.any(chances < 0) or abs(float(np.sum(chances)) - 1.0) > 1e-9:
        raise ValueError(f"probabilities sums to {np.sum(chances)}, expected numbers of at least 0 that sum to 1")
    n = int(np.sum(k))
    if np.any(k[chances == 0] > 0):
        return Verdict(0.0, None, n, "any count in a cell of probability 0")
    k, chances = k[chances > 0], chances[chances > 0]
    if k.size == 1:
        return Verdict(1.0, None, n, "any count in a cell of probability 0")
    if k.size == 2:  # the two counts are one
        return binomial(int(k[0]), n, float(chances[0]), alpha=alpha)
    p = min(1.0, k.size * min(two_sided_p(int(c), n, float(q)) for c, q in zip(k, chances, strict=True)))
    rise = detectable_rise(n, chances, alpha)
    if rise is None:
        return Verdict(p, None, n, "nothing at this n in the most probable cell")
    return Verdict(p, None, n, f"a cell whose probability is {at_least(rise)} higher")


def detectable_rise(n: int, probabilities: Any, alpha: float, miss: float = MISS) -> float | None:
    """The rise of any cell's probability that is missed with probability at most `miss`; None if a cell has none."""
    rises = []
    for q in np.ravel(probabilities):
        high = detectable_probabilities(n, float(q), alpha / np.size(probabilities), miss)[1]
        if high is None:
            return None
        rises.append(high - float(q))
    return max(rises)
