"""A program that is verified through its standard input and output, in three languages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.process import ProcessError
from bayesnoise_reference.adapters.subprocess import Subprocess, decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

PROGRAMS = Path(__file__).parent / "programs"
PYTHON = [sys.executable, str(PROGRAMS / "flipout.py")]


@pytest.fixture(scope="module", params=["python", "c", "javascript"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of a flipout layer in a language."""
    if request.param == "python":
        return PYTHON
    tool = shutil.which("cc" if request.param == "c" else "node")
    if tool is None:
        pytest.skip(f"no {request.param}: neither a compiler cc nor node is on the path")
    if request.param == "javascript":
        return [tool, str(PROGRAMS / "flipout.mjs")]
    made = tmp_path_factory.mktemp("c") / "flipout"
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([tool, *flags, "-o", made, PROGRAMS / "flipout.c", "-lm"], check=True, timeout=60)
    return [str(made)]


def test_a_layer_in_another_language_holds(program: list[str]) -> None:
    with Subprocess(program) as adapter:
        report = verify(adapter)
    assert report.exit_code == 0, report.refuted
    assert len([c for c in report.claims if c.status == "holds"]) >= 25


def test_its_mistake_is_found(program: list[str]) -> None:
    with Subprocess([*program, "--shared-signs"]) as adapter:
        found = {c.id for c in verify(adapter).refuted}
    topics = ("signs-per-example", "signs-per-input", "signs-per-output", "signs-independent")
    pairs = ("input-sign-pairs", "output-sign-pairs")
    assert found == {f"dense.flipout.{topic}" for topic in (*topics, *pairs)}


def test_every_level_is_asked_for() -> None:
    with Subprocess(PYTHON) as adapter:
        report = verify(adapter)
    status = {c.id.rpartition(".")[2]: c.status for c in report.claims}
    assert {status[topic] for topic in ("replay", "kl-value", "gradient-same-draw", "zero-batch")} == {"holds"}


def test_the_same_seed_gives_the_same_numbers_in_float32() -> None:
    parameters = {"mean": np.full((5, 16), 0.1, np.float32), "rho": np.zeros((5, 16), np.float32)}
    with Subprocess(PYTHON) as adapter:
        adapter.load({**parameters, "bias": np.zeros(16, np.float32)})
        outputs = []
        for _ in range(2):
            adapter.seed(3)
            outputs.append(adapter.sample(np.ones((2, 5), np.float32)))
    assert np.array_equal(outputs[0], outputs[1])


class Told:
    """A process whose answers are given."""

    alive = True

    def __init__(self, *answers: str) -> None:
        self.answers = iter(answers)

    def ask(self, line: str) -> str:
        return next(self.answers)

    def end(self) -> None:
        self.alive = False


def asked(answer: str) -> Any:
    """What `sample` makes of an answer."""
    adapter = Subprocess.__new__(Subprocess)
    adapter.__dict__.update(
        _process=Told(answer), _turn=threading.Lock(), _asked=0, _loaded=None, _command=(), _limit=1.0,
        abilities=frozenset({"sample"}), description=Description("dense", "shared", 2, 3),
    )  # fmt: skip
    return adapter.sample(np.ones((1, 2)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["shape", "data", "dtype"]), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.text(max_size=30)
    | st.builds(lambda y: json.dumps({"id": 1, "y": y}), JSON)
    | st.builds(lambda shape, data: json.dumps({"id": 1, "y": {"shape": shape, "data": data}}), JSON, JSON)
)
def test_any_answer_is_an_array_or_a_sentence(answer: str) -> None:
    try:
        value = asked(answer)
    except (ProcessError, ValueError):
        return
    assert value.dtype in (np.float32, np.float64)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.floats(allow_nan=True), min_size=6, max_size=6), st.sampled_from(["float32", "float64"]), st.booleans()
)
def test_arrays_survive_the_way(numbers: list[float], dtype: Any, flat: bool) -> None:
    with np.errstate(over="ignore"):
        array = np.array(numbers).astype(dtype).reshape(2, 3)
    record = json.loads(json.dumps(encode(array), allow_nan=False))
    if flat:
        record["data"] = [x for row in record["data"] for x in row]
    again = decode(record, dtype, "$")
    assert again.dtype == array.dtype
    assert np.array_equal(again, array, equal_nan=True)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (2, 0), (1,), ()])
def test_arrays_of_little(shape: tuple[int, ...]) -> None:
    assert decode(encode(np.zeros(shape)), "float64", "$").shape == shape
