"""The pytest plugin in sessions of its own, and the hypothesis strategies."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
from bayesnoise_reference.testing import strategies
from hypothesis import find, given, settings
from hypothesis import strategies as st

pytest_plugins = ("pytester",)

COINS = """
import pytest
from bayesnoise_reference.testing import assert_probability

@pytest.mark.parametrize("i", range(4))
def test_coin(i):
    assert_probability([0, 1] * 50, 0.5)
"""
PLAIN = "def test_plain():\n    assert True\n"


def test_prints_nothing_unless_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PLAIN)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    assert "stochastic" not in result.stdout.str()
    assert "bayesnoise" not in result.stdout.str().split("collected")[1]


def test_prints_what_was_spent(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(COINS + "def test_wrong():\n    assert_probability([1] * 99, 0.5)\n")
    result = pytester.runpytest_inprocess("--bayesnoise-alpha=0.01")
    result.assert_outcomes(passed=4, failed=1)
    text = result.stdout.str()
    spent = 0.01 * 6 / np.pi**2 * sum(1 / i**2 for i in range(1, 6))
    assert f"5 stochastic assertions spent {spent:.3g} of an error budget of 0.01 for the session" in text
    assert (
        len(re.findall(r"::test_coin\[\d\]: probability, p = 1, alpha = \S+; finds a probability of at least", text))
        == 4
    )
    assert "seed 0" in text
    assert (
        "AssertionError: probability: 99 of 99 outcomes are true, expected a probability of 0.5 (p = 3.16e-30" in text
    )


MANY = """
import pytest
from bayesnoise_reference.testing import assert_probability

@pytest.mark.parametrize("i", range(30))
def test_coin(i):
    assert_probability([0, 1] * (2 if i == 25 else 500), 0.5)
"""


@pytest.mark.parametrize(("options", "shown"), [((), 20), (("-v",), 30), (("-q",), 0)])
def test_a_long_session_has_a_short_summary(pytester: pytest.Pytester, options: tuple[str, ...], shown: int) -> None:
    pytester.makepyfile(MANY)
    text = pytester.runpytest_inprocess(*options).stdout.str()
    places = re.findall(r"::test_coin\[(\d+)\]: probability, p = 1, alpha = \S+; finds (a probability|nothing)", text)
    assert "30 stochastic assertions spent" in text
    assert len(places) == shown
    assert ("and 10 more: -v shows all" in text) == (shown == 20)
    if shown == 20:  # the one that could find nothing is not among those left out
        assert places[:2] == [("25", "nothing"), ("0", "a probability")]
    if shown == 30:
        assert [place for place, _ in places] == [str(i) for i in range(30)]


def test_every_worker_has_its_part_of_the_budget(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(COINS)
    result = pytester.runpytest_subprocess("-n2", "--dist=each", "--bayesnoise-alpha=0.01")
    text = result.stdout.str()
    spent = 2 * 0.005 * 6 / np.pi**2 * sum(1 / i**2 for i in range(1, 5))
    assert f"8 stochastic assertions spent {spent:.3g} of an error budget of 0.01 for the session" in text


SEEDED = """
from pathlib import Path

def test_seed(bayesnoise_seed, bayesnoise_rng):
    with Path("seen.txt").open("a") as file:
        print(bayesnoise_seed, bayesnoise_rng.normal(), file=file)

def test_another(bayesnoise_seed, bayesnoise_rng):
    test_seed(bayesnoise_seed, bayesnoise_rng)
"""


def test_seeds_are_fixed_and_the_tests_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SEEDED)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
    pytester.runpytest_inprocess("-k", "another").assert_outcomes(passed=1, deselected=1)
    pytester.runpytest_inprocess("--bayesnoise-seed=1", "-k", "another").assert_outcomes(passed=1, deselected=1)
    one, another, alone, reseeded = (pytester.path / "seen.txt").read_text().splitlines()
    assert another == alone
    assert len({one, another, reseeded}) == 3


def test_a_random_seed_is_printed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(COINS)
    text = pytester.runpytest_inprocess("--bayesnoise-seed=random").stdout.str()
    assert re.search(r"^seed \d+$", text, re.M)


@pytest.mark.parametrize("option", ["--bayesnoise-alpha=2", "--bayesnoise-seed=x"])
def test_wrong_options(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile(PLAIN)
    result = pytester.runpytest_inprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert option.split("=")[0] in result.stderr.str()


@given(strategies.dense_cases(np.float32))
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
def test_dense_cases_fit(case: strategies.DenseCase) -> None:
    (batch, n_in), (_, n_out) = case.x.shape, case.mu.shape
    assert case.mu.shape == case.rho.shape == case.eps.shape == (n_in, n_out)
    assert (case.sign_in.shape, case.sign_out.shape) == ((batch, n_in), (batch, n_out))
    assert all(a.dtype == np.float32 and np.all(np.isfinite(a)) for a in case)
    assert np.all(np.abs(case.sign_in) == 1)


def contains(value: float, numbers: np.ndarray) -> bool:
    return bool(np.any(numbers == value))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_hard_cases_are_reached(dtype: type) -> None:
    quick = settings(max_examples=2000, deadline=None, derandomize=True, database=None)
    zero_row = find(strategies.inputs((2, 2), dtype), lambda x: bool(np.any(x[1]) and not np.any(x[0])), settings=quick)
    assert zero_row.dtype == dtype
    for extreme in (-1e4, 1e4):
        found = find(strategies.rhos((2,), dtype), partial(contains, extreme), settings=quick)
        assert found.dtype == dtype
    assert find(strategies.shapes(3), lambda s: s[0] == 0, settings=quick) == (0, 1, 1)


@given(st.data())
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_shapes_and_bounds(data: st.DataObject) -> None:
    shape = data.draw(strategies.shapes(3, least=2, greatest=4, zero_batch=False))
    assert all(2 <= side <= 4 for side in shape)
    assert np.all(np.abs(data.draw(strategies.rhos(shape, extreme=False))) <= 6)
    assert np.all(np.abs(data.draw(strategies.normal_noise(shape))) <= 8)


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match="dimensions is 0, least 1, greatest 5"):
        strategies.shapes(0)
