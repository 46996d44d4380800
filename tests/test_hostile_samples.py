"""Files of designs and samples that are not what they should be are refused, with the path to what is wrong."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import samples
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.samples import Case, Design
from cli_runs import refused, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WHAT = Description("dense", "shared", 2, 3)
MADE = samples.make(WHAT)
# One small case is enough to read files with.
ONE = Design(WHAT, "pr", 0, {"case000": Case("claim", {}, np.zeros((2, 4, 2)), (2, 4, 3), True)}, {})
Y = np.arange(24.0).reshape(2, 4, 3)


def npz(**arrays: Any) -> bytes:
    """The bytes of an archive."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def archive(**members: bytes) -> bytes:
    """A zip file with members of any kind."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def header(text: str) -> bytes:
    """The start of an array in the format of NumPy."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


HUGE = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }")
SHORT = header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4, 3), }") + b"12345678"
BAD_ARCHIVES = {
    "no zip": (b"PK no", "samples.npz: File is not a zip file"),
    "empty": (b"", "samples.npz: File is not a zip file"),
    "no array": (archive(**{"case000/y.npy": b"12345678"}), "samples.npz: the magic string is not correct"),
    "shape": (npz(**{"case000/y": Y[:, :, :2]}), "case000/y has dtype float64 and shape (2, 4, 2), expected real num"),
    "objects": (npz(**{"case000/y": np.array([{}])}), "case000/y has dtype object and shape (1,)"),
    "complex": (npz(**{"case000/y": Y + 1j}), "case000/y has dtype complex128"),
    "words": (npz(**{"case000/y": np.full((2, 4, 3), "1")}), "case000/y has dtype <U1"),
    "huge": (archive(**{"case000/y.npy": HUGE}), "case000/y has dtype float64 and shape (1000000, 1000000)"),
    "short": (archive(**{"case000/y.npy": SHORT}), "case000/y ends after 8 of 192 bytes"),
    "version": (archive(**{"case000/y.npy": b"\x93NUMPY\x09\x00"}), "case000/y has version (9, 0) of the format"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_archives_are_refused_with_the_path(tmp_path: Path, name: str) -> None:
    content, expected = BAD_ARCHIVES[name]
    (tmp_path / "samples.npz").write_bytes(content)
    with pytest.raises(ValueError) as caught:
        samples.read_samples(tmp_path / "samples.npz", ONE)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("samples.npz: ")


ROWS = "0,1,2\n" * 8
BAD_TEXTS = {
    "empty": ("", "case000/y.csv has 0 lines, expected 8, of 3 numbers each"),
    "short": ("0,1,2\n" * 7, "case000/y.csv has 7 lines, expected 8"),
    "long": ("0,1,2\n" * 9, "case000/y.csv has 9 lines, expected 8"),
    "header": ("a,b,c\n" + "0,1,2\n" * 7, 'case000/y.csv, line 1, number 1 is "a", expected a number'),
    "columns": (ROWS.replace("0,1,2", "0,1", 1), "case000/y.csv, line 1 has 2 numbers, expected 3"),
    "gap": (ROWS.replace("0,1,2", "0,,2", 1), 'case000/y.csv, line 1, number 2 is "", expected a number'),
    "underscore": (ROWS.replace("0,1,2", "1_0,1,2", 1), 'number 1 is "1_0", expected a number'),
    "binary": ("\x00" * 50, "case000/y.csv has 1 lines, expected 8"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_text_is_refused_with_the_path(tmp_path: Path, name: str) -> None:
    content, expected = BAD_TEXTS[name]
    (tmp_path / "case000").mkdir()
    (tmp_path / "case000" / "y.csv").write_text(content)
    with pytest.raises(ValueError) as caught:
        samples.read_samples(tmp_path, ONE)
    assert expected in str(caught.value)


def test_arrays_in_any_order_and_of_any_width_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.npz").write_bytes(npz(**{"case000/y": np.asfortranarray(Y), "more": np.zeros(3)}))
    assert np.array_equal(samples.read_samples(tmp_path / "c.npz", ONE)["case000"], Y)
    (tmp_path / "i.npz").write_bytes(npz(**{"case000/y": Y.astype(">i2")}))
    assert np.array_equal(samples.read_samples(tmp_path / "i.npz", ONE)["case000"], Y)


def change(*path: str, value: Any) -> Callable[[Any], None]:
    def apply(told: Any) -> None:
        for step in path[:-1]:
            told = told[step]
        told[path[-1]] = value

    return apply


BAD_DESIGNS = {
    "format": (change("format", value="x"), 'd/design.json: $.format is "x", expected "bayesnoise-design-1"'),
    "tier": (change("tier", value="daily"), '$.tier is "daily", expected one of "pr"'),
    "seed": (change("seed", value=-1), "$.seed is -1, expected at least 0"),
    "family": (change("description", "family", value="round"), '$.description.family is "round", expected one of'),
    "sizes": (change("description", "inputs", value=0), "$.description: inputs is 0, expected at least 1"),
    "too large": (change("description", "inputs", value=10**9), "the weights are (1000000000, 3), expected at most"),
    "shape": (change("cases", "case000", "x", value=[1.5]), "$.cases.case000.x[0] is 1.5, expected an integer"),
    "digest": (change("digest", value="0"), "make the design again, and sample it again"),
    "suite": (change("suite", value="1999.01"), "made by claims of 1999.01, which design other numbers"),
    "other seed": (change("seed", value=1), "make the design again, and sample it again"),
    "extra": (change("colour", value="red"), "$.colour is not known, expected one of format"),
}


@pytest.mark.parametrize("name", BAD_DESIGNS)
def test_designs_are_refused_with_the_path(tmp_path: Path, name: str) -> None:
    alter, expected = BAD_DESIGNS[name]
    samples.write(MADE, tmp_path / "d")
    told = json.loads((tmp_path / "d" / "design.json").read_text())
    alter(told)
    (tmp_path / "d" / "design.json").write_text(json.dumps(told))
    assert expected in refused(run("judge", tmp_path / "d"))


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"format": 1}'])
def test_what_is_no_design_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "design.json").write_bytes(content)
    assert refused(run("judge", tmp_path / "d")).startswith("d/design.json: ")
    (tmp_path / "d.npz").write_bytes(npz(design=np.array(content.decode(errors="replace"))))
    assert refused(run("judge", tmp_path / "d.npz")).startswith("d.npz: ")


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refused(run("judge", tmp_path / "nothing"))
    samples.write(MADE, tmp_path / "d.npz")
    assert "No such file" in refused(run("judge", tmp_path / "d.npz", tmp_path / "s.npz"))
    assert "case000/y is missing, and so is every other case" in refused(run("judge", tmp_path / "d.npz"))
    (tmp_path / "e.npz").write_bytes(npz(other=np.zeros(2)))
    assert refused(run("judge", tmp_path / "e.npz")).startswith("e.npz: ")


quietly = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
GOOD = npz(**{"case000/y": Y})


def read_or_sentence(path: Path) -> Any:
    """The samples, or what is said instead."""
    try:
        return samples.read_samples(path, ONE)
    except ValueError as error:
        return str(error)


@quietly
@given(st.binary(max_size=200) | st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)))
def test_any_archive_is_read_or_refused(tmp_path: Path, change: Any) -> None:
    content = change if isinstance(change, bytes) else GOOD[: change[0]] + bytes([change[1]]) + GOOD[change[0] + 1 :]
    (tmp_path / "s.npz").write_bytes(content)
    found = read_or_sentence(tmp_path / "s.npz")
    if isinstance(found, str):
        assert found.startswith("s.npz: ")
    else:
        assert all(y.shape == Y.shape for y in found.values())


@quietly
@given(st.text(alphabet="0123456789.,-+einfa_\n ", max_size=80))
def test_any_text_is_read_or_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "case000").mkdir(exist_ok=True)
    (tmp_path / "case000" / "y.csv").write_text(content)
    found = read_or_sentence(tmp_path)
    if isinstance(found, str):
        assert found.startswith("case000/y.csv")
    else:
        assert found["case000"].shape == Y.shape
