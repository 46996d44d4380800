"""The kit refutes nothing that is right, says what is wrong with a sentence, and never with a traceback."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import claims_for, verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions
from bayesnoise_reference.adapters.library import LibraryLayer
from bayesnoise_reference.claims.outcome import Report
from planted.straightforward import Straightforward
from planted.weights import RIGHT

import bayesnoise
from bayesnoise import maps

METHODS = {
    "shared": bayesnoise.bayes_by_backprop,
    "flipout": bayesnoise.flipout,
    "local": bayesnoise.local_reparameterization,
}
DENSE = Description("dense", "flipout", 5, 8, prior=0.5)
right = RIGHT["dense", "flipout"]


def said(report: Report, topic: str) -> str:
    return next(c.sentence for c in report.claims if c.id.endswith(f".{topic}"))


def refuted(report: Report) -> set[str]:
    return {c.id.split(".", 2)[2] for c in report.claims if c.status == "refuted"}


def sampled(layer: Straightforward, parameters: Any, x: Any) -> Any:
    layer.load(parameters)
    return layer.sample(x)


def library(family: str, estimator: Any, dtype: Any = "float64") -> LibraryLayer:
    """A layer of this library: random bias, and for a convolution groups, strides and padding."""
    build = METHODS[estimator]
    if family == "dense":
        d = Description("dense", estimator, 5, 8, bias="random", prior=0.5, dtype=dtype)
        return LibraryLayer(build(maps.Dense(5, 8), prior_scale=0.5, bias="random"), d)
    d = Description(
        "convolution", estimator, 4, 4, bias="deterministic", layout="out_in", kernel=(3, 2), stride=(1, 2),
        padding=(1, 0), groups=2, prior=0.5, dtype=dtype,
    )  # fmt: skip
    m = maps.Conv(4, 4, (3, 2), stride=(1, 2), padding=(1, 0), groups=2)
    return LibraryLayer(build(m, prior_scale=0.5, bias="deterministic"), d)


@pytest.mark.parametrize("estimator", METHODS)
@pytest.mark.parametrize("family", ["dense", "convolution"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_library_holds(family: str, estimator: str, dtype: str) -> None:
    report = verify(library(family, estimator, dtype), seed=1)
    assert report.exit_code == 0
    not_run = {c.id.rpartition(".")[2] for c in report.claims if c.status == "not run"}
    assert not_run == {"kl-shared"}  # the parts of a chain never share their parameters


@pytest.mark.parametrize("seed", range(20))
def test_a_right_layer_holds_on_twenty_seeds(seed: int) -> None:
    for estimator in METHODS:
        report = verify(Straightforward(RIGHT["dense", estimator]), seed=seed)
        assert not refuted(report), report.refuted


@pytest.mark.parametrize("estimator", ["flipout", "local"])
def test_a_layer_that_is_described_as_another_is_told_which_it_is(estimator: str) -> None:
    layer = Straightforward(RIGHT["dense", estimator])
    adapter = Functions(RIGHT["dense", "shared"], lambda parameters, x: sampled(layer, parameters, x))
    report = verify(adapter, only=["dense.shared.one-draw-a-call"])
    assert said(report, "one-draw-a-call").endswith(
        f"as under the estimator {estimator}, where this layer is described as shared"
    )


def test_what_an_adapter_cannot_do_is_not_run() -> None:
    layer = Straightforward(right)
    functions = Functions(right, lambda p, x: sampled(layer, p, x))
    report = verify(functions)
    assert report.exit_code == 0
    assert said(report, "kl-value") == "the adapter has no kl"
    assert {c.status for c in report.claims} == {"holds", "not run"}


def test_a_report_is_data_and_a_run_repeats() -> None:
    adapter = Straightforward(right, "no-output-signs")
    report, again = (verify(adapter, seed=3) for _ in range(2))
    assert report.claims == again.claims
    text = json.dumps([c._asdict() for c in report.claims])
    assert json.loads(text)[0]["id"].startswith("dense.flipout.")
    name = "dense.flipout.signs-per-output"
    alone = verify(adapter, seed=3, only=[name]).claims
    assert next(c for c in alone if c.id == name)[:9] == next(c for c in report.claims if c.id == name)[:9]


def test_every_claim_says_how_sure_it_is_and_what_it_finds() -> None:
    report = verify(Straightforward(right))
    for claim in report.claims:
        if claim.status == "holds":
            assert claim.sentence
            assert claim.detects
            assert claim.n > 0
    assert sum(c.alpha for c in report.claims) <= report.alpha * (1 + 1e-12)


def test_expected_failures_pass() -> None:
    adapter = Straightforward(right, "no-output-signs")
    known = {f"dense.flipout.{topic}": "known" for topic in ("signs-per-output", "output-sign-pairs")}
    assert verify(adapter).exit_code == 1
    report = verify(adapter, expected_failures=known)
    assert report.passed
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tier": "weekly"}, "tier is 'weekly', expected one of 'pr', 'nightly', 'release'"),
        ({"alpha": 0.0}, "alpha is 0.0, expected"),
        ({"seed": -1}, "seed is -1"),
        ({"only": ["dense.flipout.nothing"]}, "only has 'dense.flipout.nothing', which is no claim about this layer"),
        ({"expected_failures": {"x": "y"}}, "expected_failures has 'x'"),
    ],
)
def test_usage(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify(Straightforward(right), **arguments)


MISBEHAVIOUR: dict[str, tuple[Any, str]] = {
    "raises": (lambda y: 1 / 0, "sample raised ZeroDivisionError: division by zero"),
    "shape": (lambda y: y[:, :-1], "sample returned shape"),
    "nan": (lambda y: y * np.nan, "sample returned NaN or infinity although every number in is finite"),
    "dtype": (lambda y: y.astype(np.float32), "sample returned float32, the layer and its input are float64"),
}


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_misbehaviour_is_a_claim(kind: str) -> None:
    spoil, sentence = MISBEHAVIOUR[kind]
    layer = Straightforward(right)
    report = verify(Functions(right, lambda p, x: spoil(sampled(layer, p, x))))
    assert f"adapter.{kind}" in refuted(report)
    assert sentence in said(report, f"adapter.{kind}")


def test_an_adapter_that_can_do_nothing_has_an_exit_code_of_its_own() -> None:
    def broken(parameters: Any, x: Any) -> Any:
        raise SystemExit("no")

    def only_load(parameters: Any, x: Any) -> Any:
        return None

    claims = [c.id(right) for c in claims_for(Straightforward(right)) if c.topic == "weight-mean"]
    assert verify(Functions(right, broken), only=claims).exit_code == 3
    unable = Functions(right, only_load)
    unable._functions["sample"] = None
    assert verify(unable).exit_code == 4


def test_a_call_that_hangs_is_left_behind() -> None:
    started = time.perf_counter()
    report = verify(Functions(right, lambda p, x: time.sleep(30)), limit=0.2)
    assert time.perf_counter() - started < 10
    assert "sample did not return within 0.2 s" in said(report, "adapter.hangs")
    assert report.exit_code == 3


def test_parameters_that_are_changed_are_seen() -> None:
    layer = Straightforward(right)

    def sample(parameters: Any, x: Any) -> Any:
        layer.load(parameters)
        y = layer.sample(x)
        parameters["mean"] += 1.0
        return y

    report = verify(Functions(right, sample))
    assert "sample changed the parameter mean" in said(report, "adapter.changes-parameters")
