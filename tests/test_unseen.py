"""What no call has shown of how a layer behaves is not said of it: neither that it holds, nor that it does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bayesnoise_reference import reports, verify
from bayesnoise_reference.adapters._answers import KINDS
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions
from bayesnoise_reference.adapters.subprocess import Subprocess
from bayesnoise_reference.adapters.torch import TorchModule
from bayesnoise_reference.families.noise import Noise
from planted.straightforward import Straightforward

WHAT = Description("dense", "shared", 3, 4, scale="identity")
PROGRAMS = Path(__file__).parent / "programs"
NO_OUTPUT = "no call returned an output to look at"
NOTHING_TO_LOOK_AT = {
    "shape": NO_OUTPUT,
    "nan": "no call returned an output of the right shape to look at",
    "dtype": NO_OUTPUT,
    "same-array": "no two calls returned outputs to compare",
    "changes-inputs": "no call that was given an input returned",
    "changes-parameters": "no call returned after which the parameters could be read",
}


def manners(report: Any) -> dict[str, tuple[str, str]]:
    """The status and the sentence of each kind."""
    return {c.id.rpartition(".adapter.")[2]: (c.status, c.sentence) for c in report.claims if ".adapter." in c.id}


def not_run(report: Any) -> dict[str, str]:
    """The kinds of which nothing is known, and why."""
    return {kind: sentence for kind, (status, sentence) in manners(report).items() if status == "not run"}


class Raises(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """No output, ever."""

    def __init__(self) -> None:
        super().__init__()
        self.mu, self.sigma = (torch.nn.Parameter(torch.zeros(3, 4, dtype=torch.float64)) for _ in range(2))

    def forward(self, x: Any) -> Any:
        """Nothing."""
        raise KeyError("no")


@pytest.mark.parametrize("name", ["functions", "torch", "program"])
def test_of_a_layer_that_always_raises_only_that_is_known(name: str) -> None:
    if name == "program":
        with Subprocess([sys.executable, str(PROGRAMS / "spoilt.py"), "raises"]) as adapter:
            report = verify(adapter)
    else:
        report = verify(TorchModule(Raises(), WHAT) if name == "torch" else Functions(WHAT, lambda p, x: 1 / 0))
    found = manners(report)
    assert not_run(report) == NOTHING_TO_LOOK_AT
    assert found["hangs"] == ("holds", "every call ended in time")
    assert found["raises"][0] == "refuted"
    assert (report.exit_code, report.passed) == (3, False)
    assert reports.from_json(reports.to_json(report)) == report
    unseen = [c for c in report.claims if c.status == "not run" and ".adapter." in c.id]
    assert {(c.evidence, c.n, c.detects) for c in unseen} == {("none", 0, "")}


def test_of_a_layer_that_always_hangs_only_that_is_known() -> None:
    report = verify(Functions(WHAT, lambda p, x: time.sleep(30)), limit=0.2)
    assert not_run(report) == NOTHING_TO_LOOK_AT
    assert manners(report)["raises"] == ("holds", "no call on a batch of examples raised")  # load has returned
    assert manners(report)["hangs"][0] == "refuted"


def test_of_a_layer_that_cannot_be_loaded_nothing_is_known() -> None:
    class Unloaded(Functions):
        def load(self, parameters: dict[str, Any]) -> None:
            time.sleep(30)

    report = verify(Unloaded(WHAT, lambda p, x: x), limit=0.2)
    assert not_run(report) == NOTHING_TO_LOOK_AT | {"raises": "no call ended"}


def test_what_was_seen_is_counted_by_what_showed_it() -> None:
    """A layer with one output, after which it fails: no two were compared."""
    calls = iter(range(10**6))

    def sample(parameters: Any, x: Any) -> Any:
        return x @ parameters["mean"] if next(calls) == 0 else 1 / 0

    report = verify(Functions(WHAT, sample))
    (same,) = [c for c in report.claims if c.id.endswith("same-array")]
    assert (same.status, same.sentence) == ("not run", "no two calls returned outputs to compare")
    counted = {c.id.rpartition(".")[2]: c.n for c in report.claims if ".adapter." in c.id}
    assert (counted["shape"], counted["dtype"], counted["changes-inputs"]) == (1, 1, 1)


def test_a_program_that_says_nothing_of_its_parameters_may_change_them() -> None:
    command = [sys.executable, str(PROGRAMS / "flipout.py")]
    with Subprocess(command) as adapter:
        assert "parameters" not in adapter.abilities
        report = verify(adapter, only=["dense.flipout.weight-mean", "dense.flipout.adapter.changes-parameters"])
    assert not_run(report) == {"changes-parameters": NOTHING_TO_LOOK_AT["changes-parameters"]}


def test_a_layer_without_parameters_changes_none() -> None:
    report = verify(TorchModule(torch.nn.Dropout(0.25), Noise(kind="bernoulli", rate=0.25, dtype="float32")))
    assert {status for status, _ in manners(report).values()} == {"holds"}


def test_a_layer_that_rounds_what_it_is_given_has_not_changed_it() -> None:
    class Rounds(Functions):
        @property
        def abilities(self) -> frozenset[str]:
            return frozenset({"load", "sample", "parameters"})

        def parameters(self) -> dict[str, Any]:
            return {name: value.astype(np.float32) for name, value in self._parameters.items()}

    rng = np.random.default_rng(0)

    def sample(parameters: Any, x: Any) -> Any:
        w = np.asarray(parameters["mean"] + parameters["rho"] * rng.standard_normal((3, 4)))
        return x @ w.astype(np.float32).astype(np.float64)

    assert manners(verify(Rounds(WHAT, sample)))["changes-parameters"] == ("holds", "no call changed the parameters")


def test_parameters_that_are_removed_are_changed() -> None:
    def sample(parameters: Any, x: Any) -> Any:
        return x @ parameters.pop("mean")

    found = manners(verify(Functions(WHAT, sample)))
    assert found["changes-parameters"] == ("refuted", "sample removed the parameter mean")


def test_an_error_that_says_nothing_is_named() -> None:
    def sample(parameters: Any, x: Any) -> Any:
        raise StopIteration

    assert manners(verify(Functions(WHAT, sample)))["raises"] == ("refuted", "sample raised StopIteration")


@pytest.mark.parametrize("answer", [None, 1.0, 7, "words"])
def test_what_is_no_array_is_not_said_to_be_the_array_of_before(answer: Any) -> None:
    found = manners(verify(Functions(WHAT, lambda p, x: answer)))
    assert found["same-array"] == ("not run", NOTHING_TO_LOOK_AT["same-array"])
    assert {kind for kind, (status, _) in found.items() if status == "refuted"} <= {"shape", "dtype"}


def test_a_layer_that_behaves_has_shown_it_all() -> None:
    found = manners(verify(Straightforward(WHAT)))
    assert {kind: status for kind, (status, _) in found.items()} == dict.fromkeys(KINDS, "holds")
    assert {kind: sentence for kind, (_, sentence) in found.items()} == KINDS
