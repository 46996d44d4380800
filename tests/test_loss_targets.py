"""Losses take the targets that they can, and refuse the others in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesnoise.layer import Empty
from bayesnoise.losses import Bernoulli, Categorical, Gaussian, Heteroscedastic, LearnedGaussian, Poisson


def test_labels_of_any_integer_dtype() -> None:
    f = np.random.default_rng(0).standard_normal((3, 200))
    want, _ = Categorical().forward(Empty(), f, np.array([0, 100, 127]))
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        assert np.array_equal(Categorical().forward(Empty(), f, np.array([0, 100, 127], dtype=dtype))[0], want)


ROW = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("loss", "f", "target", "error", "message"),
    [
        (
            Gaussian(),
            ROW,
            np.zeros(2),
            ValueError,
            r"target has shape \(2,\), expected \(2, 3\) for f of shape \(2, 3\)",
        ),
        (Gaussian(), np.zeros((2, 1)), np.zeros(2), ValueError, "reshape it, one target a row as well"),
        (
            Gaussian(),
            np.zeros(2),
            np.zeros(2),
            ValueError,
            r"f has shape \(2,\), expected \(n, k\), one row an example",
        ),
        (Gaussian(), ROW, ROW.astype(np.float32), TypeError, "target has dtype float32 and f float64"),
        (
            Gaussian(),
            ROW,
            np.zeros((2, 3), dtype=np.int64),
            TypeError,
            "target has dtype int64, expected real floating",
        ),
        (LearnedGaussian(), ROW, np.zeros((3, 2)), ValueError, r"target has shape \(3, 2\)"),
        (Heteroscedastic(), ROW, ROW, ValueError, r"f has shape \(2, 3\), expected \(n, 2 k\)"),
        (
            Heteroscedastic(),
            np.zeros((2, 4)),
            np.zeros((2, 4)),
            ValueError,
            r"expected \(2, 2\) for f of shape \(2, 4\)",
        ),
        (Categorical(), ROW, np.array([0, 3]), ValueError, "target holds labels from 0 to 3, expected 0 to 2"),
        (Categorical(), ROW, np.array([-1, 0]), ValueError, "target holds labels from -1 to 0"),
        (Categorical(), ROW, np.array([0.0, 1.0]), TypeError, "target has dtype float64, expected integers"),
        (Categorical(), ROW, [0, 1], TypeError, "target is a list, expected an array of integers"),
        (
            Categorical(),
            ROW,
            np.zeros((2, 1), dtype=np.int64),
            ValueError,
            r"target has shape \(2, 1\), expected \(2,\)",
        ),
        (Categorical(), np.zeros((2, 0)), np.array([0, 0]), ValueError, "logits"),
        (Bernoulli(), ROW, ROW + 0.5, ValueError, "neither 0 nor 1"),
        (Bernoulli(), ROW, ROW * np.nan, ValueError, "neither 0 nor 1"),
        (Poisson(), ROW, ROW - 1.0, ValueError, "no count, expected whole numbers from 0"),
        (Poisson(), ROW, ROW + 0.5, ValueError, "no count"),
        (Poisson(), ROW, ROW + np.inf, ValueError, "no count"),
    ],
)
def test_targets_that_do_not_fit(loss: Any, f: Any, target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        loss.forward(loss.init(like=np.ones(1)), f, target)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Gaussian(0.0), "scale is 0.0, expected a finite number above 0"),
        (lambda: LearnedGaussian(-1.0), "initial_scale is -1.0"),
        (lambda: Heteroscedastic(0.0), "minimum_variance is 0.0"),
        (lambda: Heteroscedastic().mean(Empty(), ROW), r"f has shape \(2, 3\), expected \(n, 2 k\)"),
    ],
)
def test_constants_out_of_range(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
