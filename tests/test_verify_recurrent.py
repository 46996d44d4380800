"""The library's recurrent layers before the kit, and layers of torch that are no recurrent layers of random weights."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_recurrent import gru, library_recurrent, lstm
from bayesnoise_reference.claims.readings import pairs_coin_of
from bayesnoise_reference.families.recurrent import GRU, LSTM

KINDS = list(itertools.product((lstm, gru), ("shared", "flipout"), ("float64", "float32")))


@pytest.mark.parametrize(("make", "estimator", "dtype"), KINDS)
def test_the_layers_of_the_library_hold(make: Any, estimator: Any, dtype: Any) -> None:
    bias, scale = ("random", "exp") if (dtype == "float64") == (make is lstm) else ("deterministic", "softplus")
    report = verify(make(estimator, dtype=dtype, bias=bias, scale=scale, inputs=3, units=5))
    assert not report.refuted, [c.sentence for c in report.refuted]
    assert not [c.id for c in report.claims if c.status == "not run"]


@pytest.mark.parametrize("make", [lstm, gru])
def test_a_layer_of_many_units_is_read_all_the_same(make: Any) -> None:
    """In float32, where states saturate first: what a unit has from 32 states is no larger than from 2."""
    report = verify(make("shared", dtype="float32", bias="random", inputs=8, units=32))
    assert not report.refuted, [c.sentence for c in report.refuted]
    assert not [c.id for c in report.claims if c.status == "not run"]


def test_two_signs_that_agree_in_exactly_half_of_the_calls_are_apart() -> None:
    """A column agrees with itself in all calls, and is no pair: neither when no pair is off a half, nor otherwise."""
    trial: Any = SimpleNamespace(alpha=1e-6)
    signs = np.array([[1.0, 1.0], [1.0, -1.0]] * 32)
    apart = pairs_coin_of(trial, signs, "two columns")
    assert apart.p == 1.0
    together = pairs_coin_of(trial, np.repeat(signs[:, 1:], 2, axis=1), "two columns")
    assert together.p == pytest.approx(2.0**-63, rel=1e-12, abs=0.0)


class Ordinary:
    """A `torch.nn.LSTM` with its weights as the means, and no noise at all."""

    def __init__(self, description: LSTM) -> None:
        self.description = description
        self.module = torch.nn.LSTM(description.inputs, description.units, batch_first=True, dtype=torch.float64)

    def load(self, parameters: dict[str, Any]) -> None:
        names = {"weight_ih_l0": "input_mean", "weight_hh_l0": "hidden_mean"}
        names |= {"bias_ih_l0": "input_bias", "bias_hh_l0": "hidden_bias"}
        for theirs, ours in names.items():
            getattr(self.module, theirs).data = torch.tensor(np.ascontiguousarray(parameters[ours].T))

    def sample(self, x: Any) -> Any:
        return self.module(torch.tensor(x))[0].detach().numpy()


def test_a_layer_without_noise_has_the_gates_of_torch() -> None:
    """What is of the means alone holds, seen from outside, and what is of the noise is refuted."""
    ordinary: Any = Ordinary(LSTM(estimator="shared"))
    report = verify(ordinary)
    refuted = {c.id.split(".", 2)[2] for c in report.refuted}
    assert {"input-weight-variance", "hidden-weight-variance", "calls-draw-anew"} <= refuted
    assert not {c.id.split(".", 2)[2] for c in report.claims if c.status == "holds"} & refuted
    holds = {c.id.split(".", 2)[2] for c in report.claims if c.status == "holds"}
    assert {"scale-zero", "steps-share-input-weights", "examples-share-weights", "zero-batch"} <= holds


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LSTM(estimator="local"), "estimator is 'local', expected 'shared' or 'flipout': one that draws"),  # type: ignore[arg-type]
        (lambda: GRU(units=1), "units is 1, expected at least 2"),
        (lambda: LSTM(bias="none"), "bias is 'none'"),  # type: ignore[arg-type]
        (lambda: LSTM(prior=0.0), "prior is 0.0"),
        (lambda: GRU(scale="sqrt"), "scale is 'sqrt'"),  # type: ignore[arg-type]
        (lambda: library_recurrent(LSTM(scale="identity")), "scale is 'identity', expected one of 'softplus', 'exp'"),
    ],
)
def test_descriptions_that_cannot_be_are_named(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
