"""The two columns of a table that are most alike, among all pairs of them: for mistakes that join numbers anywhere.

Each pair has an exact law of its own, and the least p times the number of pairs bounds that of the least (Bonferroni).
Copies are so alike that this costs nothing: a few dozen rows show one copied column among hundreds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betainc

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.judge import size
from bayesnoise_reference.claims.pictured import Picture, correlations, tosses
from bayesnoise_reference.statistics import Verdict
from bayesnoise_reference.statistics.binomial import detectable_probabilities, two_sided_p
from bayesnoise_reference.statistics.correlation import detectable_correlation
from bayesnoise_reference.statistics.verdict import at_least, at_most

MOST = 512  # columns that are compared
_CONSTANT = 1e-9  # a deviation that is zero beside that of a standard normal


class Pair(NamedTuple):
    """The columns that are most alike, how alike they are, what that says of all, and how alike all pairs are."""

    verdict: Verdict
    first: int
    second: int
    alike: float  # a correlation, or the share of rows in which they agree
    picture: Picture


def some(rng: np.random.Generator, count: int, most: int = MOST) -> Array:
    """So many of the numbers below `count`, in their order."""
    return np.sort(rng.permutation(count)[:most])


def of_normals(z: Array, alpha: float, beside: int = 0) -> Pair:
    """`(rows, columns)`, standard normal: by value, and by size, which sees numbers that differ in sign alone.

    Of each pair one column is at least the one numbered `beside`. A column that does not vary is a copy of any other.
    """
    rows, columns = z.shape
    asked = np.triu(np.ones((columns, columns), dtype=bool), 1)
    asked[:, :beside] = False
    tests = 2 * int(np.sum(asked))
    first, second, alike, every = max((_most_alike(of, asked) for of in (z, size(z))), key=lambda one: abs(one[2]))
    p = float(betainc(0.5 * (rows - 2), 0.5, max(0.0, 1.0 - alike**2)))
    detects = f"a correlation of {at_least(detectable_correlation(rows, alpha / tests))} in any pair of them"
    verdict = Verdict(min(1.0, tests * p), None, rows, detects)
    return Pair(verdict, first, second, alike, correlations(every, rows))


def _most_alike(values: Array, asked: Array) -> tuple[int, int, float, Array]:
    from_mean = values - np.mean(values, axis=0)
    norms = np.linalg.norm(from_mean, axis=0)
    constant = norms <= _CONSTANT * len(values) ** 0.5
    unit = from_mean / np.where(constant, 1.0, norms)
    r = unit.T @ unit
    r[constant, :] = r[:, constant] = 1.0
    first, second = np.unravel_index(int(np.argmax(np.where(asked, np.abs(r), -1.0))), r.shape)
    return int(first), int(second), float(r[first, second]), r[asked]


def of_events(seen: Array, agree: float, alpha: float) -> Pair:
    """`(rows, columns)`, true or false: two columns agree in a row with probability `agree`."""
    rows, columns = seen.shape
    one = np.asarray(seen, dtype=np.float64)
    together = np.rint(one.T @ one + (1.0 - one).T @ (1.0 - one)).astype(int)
    upper = np.triu_indices(columns, 1)
    counts = together[upper]
    at = min((int(np.argmin(counts)), int(np.argmax(counts))), key=lambda m: two_sided_p(int(counts[m]), rows, agree))
    p = two_sided_p(int(counts[at]), rows, agree)
    low, high = detectable_probabilities(rows, agree, alpha / counts.size)
    found = [f"at least {at_least(high)}"] if high is not None else []
    found += [f"at most {at_most(low)}"] if low is not None else []
    detects = f"a probability of {' or '.join(found)} in any pair of them" if found else "nothing at this n"
    verdict = Verdict(min(1.0, counts.size * p), None, rows, detects)
    alike = float(counts[at] / rows)
    return Pair(verdict, int(upper[0][at]), int(upper[1][at]), alike, tosses(counts, rows, agree))
