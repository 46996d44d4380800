"""Assertions for stochastic code: what passes, what fails and how it says so, and the budget of a session."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference.statistics import Verdict
from bayesnoise_reference.testing import (
    ErrorBudget,
    assert_law,
    assert_mean,
    assert_probability,
    assert_same_law,
    assert_unbiased,
    assert_uncorrelated,
    assert_variance,
    current_budget,
    using,
)
from enumerated import products
from scipy.special import ndtri

NORMAL = ndtri((np.arange(400) + 0.5) / 400)  # as normal as 400 numbers can be: no draw, so nothing here is random
UNIFORM = (np.arange(400) + 0.5) / 400
OTHER = np.random.default_rng(7).permutation(NORMAL)


@pytest.fixture(autouse=True)
def budget() -> Iterator[ErrorBudget]:
    """A budget for these tests alone: the session of this repository is not billed."""
    with using(ErrorBudget(1e-3)) as own:
        yield own


PASS_AND_FAIL: list[tuple[Callable[..., Verdict], tuple[Any, ...], tuple[Any, ...], dict[str, Any]]] = [
    (assert_mean, (NORMAL, 0.0), (NORMAL, 0.5), {"if_normal": True}),
    (assert_mean, (NORMAL, 0.0), (NORMAL, 0.5), {"if_normal_with_sd": 1.0}),
    (assert_mean, (UNIFORM, 0.5), (UNIFORM, 0.7), {"if_between": (0.0, 1.0)}),
    (assert_mean, (UNIFORM, 0.5), (UNIFORM, 0.7), {"if_variance_at_most": 1 / 12}),
    (assert_mean, (UNIFORM, 0.5), (UNIFORM, 0.6), {"if_variance_at_most": 1 / 12, "if_within": 0.6}),
    (assert_unbiased, (NORMAL[:, None], [0.0]), (NORMAL[:, None], [0.5]), {"if_normal": True}),
    (assert_unbiased, (UNIFORM, 0.5), (UNIFORM, 0.7), {"if_variance_at_most": 1 / 12}),
    (assert_probability, (UNIFORM < 0.25, 0.25), (UNIFORM < 0.25, 0.5), {}),
    (assert_variance, (NORMAL, 1.0), (NORMAL, 2.0), {"if_normal": True}),
    (assert_variance, (NORMAL, 1.0), (NORMAL, 2.0), {"if_normal": True, "if_mean": 0.0}),
    (assert_variance, (UNIFORM, 1 / 12), (UNIFORM, 1 / 6), {"if_mean": 0.5, "if_between": (0.0, 1.0)}),
    (assert_law, (UNIFORM, lambda x: x), (UNIFORM, lambda x: x * x), {}),
    (assert_same_law, (NORMAL, OTHER + 0.01), (NORMAL, OTHER + 1), {}),
    (assert_uncorrelated, (NORMAL, OTHER), (NORMAL, NORMAL + OTHER), {"if_normal": True}),
    (assert_uncorrelated, (NORMAL, OTHER), (NORMAL, NORMAL + OTHER), {"if_medians": (0.0, 0.0)}),
]


@pytest.mark.parametrize(("check", "right", "wrong", "assumption"), PASS_AND_FAIL)
def test_right_passes_and_wrong_fails_with_its_power(
    check: Callable[..., Verdict], right: Any, wrong: Any, assumption: Any, budget: ErrorBudget
) -> None:
    share = 1e-3 * 6 / math.pi**2
    verdict = check(*right, **assumption)
    assert not verdict.rejects(share)
    with pytest.raises(AssertionError) as failure:
        check(*wrong, **assumption)
    message = str(failure.value)
    assert "expected" in message
    assert "Assumed: independent" in message
    assert re.search(r"With n = \d+ this assertion finds .*\d", message)
    assert "with probability at least 1 - 1e-06" in message
    assert f"but for a probability of {share / 4:.3g}" in message
    assert [r.alpha for r in budget.records] == pytest.approx([share, share / 4])
    assert check(*wrong, **assumption, alpha=1e-300)  # an error of its own, so small that all passes
    assert len(budget.records) == budget.shares == 2


def test_the_message_in_full() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_mean(np.ones(100), 0.0, if_normal_with_sd=1.0)
    assert str(failure.value) == (
        "mean: the sample mean is 1, expected 0 (p = 1.52e-23, a correct program has p above 0.000608 but for a "
        "probability of 0.000608). Assumed: independent normal draws of standard deviation 1. With n = 100 this "
        "assertion finds a mean off by 0.819 standard deviations with probability at least 1 - 1e-06."
    )


@pytest.mark.parametrize(
    "alpha", [0.2, 0.1]
)  # five equal draws have p = 1/16: below 0.2 / 2, and between 0.1 / 2 and 0.1
def test_unbiased_divides_its_error_among_the_coordinates(alpha: float) -> None:
    """Enumerated: two coordinates, five draws of -1 or 1, all 2^10 samples, and the share that fails."""
    fails = 0
    for values, _ in products([-1.0, 1.0], [0.5, 0.5], 10):
        try:
            assert_unbiased(np.reshape(values, (5, 2)), np.zeros(2), if_between=(-1.0, 1.0), alpha=alpha)
        except AssertionError:
            fails += 1
    one = sum(math.comb(5, k) for k in range(6) if 2 * math.exp(-5 * kl(k / 5)) <= alpha / 2)
    assert Fraction(fails, 2**10) == 1 - (1 - Fraction(one, 2**5)) ** 2
    assert (fails > 0) == (alpha == 0.2)
    assert fails / 2**10 <= alpha
    together = assert_unbiased(np.stack([UNIFORM, UNIFORM], 1), [0.5, 0.5], if_between=(0.0, 1.0), alpha=alpha)
    assert together.detects == assert_mean(UNIFORM, 0.5, if_between=(0.0, 1.0), alpha=alpha / 2).detects


def kl(a: float) -> float:
    return sum(q * math.log(2 * q) for q in (a, 1 - a) if q > 0)


def test_unbiased_names_the_coordinate() -> None:
    estimates = np.zeros((400, 2, 3)) + UNIFORM[:, None, None]
    estimates[:, 1, 2] = UNIFORM**4
    with pytest.raises(
        AssertionError,
        match=r"unbiased in 6 coordinates: the mean of the estimates at \(1, 2\) is 0.199999, expected 0.5",
    ):
        assert_unbiased(estimates, np.full((2, 3), 0.5), if_between=(0.0, 1.0))


@pytest.mark.parametrize("alpha", [1e-6, 0.05])
def test_a_budget_covers_any_number_of_assertions(alpha: float) -> None:
    budget = ErrorBudget(alpha)
    shares = [budget.share() for _ in range(20000)]
    assert sum(shares) == pytest.approx(budget.spent)
    assert 0.9999 * alpha < sum(shares) < alpha
    assert shares == sorted(shares, reverse=True)
    # what is left is less than the integral of 6 / (pi x)^2 from 20000 on, and more than from 20001 on
    assert alpha * 6 / math.pi**2 / 20001 < alpha - budget.spent < alpha * 6 / math.pi**2 / 20000


def test_the_whole_session_errs_with_at_most_alpha() -> None:
    """Enumerated: sessions of three assertions on four fair coins each, all 2^12 of them."""
    alpha, fails = 0.25, 0
    for tosses in itertools.product((0, 1), repeat=12):
        with using(ErrorBudget(alpha)):
            try:
                for start in (0, 4, 8):
                    assert_probability(tosses[start : start + 4], 0.5)
            except AssertionError:
                fails += 1
    assert 0 < fails / 2**12 <= alpha


def test_budgets_nest_and_say_what_was_spent(budget: ErrorBudget) -> None:
    assert budget.summary() == []
    with using(ErrorBudget(0.01)) as inner:
        assert current_budget() is inner
        assert_probability([0, 1, 1, 0], 0.5)
    assert current_budget() is budget
    assert budget.records == []
    head, line = inner.summary()
    assert head == "1 stochastic assertion spent 0.00608 of an error budget of 0.01 for the session"
    assert line.endswith(": probability, p = 1, alpha = 0.00608; finds nothing at this n")
    assert "test_budgets_nest_and_say_what_was_spent" in line


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: ErrorBudget(1.0), "alpha is 1.0, expected a probability of error above 0 and below 1"),
    (lambda: assert_mean([1.0, 2.0], 0.0), "0 assumptions were given, expected one of if_normal, "),
    (lambda: assert_mean([1.0], 0.0, if_normal_with_sd=1, if_between=(0, 1)), "2 assumptions were given"),
    (lambda: assert_mean([1.0], 0.0, if_between=(0, 2), if_within=1), "the last with if_within"),
    (lambda: assert_mean([3.0], 0.5, if_between=(0, 1)), "samples lie between 3 and 3, expected between 0 and 1"),
    (lambda: assert_mean([math.nan], 0.5, if_normal_with_sd=1), "samples has 1 values of 1 that are NaN"),
    (lambda: assert_unbiased([[1.0]], [1.0, 2], if_normal=True), r"estimates has shape \(1, 1\), expected \(n, ...\)"),
    (lambda: assert_unbiased([[math.inf]], [1.0], if_normal=True), "estimates has 1 values of 1 that are NaN or inf"),
    (lambda: assert_probability([0.3], 0.5), "outcomes has values other than 0 and 1"),
    (lambda: assert_variance([0.3, 1], 0.5), "expected if_normal=True, or if_between"),
    (lambda: assert_variance([0.3, 1], 0.5, if_between=(0, 1)), "together with if_mean=m"),
    (lambda: assert_variance([0.3, 3], 0.5, if_between=(0, 1), if_mean=0.5), "samples lie between 0.3 and 3"),
    (lambda: assert_uncorrelated([1, 2, 3], [1, 2, 4]), "expected exactly one of the two"),
    (lambda: assert_uncorrelated([1, 2, 3], [1, 2, 4, 5], if_normal=True), "x has 3 values and y 4"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_nothing_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; import bayesnoise_reference.testing.plugin; import bayesnoise_reference.testing as t;"
        "heavy = {'numpy', 'scipy', 'hypothesis'} & set(sys.modules); t.assert_mean; import sys;"
        "print(sorted(heavy), 'scipy' in sys.modules, 'hypothesis' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[0] == "[] True False"
    with pytest.raises(AttributeError, match="no attribute 'assert_nothing'"):
        getattr(__import__("bayesnoise_reference.testing").testing, "assert_nothing")  # noqa: B009
