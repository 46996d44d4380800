"""Files of vectors and of outputs that are not what they should be: refused with the path to the field."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bayesnoise_reference.vectors import FAMILIES, check, load_outputs, load_vectors
from bayesnoise_reference.vectors.build import build
from bayesnoise_reference.vectors.export import dumps
from bayesnoise_reference.vectors.ranges import range_problem
from cli_runs import refused, run

GOOD = build(FAMILIES["bernoulli_dropout"]())
OUTPUTS: dict[str, Any] = {
    "schema": "bayesnoise-outputs-1",
    "family": "bernoulli_dropout",
    "tests": [
        {"tcId": t["tcId"], "outputs": {name: field["data"] for name, field in t["outputs"].items()}}
        for group in GOOD["testGroups"]
        for t in group["tests"]
        if t["result"] == "valid"
    ],
}
LAST = len(GOOD["testGroups"][0]["tests"]) - 1  # an invalid test
Change = Callable[[Any], object]


def first(content: Any) -> Any:
    return content["testGroups"][0]["tests"][0]


def last(content: Any) -> Any:
    return content["testGroups"][0]["tests"][LAST]


def put(where: Callable[[Any], Any], key: Any, value: Any) -> Change:
    return lambda content: where(content).__setitem__(key, value)


def drop(where: Callable[[Any], Any], key: Any) -> Change:
    return lambda content: where(content).__delitem__(key)


def top(content: Any) -> Any:
    return content


FIRST, FINAL = "$.testGroups[0].tests[0]", f"$.testGroups[0].tests[{LAST}]"
BAD_VECTORS: dict[str, tuple[Change, str]] = {
    "unknown schema": (
        put(top, "schema", "bayesnoise-vectors-2"),
        '$.schema is "bayesnoise-vectors-2", expected "bayesnoise-vectors-1": a schema that this version does not know',
    ),
    "no schema": (drop(top, "schema"), "$.schema is missing"),
    "no notes": (drop(top, "notes"), "$.notes is missing"),
    "no group": (put(top, "testGroups", []), "$.testGroups has 0 items, expected at least 1"),
    "not a list": (put(top, "testGroups", {}), "$.testGroups is {}, expected a list"),
    "extra": (put(top, "algorithm", "x"), "$.algorithm is not known, expected one of schema, generatorVersion"),
    "strange name": (put(top, "a b\n", 1), '$["a b\\n"] is not known'),
    "count": (put(top, "numberOfTests", 5), f"$.numberOfTests is 5, expected {GOOD['numberOfTests']}"),
    "count type": (put(top, "numberOfTests", "5"), '$.numberOfTests is "5", expected an integer'),
    "count bool": (put(top, "numberOfTests", True), "$.numberOfTests is true, expected an integer"),
    "dtype": (
        lambda c: c["testGroups"][0].__setitem__("dtype", "float16"),
        '$.testGroups[0].dtype is "float16", expected one of "float32", "float64"',
    ),
    "tolerance": (
        lambda c: c["testGroups"][1].__setitem__("tolerance", 1e3),
        "$.testGroups[1].tolerance is 1000.0, expected at least 0 and at most 0.01",
    ),
    "result": (put(first, "result", "acceptable"), f'{FIRST}.result is "acceptable", expected one of "valid"'),
    "no output": (drop(first, "outputs"), f"{FIRST}.outputs is missing"),
    "id": (put(first, "tcId", 2), f"{FIRST}.tcId is 2, expected 1"),
    "flag": (put(first, "flags", ["Odd"]), f'{FIRST}.flags[0] is "Odd", which $.notes does not explain'),
    "no data": (lambda c: first(c)["inputs"]["x"].pop("data"), f"{FIRST}.inputs.x.data is missing"),
    "short": (lambda c: first(c)["inputs"]["x"]["data"].pop(), f"{FIRST}.inputs.x.data has 7 numbers, expected 8"),
    "word": (
        lambda c: first(c)["inputs"]["x"]["data"].__setitem__(2, "inf"),
        f'{FIRST}.inputs.x.data[2] is "inf", expected a number, "NaN", "Infinity" or "-Infinity"',
    ),
    "null": (lambda c: first(c)["outputs"]["y"]["data"].__setitem__(0, None), f"{FIRST}.outputs.y.data[0] is null"),
    "negative length": (
        lambda c: first(c)["inputs"]["x"]["shape"].__setitem__(0, -2),
        f"{FIRST}.inputs.x.shape[0] is -2, expected at least 0",
    ),
    "huge shape": (
        lambda c: first(c)["inputs"]["x"].__setitem__("shape", [0, *[1000000] * 7]),
        f"{FIRST}.inputs.x.shape is [0, 1000000",
    ),
    "absolute": (
        lambda c: first(c)["outputs"]["y"].__setitem__("absolute", -1.0),
        f"{FIRST}.outputs.y.absolute is -1.0, expected at least 0",
    ),
    "out of float32": (
        lambda c: c["testGroups"][1]["tests"][0]["outputs"]["y"]["data"].__setitem__(1, 1e39),
        "$.testGroups[1].tests[0].outputs.y.data[1] is 1e+39, out of the range of float32",
    ),
    "huge integer": (
        lambda c: first(c)["inputs"]["x"]["data"].__setitem__(1, 10**400),
        f"{FIRST}.inputs.x.data[1] is 1000",
    ),
    "a rate": (
        lambda c: first(c)["inputs"]["rate"]["data"].__setitem__(0, 7),
        f"{FIRST}.inputs.rate.data[0] is 7, expected at least 0 and below 1",
    ),
    "a rate that is a word": (
        lambda c: first(c)["inputs"]["rate"]["data"].__setitem__(0, "NaN"),
        f'{FIRST}.inputs.rate.data[0] is "NaN", expected at least 0 and below 1',
    ),
    "a mask": (
        lambda c: last(c)["inputs"]["kept"]["data"].__setitem__(3, 0.5),
        f"{FINAL}.inputs.kept.data[3] is 0.5, expected 0 or 1",
    ),
    "affects nothing": (put(last, "affects", []), f"{FINAL}.affects has 0 items, expected at least 1"),
    "affects unknown": (put(last, "affects", ["z"]), f'{FINAL}.affects[0] is "z", which is not among the outputs'),
    "no affects": (drop(last, "affects"), f"{FINAL}.affects is missing"),
    "no twin": (put(last, "sameInputsAs", LAST + 1), f"{FINAL}.sameInputsAs is {LAST + 1}, expected the tcId of"),
}


@pytest.mark.parametrize("name", BAD_VECTORS)
def test_vectors_are_refused_with_the_path(tmp_path: Path, name: str) -> None:
    change, expected = BAD_VECTORS[name]
    content = copy.deepcopy(GOOD)
    change(content)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:
        load_vectors(path)
    assert str(caught.value).startswith(f"bad.json: {expected}")
    assert len(str(caught.value)) < 300


BAD_TEXT: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not JSON"),
    "a list": (b"[]", "$ is [], expected an object"),
    "truncated": (dumps(GOOD).encode()[:-9], "not JSON"),
    "not text": (b"\xff\xfe{}", "not JSON"),
    "bare NaN": (b'{"schema": NaN}', "NaN is no JSON number"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "repeated": (b'{"schema": 1, "schema": 2}', 'the name "schema" stands twice'),
    "long integer": (
        dumps(GOOD).replace('"bayesnoise-vectors-1"', "9" * 5000, 1).encode(),
        '$.schema is inf, expected "bayesnoise-vectors-1"',
    ),
    "long integer of an array": (
        dumps(GOOD).replace('"data": [', '"data": [-' + "9" * 5000 + ", ", 1).encode(),
        "data[0] is -inf, expected a finite number",
    ),
    "long integer for an integer": (
        dumps(GOOD).replace('"tcId": 1,', '"tcId": ' + "9" * 5000 + ",", 1).encode(),
        "tcId is inf, expected an integer",
    ),
    "overflow": (dumps(GOOD).replace('"absolute": ', '"absolute": 1e999, "a": ', 1).encode(), "absolute is inf"),
    "overflowing element": (
        dumps(GOOD).replace('"data": [', '"data": [1e999, ', 1).encode(),
        "data[0] is inf, expected a finite number",
    ),
}


@pytest.mark.parametrize("name", BAD_TEXT)
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str) -> None:
    content, expected = BAD_TEXT[name]
    (tmp_path / "bad.json").write_bytes(content)
    for load in (load_vectors, load_outputs):
        with pytest.raises(ValueError, match=r"bad\.json: ") as caught:
            load(tmp_path / "bad.json")
        if load is load_vectors:
            assert expected in str(caught.value)
    message = refused(run("vectors", "check", tmp_path / "bad.json", "--outputs", tmp_path / "bad.json"))
    assert message.startswith("bad.json: ")


def entry(content: Any) -> Any:
    return content["tests"][0]


BAD_OUTPUTS: dict[str, tuple[Change, str]] = {
    "schema": (put(top, "schema", "bayesnoise-vectors-1"), "$.schema is "),
    "family": (put(top, "family", "dense_local"), "$.family is dense_local, expected bernoulli_dropout"),
    "no tests": (drop(top, "tests"), "$.tests is missing"),
    "nothing": (put(top, "tests", []), "the test with tcId 1 is missing: --partial compares what is there"),
    "id": (put(entry, "tcId", 999), f"$.tests[0].tcId is 999, expected 1 to {GOOD['numberOfTests']}"),
    "twice": (put(entry, "tcId", 2), "$.tests[1].tcId is 2, which stands there twice"),
    "name": (
        lambda c: entry(c)["outputs"].__setitem__("z", [1]),
        "$.tests[0].outputs.z is not known, expected one of y,",
    ),
    "missing": (lambda c: entry(c)["outputs"].pop("y"), "y of tcId 1 is missing: --partial"),
    "size": (lambda c: entry(c)["outputs"]["y"].pop(), "$.tests[0].outputs.y has 7 numbers, expected 8"),
    "word": (lambda c: entry(c)["outputs"]["y"].__setitem__(0, "nan"), '$.tests[0].outputs.y[0] is "nan", expected a'),
    "nested": (
        lambda c: entry(c)["outputs"].__setitem__("y", [[1]]),
        "$.tests[0].outputs.y[0] is [1], expected a number",
    ),
}


@pytest.mark.parametrize("name", BAD_OUTPUTS)
def test_outputs_are_refused_with_the_path(name: str) -> None:
    change, expected = BAD_OUTPUTS[name]
    outputs = copy.deepcopy(OUTPUTS)
    change(outputs)
    with pytest.raises(ValueError) as caught:
        check(GOOD, outputs)
    assert str(caught.value).startswith(expected)


def test_the_good_ones_are_taken() -> None:
    assert check(GOOD, OUTPUTS).passed
    with pytest.raises(ValueError, match=r"\$.tests holds no output to compare"):
        check(GOOD, OUTPUTS | {"tests": []}, partial=True)
    one = OUTPUTS | {"tests": OUTPUTS["tests"][:1]}
    assert check(GOOD, one, partial=True).passed


def test_a_value_that_is_not_finite_fails() -> None:
    outputs = copy.deepcopy(OUTPUTS)
    entry(outputs)["outputs"]["y"][3] = "NaN"
    (failure,) = check(GOOD, outputs).mismatches
    assert (failure.tc_id, failure.outputs, failure.likely_bugs) == (1, ("y",), ())
    assert failure.sentence.startswith("y[0, 3] is nan, expected ")


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("rate", (0.0, 0.5), (1.0, -0.1)),
        ("pi", (0, 1), (1.5,)),
        ("u", (0.5,), (0, 1)),
        ("prior_scale", (1e-300,), (0.0, -1, "Infinity")),
        ("epsilon", (0, 0.5), (-0.5, "NaN")),
        ("hidden_sign_out", (-1.0, 1), (0, 2)),
        ("causal", (0, 1.0), (2,)),
        ("rank", (0, 3.0), (0.5, -1)),
        ("stride", (1, 2.0), (0, 1.5, "NaN")),
    ],
)
def test_ranges(name: str, right: tuple[Any, ...], wrong: tuple[Any, ...]) -> None:
    assert range_problem(name, list(right)) is None
    for x in wrong:
        assert str(range_problem(name, [right[0], x])).startswith(f"[1] is {json.dumps(x)}, expected ")
