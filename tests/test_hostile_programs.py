"""Programs that die, hang, chatter or lie while they are verified: a sentence each, and none is left behind."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import process
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.process import ProcessError
from bayesnoise_reference.adapters.subprocess import Subprocess

PROGRAMS = Path(__file__).parent / "programs"
see_processes = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to see other processes in")


def misbehaving(*words: str, limit: float = 30.0) -> Subprocess:
    adapter = Subprocess([sys.executable, str(PROGRAMS / "misbehaving.py"), *words], limit=limit)
    adapter.load({"mean": np.zeros((2, 3)), "rho": np.zeros((2, 3))})
    return adapter


MISBEHAVIOUR: dict[str, tuple[tuple[str, ...], str]] = {
    "dies": (("dies",), "ended with exit code 3; its stderr ends with: loading the weights out of luck"),
    "crashes": (("crashes",), "asked for sample, the program ended by signal SIGSEGV"),
    "half": (("stops half way",), """ended with exit code 0 in the middle of a line: b'{"id": 4, "y"'"""),
    "closed": (("closes its output",), "closed its output"),
    "bytes": (("bytes",), "answered with bytes that are no UTF-8"),
    "chatter": (("says", "loading..."), "the program answered what is no JSON: 'loading...\\n'"),
    "empty": (("says", ""), "the program answered what is no JSON: '\\n'"),
    "list": (("says", "[1]"), "the answer to sample: $ is [1], expected an object"),
    "deep": (("says", "[" * 100_000), "the program answered what is no JSON: '[[["),
    "another id": (("says", '{"id": 1}'), "the program answered with id 1, expected 3"),
    "no id": (("says", "{}"), "the program answered with id null, expected 3"),
    "error": (("says", '{"id": ID, "error": "no such luck"}'), "the program says: no such luck"),
    "error of no kind": (("says", '{"id": ID, "error": 1}'), "$.error is 1, expected a string"),
    "no output": (("says", '{"id": ID}'), "the answer to sample: $.y is missing"),
    "no shape": (("says", '{"id": ID, "y": {"data": [1]}}'), "$.y.shape is missing"),
    "negative": (("says", '{"id": ID, "y": {"shape": [-1], "data": []}}'), "$.y.shape[0] is -1, expected at least 0"),
    "huge": (("says", '{"id": ID, "y": {"shape": [999999, 999999], "data": []}}'), "has 0 numbers, expected 9999"),
    "short": (("says", '{"id": ID, "y": {"shape": [1, 3], "data": [1, 2]}}'), "$.y.data has 2 numbers, expected 3"),
    "ragged": (
        ("says", '{"id": ID, "y": {"shape": [2, 2], "data": [[1, 2], [3]]}}'),
        "$.y.data[1] is [3], expected a list of 2",
    ),
    "across": (
        ("says", '{"id": ID, "y": {"shape": [3, 1], "data": [[1, 2, 3]]}}'),
        "$.y.data is [[1, 2, 3]], expected a list of 3",
    ),
    "deeper": (("says", '{"id": ID, "y": {"shape": [], "data": [[1]]}}'), "$.y.data is [[1]], expected one number"),
    "word": (("says", '{"id": ID, "y": {"shape": [1], "data": ["one"]}}'), '$.y.data[0] is "one", expected a number'),
    "truth": (("says", '{"id": ID, "y": {"shape": [1], "data": [true]}}'), "$.y.data[0] is true, expected a number"),
    "dtype": (("says", '{"id": ID, "y": {"shape": [0], "dtype": "half", "data": []}}'), '$.y.dtype is "half"'),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_misbehaviour_is_a_sentence(name: str) -> None:
    words, expected = MISBEHAVIOUR[name]
    with misbehaving(*words) as adapter:
        with pytest.raises((ProcessError, ValueError)) as caught:
            adapter.sample(np.ones((1, 2)))
        assert expected in str(caught.value)
        with pytest.raises((ProcessError, ValueError)) as again:  # started anew, and told its parameters
            adapter.sample(np.ones((1, 2)))
        assert type(again.value) is type(caught.value)
    assert adapter._process is not None
    assert not adapter._process.alive


def test_a_line_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LONGEST", 2**18)
    with misbehaving("writes without end") as adapter, pytest.raises(ProcessError, match="a line of more than 262144"):
        adapter.sample(np.ones((1, 2)))


def test_a_full_stderr_holds_nobody_up() -> None:
    with misbehaving("fills stderr") as adapter:
        assert np.array_equal(adapter.sample(np.ones((1, 2))), [[0.0, 1.0, 2.0]])


def test_an_answer_too_many_is_not_taken_for_the_next_one() -> None:
    with misbehaving("talks twice") as adapter:
        adapter.sample(np.ones((1, 2)))
        with pytest.raises(ProcessError, match="answered with id 3, expected 4"):
            adapter.sample(np.ones((1, 2)))


def gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left until its parent, perhaps this one, has seen it end."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def started(path: Path) -> list[int]:
    """The process that sleeps, and its child, once they have said who they are."""
    for _ in range(200):
        if path.exists() and path.read_text().count(" "):
            return [int(pid) for pid in path.read_text().split()]
        time.sleep(0.05)
    raise AssertionError("the program did not start")


def wait_until_gone(pids: list[int]) -> None:
    for _ in range(200):
        if all(map(gone, pids)):
            return
        time.sleep(0.05)
    raise AssertionError(f"left behind: {[pid for pid in pids if not gone(pid)]}")


ENDINGS: dict[str, tuple[str, str]] = {  # how it misbehaves: the claim that says so, and how its sentence begins
    "sleeps": ("hangs", "sample did not return within 2 s; nothing was asked of it afterwards"),
    "ignores signals": ("hangs", "sample did not return within 2 s; nothing was asked of it afterwards"),
    "writes without end": ("raises", "sample raised ProcessError: asked for sample, the program wrote a line of more"),
    "writes lines without end": (
        "raises",
        "sample raised ProcessError: asked for sample, the program answered what is",
    ),
    "stops half way": ("raises", "sample raised ProcessError: asked for sample, the program ended with exit code 0 in"),
}


@see_processes
@pytest.mark.parametrize("mode", ENDINGS)
def test_a_program_that_gives_no_answer_is_reported_and_not_left_behind(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LONGEST", 2**18)
    kind, sentence = ENDINGS[mode]
    adapter = misbehaving(mode, str(tmp_path / "pids"))  # which nobody closes
    before = threading.active_count()
    began = time.perf_counter()
    report = verify(adapter, limit=2.0, only=["dense.shared.weight-mean"])
    assert time.perf_counter() - began < 30.0
    wait_until_gone(started(tmp_path / "pids"))
    assert [c.id for c in report.refuted] == [f"dense.shared.adapter.{kind}"]
    assert report.refuted[0].sentence.startswith(sentence)
    assert report.exit_code == 3
    adapter.close()
    for _ in range(200):
        if threading.active_count() <= before:  # nor does a thread wait for it
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_silence_of_its_own_limit_is_a_hang_too() -> None:
    with misbehaving("sleeps", limit=0.5) as adapter:
        report = verify(adapter, only=["dense.shared.weight-mean"])
    assert [(c.id, c.sentence) for c in report.refuted] == [
        (
            "dense.shared.adapter.hangs",
            "asked for sample, the program was silent for 0.5 s, and was ended; nothing was asked of it afterwards",
        )
    ]


class Clings:
    """An adapter that hangs in every call, and in closing too."""

    description = Description("dense", "shared", 2, 3)

    def load(self, parameters: Any) -> None:
        time.sleep(60)

    sample = load

    def close(self) -> None:
        time.sleep(60)


def test_closing_is_not_waited_for() -> None:
    began = time.perf_counter()
    report = verify(Clings(), limit=0.2)
    assert time.perf_counter() - began < 10.0
    assert [c.id.rpartition(".")[2] for c in report.refuted] == ["hangs"]


@see_processes
def test_silence_ends_it_without_anybody_asking(tmp_path: Path) -> None:
    adapter = misbehaving("sleeps", str(tmp_path / "pids"), limit=1.0)
    with pytest.raises(ProcessError, match="the program was silent for 1 s, and was ended"):
        adapter.sample(np.ones((1, 2)))
    wait_until_gone(started(tmp_path / "pids"))


def sample_in_vain(adapter: Subprocess) -> None:
    with pytest.raises(ProcessError):
        adapter.sample(np.ones((1, 2)))


def test_a_question_that_was_given_up_does_not_block_the_next(tmp_path: Path) -> None:
    with misbehaving("sleeps", str(tmp_path / "pids")) as adapter:
        hung = threading.Thread(target=sample_in_vain, args=(adapter,))
        hung.start()
        started(tmp_path / "pids")
        adapter.seed(1)
        hung.join(timeout=10)
        assert not hung.is_alive()


def test_commands_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(OSError, match="nowhere"):
        Subprocess([str(tmp_path / "nowhere")])
    with pytest.raises(PermissionError):
        Subprocess([str(tmp_path / "text")])
    with pytest.raises(ProcessError, match="asked for describe, the program ended with exit code 0"):
        Subprocess([sys.executable, "-c", ""])


def test_a_wrong_description_is_said_with_its_path() -> None:
    code = "import json; input(); print(json.dumps({'id': 1, 'description': {'family': 'dense', 'inputs': 'x'}}))"
    with pytest.raises(ValueError, match=r"the answer to describe: \$\.description\.estimator is missing"):
        Subprocess([sys.executable, "-c", code])


@see_processes
def test_an_unused_adapter_ends_its_program() -> None:
    adapter = misbehaving("dies")
    assert adapter._process is not None
    pid = adapter._process._process.pid
    del adapter
    wait_until_gone([pid])
