"""What is no number where one is due: a TypeError that names the argument, says what came and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bayesnoise as bn
from bayesnoise import _checks, maps, methods, natural_gradient, normalisation, optimizers, schedules

DENSE, CONV = maps.Dense(3, 2), maps.Conv(1, 1, (2,))
CHECKS = (_checks.positive, _checks.probability, _checks.open_probability, _checks.finite, _checks.not_negative)
BUILD: list[tuple[str, Callable[[Any], object]]] = [
    ("rate", lambda v: methods.dropout(DENSE, rate=v)),
    ("rate", lambda v: methods.gaussian_dropout(DENSE, rate=v)),
    ("rate", lambda v: methods.drop_connect(DENSE, rate=v)),
    ("rate", lambda v: methods.drop_block(CONV, rate=v)),
    ("rate", lambda v: methods.concrete_dropout(DENSE, rate=v)),
    ("prior_scale", lambda v: methods.concrete_dropout(DENSE, prior_scale=v)),
    ("initial_scale", lambda v: methods.flipout(DENSE, initial_scale=v)),
    ("initial_log_alpha", lambda v: methods.variational_dropout(DENSE, initial_log_alpha=v)),
    ("initial_log_alpha", lambda v: methods.variational_dropout(DENSE, type="B", initial_log_alpha=v)),
    ("initial_log_sigma2", lambda v: methods.sparse_variational_dropout(DENSE, initial_log_sigma2=v)),
    ("beta", lambda v: methods.information_dropout(DENSE, beta=v)),
    ("learning_rate", natural_gradient.ivon),
    ("learning_rate", optimizers.adam),
    ("momentum", lambda v: normalisation.BatchNorm(3, momentum=v)),
    ("rate", lambda v: schedules.Exponential(0.1, v)),
    ("scale", bn.losses.Gaussian),
]


@pytest.mark.parametrize(
    ("value", "came"),
    [
        ("a", "'a'"),
        (None, "None"),
        (1j, "1j"),
        ([0.5], r"\[0.5\]"),
        (np.full((3,), 0.5), r"an array of shape \(3,\)"),
        (np.full((1,), 0.5), r"an array of shape \(1,\)"),
    ],
    ids=["text", "nothing", "complex", "list", "array", "array of one"],
)
def test_it_is_named(value: Any, came: str) -> None:
    for name, build in BUILD:
        with pytest.raises(TypeError, match=f"^{name} is {came}, expected a number$"):
            build(value)


@pytest.mark.parametrize("check", CHECKS)
def test_numbers_of_every_kind_are_numbers(check: Callable[[str, Any], None]) -> None:
    for value in (0.5, np.float32(0.5), np.float64(0.5), np.asarray(0.5)):
        check("rate", value)
    if check not in (_checks.probability, _checks.open_probability):
        check("rate", 1)
        check("rate", np.int64(1))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_start_that_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(ValueError, match=f"initial_log_alpha is {value}, expected a finite number"):
        methods.variational_dropout(DENSE, initial_log_alpha=value)
    with pytest.raises(ValueError, match=f"initial_log_sigma2 is {value}, expected a finite number"):
        methods.sparse_variational_dropout(DENSE, initial_log_sigma2=value)
