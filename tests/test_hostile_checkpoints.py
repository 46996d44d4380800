"""Files that are no checkpoints, by accident or by design: a ValueError each, and never anything else."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as safetensors_bytes

from bayesnoise.checkpoints import load, read, save


def _write(path: Path, arrays: dict[str, Any], metadata: dict[str, str] | None) -> None:
    path.write_bytes(safetensors_bytes(arrays, metadata))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (None, "no checkpoint of bayesnoise"),
        ({"format": "pt"}, "no checkpoint of bayesnoise"),
        ({"bayesnoise_format": "2"}, "has format 2, and this version of bayesnoise reads formats up to 1: upgrade"),
        ({"bayesnoise_format": "0"}, "expected a whole number"),
        ({"bayesnoise_format": "1.5"}, "expected a whole number"),
        ({"bayesnoise_format": ""}, "expected a whole number"),
        ({"bayesnoise_format": "²"}, "expected a whole number"),
        ({"bayesnoise_format": "9" * 5000}, "expected a whole number"),
    ],
)
def test_foreign_and_newer_files_are_refused(tmp_path: Path, metadata: dict[str, str] | None, words: str) -> None:
    _write(tmp_path / "x", {"0": np.zeros(2)}, metadata)
    for call in (lambda: read(tmp_path / "x"), lambda: load(tmp_path / "x", like=(np.zeros(2),))):
        with pytest.raises(ValueError, match=words):
            call()


FORMAT = {"bayesnoise_format": "1"}


def _raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _entry(dtype: str, shape: list[int], start: int, stop: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


HOSTILE = {
    "empty": b"",
    "too short for a length": b"abc",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "a pickle": b"\x80\x04\x95" + bytes(64),
    "header longer than the file": _raw({}, length=1000),
    "header longer than memory": _raw({}, length=2**63),
    "longest header": _raw({}, length=2**64 - 1),
    "bad JSON": _raw(b"{bad"),
    "not an object": _raw(b"[]"),
    "not UTF-8": _raw(b"\xff\xfe"),
    "deeply nested": _raw(b'{"a":' * 50_000),
    "no metadata": _raw({}),
    "metadata of numbers": _raw({"__metadata__": {"bayesnoise_format": 1}}),
    "missing bytes": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2], 0, 8)}, b"1234567"),
    "spare bytes": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2], 0, 8)}, b"123456789"),
    "overlap": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2], 0, 8), "1": _entry("F32", [2], 4, 12)}, bytes(12)),
    "hole": _raw({"__metadata__": FORMAT, "0": _entry("F32", [1], 0, 4), "1": _entry("F32", [1], 8, 12)}, bytes(12)),
    "offsets reversed": _raw({"__metadata__": FORMAT, "0": _entry("F32", [1], 4, 0)}, bytes(4)),
    "negative size": _raw({"__metadata__": FORMAT, "0": _entry("F32", [-1], 0, 4)}, bytes(4)),
    "shape larger than offsets": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2**40], 0, 4)}, bytes(4)),
    "shape that overflows": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2**62, 2**62], 0, 4)}, bytes(4)),
    "huge and empty": _raw({"__metadata__": FORMAT, "0": _entry("F32", [0, 2**63], 0, 0)}),
    "huge, empty, overflowing": _raw({"__metadata__": FORMAT, "0": _entry("F32", [2**62, 0], 0, 0)}),
    "a hundred axes": _raw({"__metadata__": FORMAT, "0": _entry("F32", [1] * 100, 0, 4)}, bytes(4)),
    "unknown dtype": _raw({"__metadata__": FORMAT, "0": _entry("F33", [1], 0, 4)}, bytes(4)),
    "dtype without arithmetic": _raw({"__metadata__": FORMAT, "0": _entry("F8_E4M3", [4], 0, 4)}, bytes(4)),
    "booleans that are neither": _raw({"__metadata__": FORMAT, "0": _entry("BOOL", [4], 0, 4)}, b"\x02abc"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_value_errors_that_name_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    try:
        for call in (lambda: read(path), lambda: load(path, like=(np.zeros(2, dtype=np.float32),))):
            with pytest.raises(ValueError, match=r"hostile\.safetensors"):
                call()
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


LIKE = (np.zeros(3), np.zeros(1, dtype=np.int32))


def _whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "x"
    save(path, (np.arange(3.0), np.asarray([7], dtype=np.int32)), {"a": "b"})
    return path.read_bytes()


def _refusal(call: Callable[[], Any]) -> str | None:
    """The message of its ValueError, None if there is none; anything else escapes."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None


def _is_refused(path: Path, content: bytes) -> bool:
    """Whether the file is no checkpoint of `LIKE`: what is not refused loads whole, and a refusal names the file."""
    path.write_bytes(content)
    reading, loading = _refusal(lambda: read(path)), _refusal(lambda: load(path, like=LIKE))
    assert all(str(path) in message for message in (reading, loading) if message is not None)
    if loading is not None:
        return True
    assert [(a.shape, a.dtype) for a in load(path, like=LIKE)] == [(a.shape, a.dtype) for a in LIKE]
    assert reading is None
    return False


def test_every_truncation_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = _whole(tmp_path_factory)
    path = tmp_path_factory.mktemp("cut") / "x"
    assert not _is_refused(path, whole)
    for length in range(len(whole)):
        assert _is_refused(path, whole[:length]), length
    assert _is_refused(path, whole + b"\0")


def test_every_flipped_bit_of_the_header_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = _whole(tmp_path_factory)
    path = tmp_path_factory.mktemp("flipped") / "x"
    header_end = 8 + struct.unpack("<Q", whole[:8])[0]
    for i in range(header_end):
        for bit in range(8):
            _is_refused(path, whole[:i] + bytes([whole[i] ^ (1 << bit)]) + whole[i + 1 :])


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_random_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    assert _is_refused(tmp_path / "x", content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
sizes = st.integers(0, 4) | st.sampled_from([-1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64])
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F64", "F32", "BF16", "BOOL", "U8", "C64", "F8_E8M0", "F4", "nonsense"]),
        "shape": st.lists(sizes, max_size=4),
        "data_offsets": st.lists(sizes | st.integers(0, 32), min_size=2, max_size=2),
    }
)
headers = st.fixed_dictionaries(
    {"__metadata__": st.just(FORMAT) | json_values},
    optional={"0": entries | json_values, "1": entries, "": entries, "ü\u0000": entries},
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=headers, data=st.binary(max_size=32))
def test_random_headers_are_refused_or_read_whole(header: Any, data: bytes, tmp_path: Path) -> None:
    _is_refused(tmp_path / "x", _raw(header, data))
