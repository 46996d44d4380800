"""The tests of whole laws, one sample and two: exact by enumeration, by fractions, by counting paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from bayesnoise_reference.statistics import equality_of_laws, law
from bayesnoise_reference.statistics.equality_of_laws import _by_diagonals, _equal_sizes
from bayesnoise_reference.statistics.law import critical_distance, one_sided_tail
from enumerated import ROUNDING, over_reported, products
from scipy.special import smirnov, smirnovi


def strays(n: int, d: Fraction) -> Fraction:
    """`P(sup |F_n - F| >= d)`, exactly: one minus Steck's determinant for order statistics between bounds."""
    low = [max(Fraction(i + 1, n) - d, Fraction(0)) for i in range(n)]
    high = [min(Fraction(i, n) + d, Fraction(1)) for i in range(n)]
    rows = [
        [
            Fraction(0) if j < i - 1 else max(high[i] - low[j], Fraction(0)) ** (j - i + 1) / math.factorial(j - i + 1)
            for j in range(n)
        ]
        for i in range(n)
    ]
    determinant = Fraction(1)
    for i in range(n):
        pivot = next((r for r in range(i, n) if rows[r][i]), None)
        if pivot is None:
            return Fraction(1)
        if pivot != i:
            rows[i], rows[pivot], determinant = rows[pivot], rows[i], -determinant
        determinant *= rows[i][i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    return 1 - math.factorial(n) * determinant


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12])
@pytest.mark.parametrize("a", [0.7, 0.2, 0.05, 1e-3, 1e-6])
def test_the_law_test_is_valid(n: int, a: float) -> None:
    critical = float(smirnovi(n, a / 2))
    share = float(strays(n, Fraction(critical)))
    assert share <= a * (1 + 1e-9)
    assert share >= a - 2.0 * a**4 - 1e-12 or n < 5  # hardly conservative
    u = np.clip((np.arange(n) + 0.5) / n, critical, 1)  # the first is `critical` above the empty share
    assert law(u, lambda x: x).p == pytest.approx(a, rel=1e-6)


@pytest.mark.parametrize("d", [0.006, 0.01, 0.02, 0.03])
def test_the_bound_for_large_samples_is_one_and_close(d: float) -> None:
    n = 20_000
    ratio = float(smirnov(n, d)) / one_sided_tail(n, d)
    assert ratio <= 1
    assert ratio == pytest.approx(1 - 2 * d / 3 - 4 * n * d**4 / 9, abs=1e-3)  # the next terms of the expansion
    assert 2 * one_sided_tail(n, critical_distance(n, 1e-6)) == pytest.approx(1e-6, rel=1e-9)


def test_strays_by_hand() -> None:
    assert strays(1, Fraction(3, 4)) == Fraction(1, 2)
    assert strays(2, Fraction(1, 4)) == 1
    assert strays(2, Fraction(1, 2)) == Fraction(1, 2)


def test_a_law_with_jumps_is_held_against_both_of_its_limits() -> None:
    values, chances = [0.0, 1.0, 2.0], [0.3, 0.5, 0.2]
    cdf: Callable[[np.ndarray], np.ndarray] = np.vectorize(lambda x: min(1.0, [0.3, 0.8, 1.0][int(x)]))
    below: Callable[[np.ndarray], np.ndarray] = np.vectorize(lambda x: [0.0, 0.3, 0.8][int(x)])
    samples = list(products(values, chances, 6))
    assert over_reported([(law(s, cdf, cdf_below=below), c) for s, c in samples]) <= ROUNDING
    assert over_reported([(law(s, cdf), c) for s, c in samples]) > 0.1


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 3), (5, 5), (2, 5), (4, 6), (7, 3)])
def test_equality_of_laws_is_valid_and_exact(m: int, n: int) -> None:
    outcomes = []
    for places in itertools.combinations(range(m + n), m):
        x = list(places)
        y = sorted(set(range(m + n)) - set(places))
        outcomes.append((equality_of_laws(x, y), 1 / math.comb(m + n, m)))
    assert abs(over_reported(outcomes)) <= ROUNDING  # 0: the p-value is the probability itself


@pytest.mark.parametrize(("m", "n"), [(4, 4), (3, 5)])
def test_equality_of_laws_is_valid_with_ties(m: int, n: int) -> None:
    outcomes = [(equality_of_laws(s[:m], s[m:]), c) for s, c in products([0.0, 1.0, 2.0], [0.6, 0.3, 0.1], m + n)]
    assert over_reported(outcomes) <= ROUNDING


@pytest.mark.parametrize(("n", "height"), [(20, 3), (40, 9), (60, 60), (200, 90)])
def test_two_ways_to_count_paths(n: int, height: int) -> None:
    series = sum((-1) ** (k - 1) * math.comb(2 * n, n - k * height) for k in range(1, n // height + 1))
    exact = float(Fraction(2 * series, math.comb(2 * n, n)))
    assert _equal_sizes(n, height) == pytest.approx(exact, rel=1e-10)
    assert _by_diagonals(n, n, height * n) == pytest.approx(exact, rel=1e-10)
