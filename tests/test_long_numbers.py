"""Numbers of thousands of digits, which Python itself does not read: refused as other bad input is, with the path."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import reports, samples, schema
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.described import from_fields
from bayesnoise_reference.adapters.process import ProcessError
from bayesnoise_reference.adapters.subprocess import Subprocess
from bayesnoise_reference.claims.outcome import Report
from bayesnoise_reference.vectors import FAMILIES, check
from bayesnoise_reference.vectors.build import build
from bayesnoise_reference.vectors.export import dumps
from cli_runs import refused, run

LONG = "9" * 5000
PROGRAM = Path(__file__).parent / "programs" / "misbehaving.py"
LAYER: dict[str, Any] = {"family": "dense", "estimator": "shared", "inputs": 2, "outputs": 3}


def text(value: Any) -> str:
    """As JSON, with a long integer wherever "LONG" stands, and one of 400 digits for "LARGE"."""
    return json.dumps(value).replace('"LONG"', LONG).replace('"LARGE"', "9" * 400)


def written(path: Path, value: Any) -> Path:
    """A file of it."""
    path.write_text(text(value), encoding="utf-8")
    return path


DESCRIPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "an integer": ({"inputs": "LONG"}, "$.inputs is inf, expected an integer"),
    "a number": ({"prior": "LONG"}, "$.prior is inf, expected a finite number"),
    "a list": ({"kernel": ["LONG"]}, "$.kernel[0] is inf, expected an integer"),
    "a name": ({"name": "LONG"}, "$.name is inf, expected a string"),
    "nested": ({"name": [["LONG"]]}, "$.name is [[Infinity]], expected a string"),
    "400 digits": ({"inputs": "LARGE"}, f"$.inputs is {'9' * 57}..., expected an integer of at most 63 bits"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_in_a_description(name: str, tmp_path: Path) -> None:
    fields, said = DESCRIPTIONS[name]
    path = written(tmp_path / "layer.json", LAYER | fields)
    assert refused(run("design", tmp_path / "out", "--description", path)).endswith(f"layer.json: {said}")


def test_in_a_design(tmp_path: Path) -> None:
    samples.write(samples.make(Description("dense", "shared", 2, 3)), tmp_path)
    told = json.loads((tmp_path / "design.json").read_text())
    written(tmp_path / "design.json", told | {"seed": "LONG"})
    assert refused(run("judge", tmp_path)).endswith("design.json: $.seed is inf, expected an integer")


def test_in_vectors_and_outputs(tmp_path: Path) -> None:
    good = build(FAMILIES["bernoulli_dropout"]())
    tests = [{"tcId": "LONG", "outputs": {}}]
    outputs = {"schema": "bayesnoise-outputs-1", "family": "bernoulli_dropout", "tests": tests}
    file = tmp_path / "vectors.json"
    file.write_text(dumps(good), encoding="utf-8")
    said = refused(run("vectors", "check", file, "--outputs", written(tmp_path / "outputs.json", outputs)))
    assert said == "outputs.json: $.tests[0].tcId is inf, expected an integer"
    broken = json.loads(dumps(good)) | {"numberOfTests": "LONG"}
    said = refused(run("vectors", "check", written(file, broken), "--outputs", tmp_path / "outputs.json"))
    assert said == "vectors.json: $.numberOfTests is inf, expected an integer"


def test_in_a_report() -> None:
    made = json.loads(reports.to_json(Report("2026.11", "a", "pr", 1e-6, 0, (), {}, 0.0)))
    with pytest.raises(ValueError, match=r"^\$\.seed is inf, expected an integer$"):
        reports.from_json(text(made | {"seed": "LONG"}))


ANSWERS = {
    "a number": (
        {"id": 3, "y": {"shape": [1], "data": ["LONG"]}},
        ValueError,
        r"\$\.y\.data\[0\] is inf, expected a finite number",
    ),
    "an id": ({"id": "LONG"}, ProcessError, "the program answered with id Infinity|answered with id inf, expected 3"),
    "a shape": (
        {"id": 3, "y": {"shape": ["LONG"], "data": []}},
        ValueError,
        r"\$\.y\.shape\[0\] is inf, expected an i",
    ),
    "a large shape": (
        {"id": 3, "y": {"shape": ["LARGE"], "data": []}},
        ValueError,
        r"\$\.y\.shape\[0\] is 9{57}\.\.\., expected at least 0 and at most 1000000",
    ),
    "a dtype": (
        {"id": 3, "y": {"shape": [0], "data": [], "dtype": "LONG"}},
        ValueError,
        r"\$\.y\.dtype is inf, expected one of",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_in_the_answer_of_a_program(name: str) -> None:
    answer, error, said = ANSWERS[name]
    with Subprocess([sys.executable, str(PROGRAM), "says", text(answer)]) as adapter:
        adapter.load({name: np.zeros((2, 3)) for name in ("mean", "rho")})
        with pytest.raises(error, match=said):
            adapter.sample(np.zeros((1, 2)))


def test_an_integer_above_every_double_is_infinite() -> None:
    answer = {"id": 3, "y": {"shape": [1, 3], "data": ["LARGE", "LARGE", 1]}}
    with Subprocess([sys.executable, str(PROGRAM), "says", text(answer)]) as adapter:
        adapter.load({name: np.zeros((2, 3)) for name in ("mean", "rho")})
        assert adapter.sample(np.zeros((1, 2))).tolist() == [[math.inf, math.inf, 1.0]]


def test_values_that_were_never_text_are_refused_too() -> None:
    with pytest.raises(ValueError, match=r"^\$\.inputs is an integer of thousands of digits, expected an integer of"):
        from_fields(LAYER | {"inputs": 10**5000})
    with pytest.raises(ValueError, match=r"^\$\.name is a value with an integer of thousands of digits, expected a st"):
        from_fields(LAYER | {"name": [10**5000]})
    with pytest.raises(ValueError, match=r"^\$\.schema is an integer of thousands of digits, expected "):
        check(build(FAMILIES["bernoulli_dropout"]()) | {"schema": 10**5000}, {})


def test_what_is_near_a_double_is_read_exactly() -> None:
    assert schema.parse(str(2**64 + 1)) == 2**64 + 1
    assert schema.parse("-" + LONG) == -math.inf
    assert schema.parse("9" * 500) == int("9" * 500)
    assert schema.parse("1e400") == math.inf


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stride": [0, 1]}, r"stride is (0, 1), expected numbers of at least 1"),
        ({"dilation": [1, -1]}, r"dilation is (1, -1), expected numbers of at least 1"),
        ({"padding": [-1, 0]}, r"padding is (-1, 0), expected numbers of at least 0"),
        ({"kernel": [0, 3]}, r"kernel is (0, 3), expected numbers of at least 1"),
    ],
)
def test_sizes_of_a_convolution_that_cannot_be(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = written(tmp_path / "layer.json", LAYER | {"family": "convolution", "kernel": [3, 3]} | fields)
    assert refused(run("design", tmp_path / "out", "--description", path)).endswith(f"layer.json: $: {said}")


def test_a_layer_too_large_for_any_claim(tmp_path: Path) -> None:
    path = written(tmp_path / "layer.json", LAYER | {"family": "convolution", "kernel": [3, 3], "stride": [10**15] * 2})
    assert "no claim can be put to such a layer: it is too large" in refused(
        run("design", tmp_path / "out", "--description", path)
    )
