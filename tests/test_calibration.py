"""Temperature scaling: the closed form of two classes, the minimum over temperatures, and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from bayesnoise import metrics
from bayesnoise.calibration import apply_temperature, fit_temperature


@pytest.mark.parametrize("margin", [0.3, 2.0, 11.0])
@pytest.mark.parametrize("right", [6, 8, 9])
def test_two_classes_of_one_margin_have_a_closed_form(margin: float, right: int) -> None:
    """The confidence sigmoid(margin / T) must be the accuracy: T = margin / logit(accuracy)."""
    labels = np.asarray([0] * right + [1] * (10 - right))
    logits = np.tile([[margin, 0.0]], (10, 1))
    exact = margin / math.log(right / (10 - right))
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(exact, rel=1e-12)
    p = np.exp(apply_temperature(logits, temperature))
    assert metrics.expected_calibration_error(p, labels) == pytest.approx(0, abs=1e-12)


def _nll_at(temperature: float, logits: Any, labels: Any) -> float:
    mean = softmax(logits, axis=-1).mean(axis=0)
    log_p = np.log(mean / mean.max(axis=-1, keepdims=True)) / temperature
    log_p -= np.log(np.exp(log_p).sum(axis=-1, keepdims=True))
    return float(-np.mean(log_p[np.arange(len(labels)), labels]))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_temperature_does_better(seed: int, t: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = 3 * rng.normal(size=(t, 30, 4)), rng.integers(0, 4, 30)
    temperature = fit_temperature(logits, labels)
    reached = _nll_at(temperature, logits, labels)
    search: Any = minimize_scalar(lambda u: _nll_at(math.exp(u), logits, labels), bounds=(-4.6, 4.6), method="bounded")
    grid = [_nll_at(c, logits, labels) for c in np.geomspace(0.011, 99, 30)]
    assert reached <= min(float(search.fun), *grid) + 1e-13
    log_p = apply_temperature(logits, temperature)
    assert metrics.nll(log_p[None], labels) == pytest.approx(reached, rel=1e-12)


def test_scaling_the_logits_scales_the_temperature() -> None:
    rng = np.random.default_rng(5)
    logits, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    logits[np.arange(60), labels] += 1
    assert fit_temperature(5 * logits, labels) == pytest.approx(5 * fit_temperature(logits, labels), rel=1e-10)


def test_log_probabilities_do_as_well_as_logits_and_accuracy_stays() -> None:
    rng = np.random.default_rng(6)
    logits, labels = 2 * rng.normal(size=(3, 50, 4)), rng.integers(0, 4, 50)
    log_p = np.log(softmax(logits, axis=-1))
    temperature = fit_temperature(logits, labels)
    assert fit_temperature(log_p, labels) == pytest.approx(temperature, rel=1e-10)
    once = apply_temperature(logits, 1.0)
    np.testing.assert_allclose(np.exp(once), softmax(logits, axis=-1).mean(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(np.argmax(once, axis=-1), np.argmax(apply_temperature(logits, temperature), axis=-1))


def test_bounds() -> None:
    assert fit_temperature([[9.0, 0.0], [0.0, 9.0]], [0, 1]) == 0.01  # all right: as sure as can be
    assert fit_temperature([[9.0, 0.0], [0.0, 9.0]], [1, 0]) == 100.0  # all wrong: as unsure as can be
    assert fit_temperature([[0.0, 0.0]], [0]) == 100.0  # no information


def test_classes_of_probability_zero() -> None:
    logits = np.asarray([[2.0, 0.0, -np.inf]] * 4)
    assert fit_temperature(logits, [0, 0, 0, 1]) == pytest.approx(2 / math.log(3), rel=1e-12)
    assert apply_temperature(logits, 3.0)[0, 2] == -np.inf
    with pytest.raises(ValueError, match=r"log-probability of labels\[3\] is -inf"):
        fit_temperature(logits, [0, 0, 0, 2])


@pytest.mark.parametrize(
    ("words", "logits", "labels"),
    [
        ("logits has shape", [1.0], [0]),
        (r"logits\[0, 1\] is nan", [[1.0, math.nan]], [0]),
        (r"logits\[0, 0\] is inf", [[math.inf, 0.0]], [0]),
        ("largest logit of logits", [[-math.inf, -math.inf]], [0]),
        ("labels has shape", [[1.0, 2.0]], [0, 1]),
        (r"labels\[0\] is 2", [[1.0, 2.0]], [2]),
        ("logits is empty", np.zeros((0, 2)), []),
    ],
)
def test_refusals(words: str, logits: Any, labels: Any) -> None:
    with pytest.raises(ValueError, match=words):
        fit_temperature(logits, labels)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature is"):
        apply_temperature([[1.0, 2.0]], temperature)
