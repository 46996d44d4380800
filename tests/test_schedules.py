"""Every schedule against its formula, in exact arithmetic where it is rational."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesnoise import schedules
from bayesnoise.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MinibatchWeights,
    Schedule,
    Steps,
    Warmup,
)

CASES: dict[type, list[tuple[Schedule, dict[float, float]]]] = {
    Constant: [(Constant(0.25), {0: 0.25, 1000: 0.25})],
    Linear: [
        (Linear(0.0, 1.0, begin=5, end=15), {0: 0, 5: 0, 6: 0.1, 10: 0.5, 12.5: 0.75, 15: 1, 16: 1, 1000: 1}),
        (Linear(0.5, 0.125, begin=0, end=3), {0: 0.5, 1: 0.375, 2: 0.25, 3: 0.125, 4: 0.125}),
    ],
    Warmup: [
        (Warmup(Constant(0.5), 4), {0: 0.125, 1: 0.25, 2: 0.375, 3: 0.5, 4: 0.5, 50: 0.5}),
        (Warmup(Linear(1.0, 0.0, begin=0, end=10), 2), {0: 0.5, 1: 0.9, 2: 0.8, 10: 0.0}),
    ],
    Cosine: [
        (Cosine(2.0, 6), {0: 2, 1: 1 + math.sqrt(3) / 2, 2: 1.5, 3: 1, 4: 0.5, 5: 1 - math.sqrt(3) / 2, 6: 0, 7: 0}),
        (Cosine(1.0, 4, last=0.5), {0: 1, 2: 0.75, 4: 0.5, 5: 0.5}),
    ],
    Exponential: [
        (Exponential(0.5, 0.5), {0: 0.5, 1: 0.25, 3: 0.0625}),
        (Exponential(1.0, 0.25, steps=2), {0: 1, 1: 0.5, 2: 0.25, 4: 0.0625}),
    ],
    Steps: [(Steps(1.0, 0.5, (10, 20)), {0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.25, 99: 0.25})],
    MinibatchWeights: [
        (MinibatchWeights(1), {0: 1, 1: 1}),
        (MinibatchWeights(3), {0: 4 / 7, 1: 2 / 7, 2: 1 / 7, 3: 4 / 7, 8: 1 / 7}),
    ],
}


def test_every_public_schedule_has_a_case() -> None:
    assert set(CASES) == {getattr(schedules, name) for name in schedules.__all__} - {Schedule}


@pytest.mark.parametrize(("schedule", "values"), [pair for pairs in CASES.values() for pair in pairs], ids=repr)
def test_values(schedule: Schedule, values: dict[float, float]) -> None:
    for step, value in values.items():
        got = schedule(step)
        assert isinstance(got, float)
        assert got == pytest.approx(value, rel=1e-14, abs=1e-15)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.fractions(0, 1), st.fractions(0, 1), st.integers(0, 50), st.integers(1, 50), st.integers(0, 120))
def test_linear_in_exact_arithmetic(first: Fraction, last: Fraction, begin: int, length: int, step: int) -> None:
    done = min(max(Fraction(step - begin, length), Fraction(0)), Fraction(1))
    got = Linear(float(first), float(last), begin, begin + length)(step)
    assert got == pytest.approx(float(first + (last - first) * done), rel=1e-14, abs=1e-15)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0.01, 1.0), st.floats(0.0, 0.01), st.integers(1, 1000), st.integers(0, 1200))
def test_cosine_by_its_published_formula(first: float, last: float, steps: int, step: int) -> None:
    want = last + (first - last) * (1 + math.cos(math.pi * min(step, steps) / steps)) / 2
    assert Cosine(first, steps, last)(step) == pytest.approx(want, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("batches", [1, 2, 3, 10, 52, 1023, 1024, 2000])
def test_minibatch_weights_in_exact_arithmetic(batches: int) -> None:
    schedule = MinibatchWeights(batches)
    got = [schedule(i) for i in range(batches)]
    want = [Fraction(2 ** (batches - i), 2**batches - 1) for i in range(1, batches + 1)]
    for weight, exact in zip(got, want, strict=True):
        assert weight == pytest.approx(float(exact), rel=1e-15, abs=math.ldexp(1.0, -1074))
    assert math.fsum(got) == pytest.approx(1.0, rel=1e-15)


def test_schedules_compare_and_hash() -> None:
    assert Warmup(Cosine(0.1, 10), 2) == Warmup(Cosine(0.1, 10), 2) != Warmup(Cosine(0.1, 10), 3)
    assert hash(Steps(1.0, 0.5, (1, 2))) == hash(Steps(1.0, 0.5, (1, 2)))
    boundaries: Any = [1, 2]
    assert Steps(1.0, 0.5, boundaries) == Steps(1.0, 0.5, (1, 2))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Constant(float("nan")), ValueError, "value is nan, expected a finite number"),
        (lambda: Linear(0.0, 1.0, begin=5, end=5), ValueError, "begin is 5 and end 5, expected 0 <= begin < end"),
        (lambda: Linear(0.0, 1.0, begin=-1, end=5), ValueError, "begin is -1"),
        (lambda: Linear(np.inf, 1.0, begin=0, end=5), ValueError, "first is inf"),
        (lambda: Warmup(Constant(1.0), 0), ValueError, "steps is 0, expected at least 1"),
        (lambda: Cosine(0.1, 10.5), TypeError, "steps is 10.5, expected an integer"),  # type: ignore[arg-type]
        (lambda: Cosine(0.1, 10, last=np.nan), ValueError, "last is nan"),
        (lambda: Exponential(0.1, 1.5), ValueError, r"rate is 1.5, expected a factor in \(0, 1\]"),
        (lambda: Exponential(0.1, 0.5, steps=0), ValueError, "steps is 0"),
        (lambda: Steps(0.1, 0.0, (1,)), ValueError, "rate is 0.0"),
        (lambda: Steps(0.1, 0.5, (2, 2)), ValueError, "expected steps above 0 that increase"),
        (lambda: MinibatchWeights(0), ValueError, "batches is 0, expected at least 1"),
    ],
)
def test_arguments_out_of_range(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
