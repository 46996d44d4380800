"""The tests are exact: their laws are enumerated, or integrated in closed form, and never simulated.

Calibration: for small n every outcome is listed with its probability, and `P(p <= a) <= a` is checked at every p that
can occur, which is at every a. For continuous laws the p-value is compared with the probability that geometry gives.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from bayesnoise_reference.statistics import (
    CatoniProcess,
    bennett_mean,
    binomial,
    bounded_mean,
    catoni,
    cell_counts,
    coin,
    correlation,
    normal_law,
    normal_mean,
    normal_variance,
    sign_test,
)
from enumerated import ROUNDING, over_reported, products


def binomial_chances(n: int, p: float) -> list[float]:
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


@pytest.mark.parametrize("probability", [0.0, 0.03, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("n", range(1, 14))
def test_binomial_is_valid(n: int, probability: float) -> None:
    outcomes = [(binomial(k, n, probability), c) for k, c in enumerate(binomial_chances(n, probability))]
    assert over_reported(outcomes) <= ROUNDING
    assert any(v.p is not None and v.p >= 1 - ROUNDING for v, _ in outcomes)


def test_coin_is_the_sum_of_the_tails() -> None:
    tail = Fraction(2 * sum(math.comb(50, k) for k in range(10)), 2**50)
    assert coin(9, 50).p == pytest.approx(float(tail), rel=1e-12)
    assert coin(41, 50).p == pytest.approx(float(tail), rel=1e-12)


@pytest.mark.parametrize("tie", [0.0, 0.4])
def test_sign_test_is_valid_with_ties(tie: float) -> None:
    chances = [0.5 - tie / 2, tie, 0.5 - tie / 2]
    outcomes = [(sign_test(s, 2.0), c) for s, c in products([-1.0, 2.0, 2.5], chances, 7)]
    assert over_reported(outcomes) <= ROUNDING


@pytest.mark.parametrize("chances", [[0.2, 0.3, 0.5], [0.01, 0.01, 0.98], [0.25, 0.25, 0.25, 0.25]])
def test_cell_counts_are_valid(chances: list[float]) -> None:
    cells = [float(i) for i in range(len(chances))]
    outcomes = [
        (cell_counts(np.bincount(np.array(s, int), minlength=len(cells)), chances), c)
        for s, c in products(cells, chances, 6)
    ]
    assert over_reported(outcomes) <= ROUNDING


def test_cells_of_probability_zero() -> None:
    assert cell_counts([4, 0, 4], [0.5, 0.0, 0.5]).p == 1.0
    assert cell_counts([3, 1, 4], [0.5, 0.0, 0.5]).p == 0.0
    assert cell_counts([3, 7], [0.5, 0.5]).p == coin(3, 10).p


@pytest.mark.parametrize("z", [0.0, 0.1, 1.7, -3.0, 5.5])
def test_normal_mean_of_a_known_sd(z: float) -> None:
    for n, m, sd in ((1, 0.0, 1.0), (4, -2.0, 0.5), (9, 7.0, 3.0)):
        shape = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)  # any sample with this mean has this p-value
        p = normal_mean(m + sd * (z / math.sqrt(n) + shape), m, sd).p
        assert p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=1e-9)


def direction(n: int, cosine: float) -> np.ndarray:
    """A vector of n numbers at this angle to (1, .., 1)."""
    one = np.ones(n) / math.sqrt(n)
    other = np.zeros(n)
    other[:2] = (1 / math.sqrt(2), -1 / math.sqrt(2))
    return cosine * one + math.sqrt(1 - cosine**2) * other


@pytest.mark.parametrize("cosine", [0.0, 0.2, -0.6, 0.999, -0.999999])
def test_normal_mean_of_any_sd_is_geometry(cosine: float) -> None:
    """Normal draws have a uniform direction: in the plane the angle is uniform, in space its cosine (Archimedes)."""
    assert normal_mean(5 + 3 * direction(2, cosine), 5).p == pytest.approx(
        2 * math.acos(abs(cosine)) / math.pi, abs=1e-9
    )
    assert normal_mean(5 + 3 * direction(3, cosine), 5).p == pytest.approx(1 - abs(cosine), abs=1e-9)


@pytest.mark.parametrize("cosine", [0.0, 0.2, -0.6, 0.999, -0.999999])
def test_correlation_is_geometry(cosine: float) -> None:
    """The centred draws of n pairs are two directions in n - 1 dimensions, and r is the cosine between them."""
    across, along = np.array([1, 1, -1, -1.0]), np.array([1, -1, 1, -1.0])
    p = correlation(across, 7 + cosine * across + math.sqrt(1 - cosine**2) * along).p
    assert p == pytest.approx(1 - abs(cosine), abs=1e-9)
    first, second = np.array([1, -1, 0.0]) / math.sqrt(2), np.array([1, 1, -2.0]) / math.sqrt(6)
    p = correlation(first, cosine * first + math.sqrt(1 - cosine**2) * second - 4).p
    assert p == pytest.approx(2 * math.acos(abs(cosine)) / math.pi, abs=1e-7)


@pytest.mark.parametrize("statistic", [1e-3, 0.4, 2 * math.log(2), 3.0, 40.0])
def test_normal_variance_with_two_degrees_is_exponential(statistic: float) -> None:
    expected = 2 * min(math.exp(-statistic / 2), -math.expm1(-statistic / 2))
    at_3 = 1 + 2 * math.sqrt(statistic / 2) * np.array([1.0, -1.0])  # two draws around a mean of 1, sd 2
    assert normal_variance(at_3, 4.0, mean=1.0).p == pytest.approx(min(1, expected), rel=1e-9)
    free = 8 + 2 * math.sqrt(statistic / 6) * np.array([1.0, 1.0, -2.0])  # three around any mean
    assert normal_variance(free, 4.0).p == pytest.approx(min(1, expected), rel=1e-9)


SKEWED = ([0.0, 1.0, 7.0], [0.7, 0.27, 0.03])


@pytest.mark.parametrize("n", [1, 3, 7])
@pytest.mark.parametrize("alpha", [0.2, 1e-3])
def test_catoni_is_an_e_value(n: int, alpha: float) -> None:
    values, chances = SKEWED
    mean = sum(v * c for v, c in zip(values, chances, strict=True))
    variance = sum((v - mean) ** 2 * c for v, c in zip(values, chances, strict=True))
    outcomes = [(catoni(s, mean, variance, alpha), c) for s, c in products(values, chances, n)]
    assert sum((v.e or 0.0) * c for v, c in outcomes) <= 1 + ROUNDING
    assert sum(c for v, c in outcomes if v.rejects(alpha)) <= alpha


@pytest.mark.parametrize("threshold", [1.05, 1.5, 3.0])
def test_catoni_may_be_stopped_at_any_time(threshold: float) -> None:
    values, chances = SKEWED
    mean = sum(v * c for v, c in zip(values, chances, strict=True))
    variance = sum((v - mean) ** 2 * c for v, c in zip(values, chances, strict=True))
    crossed = expectation = 0.0
    for s, c in products(values, chances, 8):
        process = CatoniProcess.planned(4, mean, variance, 0.2)
        for draw in s:
            process = process.after([draw])
            if process.e >= threshold:
                crossed += c
                break
        expectation += c * process.e
    assert expectation <= 1 + ROUNDING
    assert 0 < crossed <= 1 / threshold


@pytest.mark.parametrize("law_of_x", [([0.0, 1.0], [0.9, 0.1]), ([0.0, 0.5, 1.0], [0.1, 0.2, 0.7]), SKEWED])
def test_bounded_means_are_valid(law_of_x: tuple[list[float], list[float]]) -> None:
    values, chances = law_of_x
    mean = sum(v * c for v, c in zip(values, chances, strict=True))
    variance = sum((v - mean) ** 2 * c for v, c in zip(values, chances, strict=True))
    samples = list(products(values, chances, 7))
    assert over_reported([(bounded_mean(s, mean, 0.0, max(values)), c) for s, c in samples]) <= ROUNDING
    assert over_reported([(bennett_mean(s, mean, variance, max(values)), c) for s, c in samples]) <= ROUNDING


def test_equal_draws_and_constants() -> None:
    assert normal_mean([2.0, 2.0], 1.0).p == 0.0
    assert correlation([1.0, 1.0, 1.0], [0.0, 1.0, 2.0]).p == 0.0
    assert sign_test([3.0, 3.0], 3.0).p == 1.0
    assert normal_law([0.0]).p == pytest.approx(2 * 0.5)
