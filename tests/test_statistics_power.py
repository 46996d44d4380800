"""What a test says that it detects, it detects: by the exact law under the alternative. And what it refuses."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from bayesnoise_reference import statistics
from bayesnoise_reference.statistics.binomial import binomial, detectable_probabilities
from bayesnoise_reference.statistics.bounded import bounded_mean, detectable_bennett_shift, detectable_bounded_shifts
from bayesnoise_reference.statistics.catoni import catoni, detectable_catoni_shift
from bayesnoise_reference.statistics.correlation import detectable_correlation
from bayesnoise_reference.statistics.counts import cell_counts, detectable_rise
from bayesnoise_reference.statistics.equality_of_laws import detectable_law_distance, share_of_paths
from bayesnoise_reference.statistics.law import detectable_distance
from bayesnoise_reference.statistics.normal_mean import detectable_mean_shift
from bayesnoise_reference.statistics.normal_variance import detectable_sd_ratios
from bayesnoise_reference.statistics.verdict import at_least, at_most
from scipy.special import betaincinv, ndtr, smirnovi, stdtrit
from scipy.stats import binom, chi, chi2, multinomial, norm

MISS = 1e-6
EASY = 1.0 + 1e-6  # of the probability of a miss, for rounding


@pytest.mark.parametrize(("n", "alpha"), [(1, 1e-6), (50, 0.01), (4096, 1e-8)])
def test_normal_mean(n: int, alpha: float) -> None:
    shift = math.sqrt(n) * detectable_mean_shift(n, alpha)
    z = norm.isf(alpha / 2)
    missed = norm.cdf(z - shift) - norm.cdf(-z - shift)
    assert MISS / 1.01 <= missed <= MISS * EASY


@pytest.mark.parametrize(("n", "alpha"), [(5, 0.01), (50, 0.01), (1000, 1e-8)])
def test_normal_mean_of_any_sd(n: int, alpha: float) -> None:
    noncentrality = math.sqrt(n) * detectable_mean_shift(n, alpha, known_sd=False)
    critical = -stdtrit(n - 1, alpha / 2)
    half, scale = mp.mpf(n - 1) / 2, mp.mpf(critical) / mp.sqrt(n - 1)

    def integrand(u: Any) -> Any:
        density = 2 ** (1 - half) / mp.gamma(half) * u ** (n - 2) * mp.exp(-u * u / 2)
        return density * (mp.ncdf(scale * u - noncentrality) - mp.ncdf(-scale * u - noncentrality))

    ends = chi(n - 1).ppf([1e-16, 1e-9, 1e-6, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9, 1 - 1e-15])
    missed: Any = mp.quad(integrand, ends.tolist())
    assert float(missed) == pytest.approx(MISS, rel=1e-6)


@pytest.mark.parametrize(("degrees", "alpha"), [(1, 0.05), (50, 0.01), (4096, 1e-8)])
def test_normal_variance(degrees: int, alpha: float) -> None:
    low, high = chi2.ppf(alpha / 2, degrees), chi2.isf(alpha / 2, degrees)
    ratios = detectable_sd_ratios(degrees, alpha)
    assert ratios[0] < 1 < ratios[1]
    for ratio in ratios:
        missed = chi2.cdf(high / ratio**2, degrees) - chi2.cdf(low / ratio**2, degrees)
        assert MISS / 1.02 <= missed <= MISS * EASY  # less: the other side of the test finds some as well


@pytest.mark.parametrize(("n", "probability", "alpha"), [(40, 0.5, 0.01), (300, 0.1, 1e-6), (1000, 0.97, 1e-3)])
def test_binomial(n: int, probability: float, alpha: float) -> None:
    rejected = [binomial(k, n, probability).rejects(alpha) for k in range(n + 1)]
    for effect in detectable_probabilities(n, probability, alpha):
        assert effect is not None
        missed = 1 - float(np.sum(binom.pmf(np.arange(n + 1), n, effect)[rejected]))
        assert MISS / 1.01 <= missed <= MISS * 1.001
    assert detectable_probabilities(3, 0.5, 0.01) == (None, None)


@pytest.mark.parametrize("probabilities", [[0.2, 0.3, 0.5], [0.05, 0.05, 0.9]])
def test_cell_counts(probabilities: list[float]) -> None:
    n, alpha, miss = 60, 0.05, 0.01
    rise = detectable_rise(n, probabilities, alpha, miss)
    if rise is None:
        assert 0.9**n > alpha / 6
        return
    counts = [(i, j, n - i - j) for i, j in itertools.product(range(n + 1), repeat=2) if i + j <= n]
    rejected = np.array([cell_counts(c, probabilities).rejects(alpha) for c in counts])
    for cell, others in ((0, (1, 2)), (1, (2, 0)), (2, (0, 1))):
        moved = np.array(probabilities)
        moved[cell] += min(rise, 1 - moved[cell])
        moved[list(others)] *= (1 - moved[cell]) / (1 - probabilities[cell])
        moved /= moved.sum()
        assert 1 - float(np.sum(multinomial.pmf(counts, n, moved)[rejected])) <= miss


@pytest.mark.parametrize(("n", "alpha"), [(6, 0.05), (40, 0.01), (600, 1e-8)])
def test_correlation(n: int, alpha: float) -> None:
    """`r / sqrt(1 - r^2) = (theta S + Z) / U`, S ~ chi(n - 1), U ~ chi(n - 2), Z normal: integrated over S and U."""
    rho = detectable_correlation(n, alpha)
    rest = betaincinv(0.5 * (n - 2), 0.5, alpha)
    critical = math.sqrt((1 - rest) / rest)
    s, u = (np.linspace(chi(k).ppf(1e-15), chi(k).isf(1e-15), 1500) for k in (n - 1, n - 2))
    shift = rho / math.sqrt(1 - rho**2) * s[:, None]
    inside = ndtr(critical * u - shift) - ndtr(-critical * u - shift)
    missed = chi.pdf(s, n - 1) @ inside @ chi.pdf(u, n - 2) * (s[1] - s[0]) * (u[1] - u[0])
    assert missed == pytest.approx(MISS, rel=1e-4)


@pytest.mark.parametrize(("n", "alpha"), [(60, 0.01), (500, 1e-6)])
def test_law(n: int, alpha: float) -> None:
    distance, critical = detectable_distance(n, alpha), float(smirnovi(n, alpha / 2))
    shares = np.arange(n + 1) / n
    for at in np.linspace(0, 1 - distance, 40):  # of the null; the alternative is `distance` above it
        not_rejected_here = np.abs(shares - at) <= critical
        assert np.sum(binom.pmf(np.arange(n + 1), n, at + distance)[not_rejected_here]) <= MISS


@pytest.mark.parametrize(("m", "n", "alpha"), [(150, 150, 0.01), (90, 200, 1e-3)])
def test_equality_of_laws(m: int, n: int, alpha: float) -> None:
    distance = detectable_law_distance(m, n, alpha)
    stray = np.abs(np.arange(m + 1)[:, None] * n - np.arange(n + 1) * m)
    critical = (distance - math.sqrt(-0.5 * math.log(MISS) * (1 / m + 1 / n))) * m * n
    assert share_of_paths(m, n, round(critical)) <= alpha < share_of_paths(m, n, round(critical) - math.gcd(m, n))
    for at in np.linspace(0, 1 - distance, 15):
        joint = binom.pmf(np.arange(m + 1), m, at)[:, None] * binom.pmf(np.arange(n + 1), n, at + distance)
        assert np.sum(joint[stray < round(critical)]) <= MISS


@pytest.mark.parametrize("alpha", [0.01, 1e-6])
@pytest.mark.parametrize("chance", [0.5, 0.05, 0.95])
def test_catoni(alpha: float, chance: float) -> None:
    """Two-point laws of variance 1, of all skews: the sum of the influences is a binomial count."""
    n = 400
    shift = detectable_catoni_shift(n, alpha)
    points = [shift + math.sqrt((1 - chance) / chance), shift - math.sqrt(chance / (1 - chance))]
    for sign in (1, -1):
        missed = 0.0
        for k in range(n + 1):
            sample = [sign * points[0]] * k + [sign * points[1]] * (n - k)
            if not catoni(sample, 0.0, 1.0, alpha).rejects(alpha):
                missed += float(binom.pmf(k, n, chance))
        assert missed <= MISS
    assert math.isinf(detectable_catoni_shift(5, 1e-6))


@pytest.mark.parametrize("mean", [0.5, 0.1, 0.0])
def test_bounded_mean(mean: float) -> None:
    n, alpha = 400, 1e-4
    rejected = np.array([bounded_mean([1.0] * k + [0.0] * (n - k), mean, 0, 1).rejects(alpha) for k in range(n + 1)])
    shifts = detectable_bounded_shifts(n, mean, alpha)
    assert (shifts[0] is None) == (mean == 0.0)
    for shift, sign in zip(shifts, (-1, 1), strict=True):
        if shift is not None:
            assert np.sum(binom.pmf(np.arange(n + 1), n, mean + sign * shift)[~rejected]) <= MISS * EASY


def test_bennett_mean() -> None:
    n, alpha, p = 2000, 1e-4, 0.02
    variance, bound = p * (1 - p), 1.0
    shift = detectable_bennett_shift(n, variance, bound, alpha)
    assert shift < detectable_bounded_shifts(n, 0.5, alpha)[1]  # type: ignore[operator]  # the variance is worth knowing
    missed = 0.0
    for k in range(110):  # the same law, moved: at most 109 ones, but for a probability that counts as missed
        draws = np.where(np.arange(n) < k, 1.0, 0.0) + shift
        verdict = statistics.bennett_mean(
            draws, p, variance, bound + shift
        )  # ever so little more than the bound of the power
        missed += 0.0 if verdict.rejects(alpha) else float(binom.pmf(k, n, p))
    assert missed + binom.sf(109, n, p) <= MISS


@pytest.mark.parametrize("value", [0.159, 0.1591, 1e-5 / 3, 1234.5, -0.0777, 0.0, 9.999, 1.0000001])
def test_rounding_keeps_what_is_said_true(value: float) -> None:
    slack = 1e-14 * abs(value)
    assert value - slack <= float(at_least(value)) <= value + 0.011 * abs(value)
    assert value - 0.011 * abs(value) <= float(at_most(value)) <= value + slack


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.normal_mean([], 0, 1), "samples has 0 values, expected at least 1"),
        (lambda: statistics.normal_mean([1.0], 0), "samples has 1 values, expected at least 2"),
        (lambda: statistics.normal_mean([math.nan, 1], 0, 1), "samples has 1 values of 2 that are NaN or infinite"),
        (lambda: statistics.normal_mean([1.0], 0, -1), "sd is -1, expected a finite number above 0"),
        (lambda: statistics.normal_mean([1.0], 0, 1, alpha=0), "alpha is 0, expected a probability of error"),
        (lambda: statistics.normal_variance([1.0, 2], 0), "variance is 0"),
        (lambda: statistics.binomial(5, 4, 0.5), "k is 5 and n is 4"),
        (lambda: statistics.binomial(1, 4, 1.5), "probability is 1.5"),
        (lambda: statistics.cell_counts([1, 2], [0.5, 0.4]), "probabilities sums to 0.9"),
        (lambda: statistics.cell_counts([1, 2.5], [0.5, 0.5]), "expected whole numbers"),
        (lambda: statistics.cell_counts([1, 2, 3], [0.5, 0.5]), "counts has 3 cells and probabilities 2"),
        (lambda: statistics.correlation([1, 2, 3], [1, 2]), "y has 2 values, expected at least 3"),
        (lambda: statistics.correlation([1, 2, 3], [1, 2, 3, 4]), "x has 3 values and y 4"),
        (lambda: statistics.equality_of_laws(np.zeros(9999), np.zeros(10002)), "expected equal sizes"),
        (lambda: statistics.law([1.0, 2], lambda x: x), r"cdf gave numbers outside \[0, 1\]"),
        (lambda: statistics.law([1.0, 2], lambda x: 0.5), r"cdf gave shape \(\)"),
        (lambda: statistics.bounded_mean([2.0], 0.5, 0, 1), "samples lie between 2 and 2, expected between 0 and 1"),
        (lambda: statistics.bounded_mean([1.0], 2, 0, 1), "mean is 2, expected a number between"),
        (lambda: statistics.bennett_mean([3.0], 0, 1, 2), "samples lie between 3 and 3"),
        (lambda: statistics.catoni([3.0], 0, math.inf), "variance is inf"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
