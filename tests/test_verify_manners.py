"""How a layer behaves is claimed too: in a report, in tests of pytest, and asked again by its id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import parametrize_with_claims, verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions
from planted.straightforward import Straightforward
from planted.weights import RIGHT

right = RIGHT["dense", "flipout"]


def sampled(parameters: Any, x: Any) -> Any:
    layer = Straightforward(MANNERS)
    layer.load(parameters)
    return layer.sample(x)


CHECKED = [Straightforward(replace(right, bias="none", prior=None))]


@parametrize_with_claims(CHECKED)  # type: ignore[untyped-decorator]
def test_parametrized(check: Any) -> None:
    assert check().status == "holds"


def test_a_check_that_is_refuted_raises_its_sentence() -> None:
    mark = parametrize_with_claims([Straightforward(right, "kl-mean")])
    check = next(p.values[0] for p in mark.args[1] if p.id == "kl-mean-kl-value")
    with pytest.raises(AssertionError, match=r"dense\.flipout\.kl-value: the KL at random parameters is"):
        check()


def checks(adapter: Any) -> dict[str, str]:
    """What the tests of a layer come to, by the topics of its claims."""
    found = {}
    for case in parametrize_with_claims([adapter]).args[1]:
        try:
            found[case.id.split("-", 1)[1]] = case.values[0]().status
        except pytest.skip.Exception as reason:
            found[case.id.split("-", 1)[1]] = f"skipped: {reason}"
        except AssertionError as reason:
            found[case.id.split("-", 1)[1]] = f"failed: {reason}"
    return found


MANNERS = Description("dense", "flipout", 5, 8, name="manners")
ONE_BUFFER: dict[Any, Any] = {}


def overwrites(y: Any) -> Any:
    buffer = ONE_BUFFER.setdefault(y.shape, np.empty_like(y))
    buffer[...] = y
    return buffer


def changes_its_input(parameters: Any, x: Any) -> Any:
    y = sampled(parameters, x)
    x += 1.0
    return y


IMPOLITE: dict[str, Any] = {
    "raises": lambda p, x: 1 / 0,
    "changes-inputs": changes_its_input,
    "same-array": lambda p, x: overwrites(sampled(p, x)),
    "dtype": lambda p, x: sampled(p, x).astype(np.float32),
}


@pytest.mark.parametrize("kind", IMPOLITE)
def test_a_layer_that_misbehaves_fails_the_test_of_it(kind: str) -> None:
    found = checks(Functions(MANNERS, IMPOLITE[kind]))
    failed = {topic for topic, said in found.items() if said.startswith("failed: ")}
    assert f"adapter.{kind}" in failed
    assert {topic for topic in failed if topic.startswith("adapter.")} == {f"adapter.{kind}"}


def test_what_was_not_run_is_skipped_with_its_reason() -> None:
    found = checks(Functions(MANNERS, IMPOLITE["raises"]))
    about_the_layer = {topic: said for topic, said in found.items() if not topic.startswith("adapter.")}
    assert all(said.startswith("skipped: dense.flipout.") for said in about_the_layer.values())
    assert found["weight-mean"].endswith("it could not be judged: sample raised ZeroDivisionError: division by zero")
    assert found["replay"] == "skipped: dense.flipout.replay: the adapter has no sample_with_noise"


def test_how_a_layer_behaves_is_asked_again_by_its_id() -> None:
    """Of a run of all claims, and of a run of one."""
    layer = Functions(MANNERS, IMPOLITE["dtype"])
    for only in (None, ["dense.flipout.weight-mean"]):
        fault = next(c for c in verify(layer, seed=3, only=only).claims if c.id == "dense.flipout.adapter.dtype")
        again = eval(fault.replay, {"verify": verify, "adapter": layer})
        repeated = next(c for c in again.claims if c.id == fault.id)
        assert (repeated.status, repeated.sentence, repeated.n) == ("refuted", fault.sentence, fault.n)
    alone = verify(layer, only=["dense.flipout.adapter.dtype"])
    assert ([c.id for c in alone.claims], alone.exit_code) == (["dense.flipout.adapter.dtype"], 3)
    right = verify(Straightforward(MANNERS), only=["dense.flipout.adapter.nan"])
    assert ([c.status for c in right.claims], right.exit_code) == (["holds"], 0)


def test_an_exception_that_cannot_say_what_it_is_has_a_name() -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise SystemExit("no")

    def sample(parameters: Any, x: Any) -> Any:
        raise UnspeakableError

    report = verify(Functions(MANNERS, sample))
    assert report.exit_code == 3
    (fault,) = report.refuted
    assert fault.id == "dense.flipout.adapter.raises"
    assert fault.sentence == "sample raised UnspeakableError: its __str__ raises SystemExit"
