"""Answers that cannot be used, a sentence each, and the other claims that are judged all the same."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions

IN, OUT = 3, 4
BAD_ANSWERS: dict[str, tuple[str, Any, str, str]] = {
    "gradients in a list": ("gradients", [1.0], "shape", "gradients returned a list, a dict by names is expected"),
    "a gradient missing": ("gradients", {"mean": np.zeros((IN, OUT))}, "shape", "returned no gradient of rho"),
    "a gradient of another shape": (
        "gradients",
        {"mean": np.zeros((OUT, IN)), "rho": np.zeros((IN, OUT))},
        "shape",
        "the gradient of mean has shape (4, 3), its own shape is (3, 4)",
    ),
    "a gradient of NaN": (
        "gradients",
        {"mean": np.full((IN, OUT), np.nan), "rho": np.zeros((IN, OUT))},
        "nan",
        "the gradient of mean has NaN or infinity",
    ),
    "a gradient of words": ("gradients", {"mean": "m", "rho": "r"}, "dtype", "gradients returned dtype <U1"),
    "a KL that is none": ("kl", None, "dtype", "kl returned dtype object, real numbers are expected"),
    "a KL of many": ("kl", np.zeros(2), "shape", "kl returned shape (2,), one number is expected"),
    "a KL of words": ("kl", "large", "dtype", "kl returned dtype <U5, real numbers are expected"),
    "an evaluation of another shape": ("evaluate", np.zeros(2), "shape", "evaluate returned shape (2,) for an input"),
    "an output in tuples of two lengths": ("sample", [[1.0], [1.0, 2.0]], "shape", "returned a list that is no array"),
    "a complex output": ("sample", np.ones((1, OUT), complex), "dtype", "sample returned dtype complex128"),
    "a truth": ("kl", True, "dtype", "kl returned dtype bool, real numbers are expected"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_answers_that_cannot_be_used_are_said(name: str) -> None:
    method, answer, kind, sentence = BAD_ANSWERS[name]
    what = Description("dense", "shared", IN, OUT, scale="identity", prior=0.5)
    rng = np.random.default_rng(0)

    def sample(parameters: Any, x: Any) -> Any:
        return x @ (parameters["mean"] + parameters["rho"] * rng.standard_normal((IN, OUT)))

    given: dict[str, Any] = {"sample": sample, method: lambda *arguments: answer}
    report = verify(Functions(what, given.pop("sample"), **given))
    (found,) = [c for c in report.claims if c.id.endswith(f".adapter.{kind}")]
    assert sentence in found.sentence
    assert report.exit_code == (3 if method == "sample" else 1)


def test_the_rest_is_judged_where_only_one_call_fails() -> None:
    """Exit code 3 is for layers of which nothing could be run."""

    def kl(parameters: Any) -> float:
        s, m = np.abs(parameters["rho"]), parameters["mean"]
        return float(np.sum(np.log(0.5 / s) + (s**2 + m**2) / 0.5 - 0.5))

    what = Description("dense", "shared", IN, OUT, scale="identity", prior=0.5)
    report = verify(Functions(what, lambda parameters, x: 1 / 0, kl=kl))
    status = {c.id.rpartition(".")[2]: c.status for c in report.claims}
    assert (status["kl-value"], status["weight-mean"], status["raises"]) == ("holds", "not run", "refuted")
    assert report.exit_code == 1
    assert verify(Functions(what, lambda parameters, x: 1 / 0)).exit_code == 3


def test_a_hang_after_some_claims_does_not_lose_them() -> None:
    rng, calls = np.random.default_rng(0), iter(range(10_000))

    def sample(parameters: Any, x: Any) -> Any:
        time.sleep(6.0 if next(calls) == 100 else 0.0)
        return x @ (parameters["mean"] + parameters["rho"] * rng.standard_normal((IN, OUT)))

    report = verify(Functions(Description("dense", "shared", IN, OUT, scale="identity"), sample), limit=2.0)
    assert {c.status for c in report.claims} == {"holds", "refuted", "not run"}
    assert [c.id for c in report.refuted] == ["dense.shared.adapter.hangs"]
    assert report.exit_code == 1
