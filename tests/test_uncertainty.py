"""Predictive uncertainty: exact moments and quantiles of the mixture, and entropies that add up."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from bayesnoise_reference import metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bayesnoise.uncertainty import classification_uncertainty, mixture_quantile, regression_uncertainty

seeds = st.integers(0, 2**32 - 1)


def _passes(seed: int, *shape: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.uniform(0.01, 2.0, size=shape)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 5))
def test_variances_are_those_of_the_mixture_by_quadrature(seed: int, t: int) -> None:
    means, variances = _passes(seed, t, 2)
    u = regression_uncertainty(means, variances)
    for i in range(2):
        mean, variance = oracle.mixture_moments(means[:, i], np.sqrt(variances[:, i]))
        assert u.mean[i] == pytest.approx(mean, rel=1e-12, abs=1e-13)
        assert u.total_variance[i] == pytest.approx(variance, rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_the_law_of_total_variance_is_exact(passes: list[tuple[int, int]]) -> None:
    """Against rational arithmetic: the second moment of the mixture less the square of its mean."""
    t = len(passes)
    mean = Fraction(sum(m for m, _ in passes), t)
    total = Fraction(sum(v + m * m for m, v in passes), t) - mean**2
    means, variances = np.asarray(passes, dtype=np.float64).T[..., None]  # (t, 1) each
    u = regression_uncertainty(means, variances)
    assert u.total_variance[0] == u.aleatoric_variance[0] + u.epistemic_variance[0]
    assert u.total_variance[0] == pytest.approx(float(total), rel=1e-14, abs=0)
    assert u.epistemic_variance[0] == pytest.approx(float(total - Fraction(sum(v for _, v in passes), t)), rel=1e-14)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 6), st.sampled_from([0.5, 0.9, 0.95, 0.999, 1 - 1e-9]))
def test_interval_ends_are_quantiles_of_the_mixture(seed: int, t: int, level: float) -> None:
    means, variances = _passes(seed, t, 3)
    u = regression_uncertainty(means, variances, level=level)
    tail = 0.5 * (1 - level)
    for i in range(3):
        m, s = means[:, i], np.sqrt(variances[:, i])
        # An error of 4 eps in x moves the probability by at most that times the density.
        below = oracle.mixture_cdf(u.lower[i], m, s)
        above = oracle.mixture_cdf(-u.upper[i], -m, s)
        for x, p in ((u.lower[i], below), (u.upper[i], above)):
            density = float(np.mean(norm.pdf(x, loc=m, scale=s)))
            assert p == pytest.approx(tail, rel=1e-12, abs=4e-15 * (abs(x) + 1) * density)


def test_interval_against_many_digits() -> None:
    means, scales = [-1.0, 0.25, 3.0], [0.5, 0.1, 2.0]
    with mpmath.workdps(40):

        def excess(x: Any) -> Any:
            return sum(mpmath.ncdf(x, m, s) for m, s in zip(means, scales, strict=True)) / 3 - mpmath.mpf("0.025")

        exact = float(mpmath.findroot(excess, (-3, 0), solver="anderson", tol=1e-60))
    found = mixture_quantile(np.asarray(means)[:, None], np.asarray(scales)[:, None] ** 2, 0.025)[0]
    assert found == pytest.approx(exact, rel=1e-14)


def test_one_pass_is_a_gaussian_and_its_interval_symmetric() -> None:
    u = regression_uncertainty([[2.0]], 9.0, level=0.95)
    half = 3 * norm.isf(0.5 * (1 - 0.95))
    assert (u.lower[0], u.upper[0]) == (pytest.approx(2 - half, rel=1e-15), pytest.approx(2 + half, rel=1e-15))
    assert (u.epistemic_variance[0], u.aleatoric_variance[0], u.total_variance[0]) == (0, 9, 9)


def test_without_noise_the_interval_is_of_the_passes() -> None:
    means = np.asarray([3.0, 1.0, 2.0, 4.0])[:, None]
    u = regression_uncertainty(means, 0.0, level=0.5)
    assert (u.lower[0], u.upper[0]) == (pytest.approx(1.0), pytest.approx(4.0))
    assert u.aleatoric_variance[0] == 0
    same = regression_uncertainty(np.full((5, 2), 0.3), 0.0)
    np.testing.assert_array_equal(same.lower, same.upper)


def test_far_modes_are_not_blurred_into_one_gaussian() -> None:
    u = regression_uncertainty([[-100.0], [100.0]], 1.0, level=0.9)
    edge = norm.isf(0.1)  # 5 % of the mixture is 10 % of its lower mode
    assert u.lower[0] == pytest.approx(-100 - edge, rel=1e-12)
    assert u.upper[0] == pytest.approx(100 + edge, rel=1e-12)


def test_quantiles_are_ordered_and_mirrored() -> None:
    means, variances = _passes(3, 4, 10, 2)
    levels = [mixture_quantile(means, variances, p) for p in (0.1, 0.25, 0.5, 0.75, 0.9)]
    assert all(np.all(low < high) for low, high in pairwise(levels))
    np.testing.assert_array_equal(mixture_quantile(-means, variances, 0.25), -levels[3])


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.booleans())
def test_entropies_and_information(seed: int, t: int, k: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    p = rng.multinomial(4, [1 / k] * k, size=(t, 3)) / 4 if coarse else rng.dirichlet([0.4] * k, size=(t, 3))
    u = classification_uncertainty(p)
    np.testing.assert_allclose(u.probabilities, p.mean(axis=0), rtol=1e-15, atol=0)
    assert np.all(u.mutual_information >= 0)
    np.testing.assert_allclose(u.predictive_entropy, u.expected_entropy + u.mutual_information, rtol=0, atol=5e-15)
    for i in range(3):
        expected = sum(oracle.entropy(p[s, i]) for s in range(t)) / t
        assert u.predictive_entropy[i] == pytest.approx(oracle.entropy(p[:, i].mean(axis=0)), rel=1e-12, abs=1e-14)
        assert u.expected_entropy[i] == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert u.mutual_information[i] == pytest.approx(oracle.mutual_information(p[:, i]), rel=1e-12, abs=1e-14)


def test_passes_that_agree_carry_no_information_and_certain_ones_that_differ_carry_it_all() -> None:
    agree = classification_uncertainty(np.tile([[[0.2, 0.8]]], (7, 1, 1)))
    assert agree.mutual_information[0] == pytest.approx(0, abs=1e-31)
    differ = classification_uncertainty([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert (differ.expected_entropy[0], differ.mutual_information[0]) == (0, math.log(2))


def test_information_of_nearly_equal_passes_keeps_its_digits() -> None:
    """It is 2 d^2 + O(d^4); a difference of entropies, with its absolute error of 1e-16, would keep four digits."""
    d = 1e-6
    u = classification_uncertainty([[[0.5 + d, 0.5 - d]], [[0.5 - d, 0.5 + d]]])
    assert u.mutual_information[0] == pytest.approx(2 * d * d, rel=1e-9)


@pytest.mark.parametrize(
    ("words", "means", "variances", "level"),
    [
        ("means has shape", [1.0], [1.0], 0.9),
        (r"variances\[0, 0\] is -1", [[1.0]], [[-1.0]], 0.9),
        ("variances has shape", [[1.0]], [[1.0, 2.0]], 0.9),
        (r"means\[0, 0\] is inf", [[math.inf]], 1.0, 0.9),
        ("level is 1", [[1.0]], 1.0, 1.0),
        ("level is nan", [[1.0]], 1.0, math.nan),
        ("means is empty", np.zeros((0, 3)), 1.0, 0.9),
    ],
)
def test_regression_refusals(words: str, means: Any, variances: Any, level: float) -> None:
    with pytest.raises(ValueError, match=words):
        regression_uncertainty(means, variances, level=level)


def test_classification_refusals() -> None:
    with pytest.raises(ValueError, match="probabilities has shape"):
        classification_uncertainty([[0.5, 0.5]])
    with pytest.raises(ValueError, match="take the softmax first"):
        classification_uncertainty([[[0.5, 0.9]]])
    with pytest.raises(ValueError, match="probability is 0"):
        mixture_quantile([[1.0]], 1.0, 0)
