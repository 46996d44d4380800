"""Checkpoints: round trips on every namespace, and refusals that name the entry."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
from namespaces import Namespace, to_numpy

from bayesnoise import checkpoints, tree
from bayesnoise.checkpoints import load, read, save


class Weights(NamedTuple):
    mu: Any
    rho: Any


class Model(NamedTuple):
    weight: Any
    bias: Any


def _model(asarray: Any = np.asarray) -> Any:
    mu, rho = asarray(np.arange(6.0).reshape(2, 3)), asarray(np.full((2, 3), -5.0))
    empty, scalar = asarray(np.zeros((0, 4))), asarray(np.float64(3.25))
    return Model(Weights(mu, rho), Weights(asarray([0.5]), None)), None, (empty, scalar)


def _same(tree_a: Any, tree_b: Any) -> None:
    pairs = list(zip(tree.paths(tree_a), tree.paths(tree_b), strict=True))
    assert pairs
    for (name_a, a), (name_b, b) in pairs:
        assert name_a == name_b
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b), strict=True)


def test_round_trip_on_every_namespace(tmp_path: Path, namespace: Namespace) -> None:
    model = _model(namespace.asarray)
    save(tmp_path / "m.safetensors", model, {"made": "today"}, to_host=to_numpy)
    back = load(tmp_path / "m.safetensors", like=model)
    _same(back, model)
    assert isinstance(back[0].weight, Weights)
    assert back[1] is None
    for leaf in tree.leaves(back):
        assert type(leaf) is type(model[0].weight.mu)
        assert namespace.owns(leaf)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint64", ml_dtypes.bfloat16]
)
def test_every_dtype_keeps_its_bits(tmp_path: Path, dtype: Any) -> None:
    leaf = np.asarray([0, 1, 3, 100], dtype=dtype)
    save(tmp_path / "x", (leaf,))
    np.testing.assert_array_equal(load(tmp_path / "x", like=(leaf,))[0], leaf, strict=True)


def test_special_values_and_any_memory_layout(tmp_path: Path) -> None:
    big = np.arange(24.0).reshape(2, 3, 4)
    odd = (
        np.asfortranarray(big[0]),
        big[:, ::-2, 1:],
        big.astype(">f8"),
        np.asarray([np.nan, np.inf, -0.0, 5e-324]),
        np.broadcast_to(np.float64(2.0), (3, 2)),
    )
    save(tmp_path / "x", odd)
    native = tuple(np.asarray(leaf, dtype=np.float64) for leaf in odd)
    _same(load(tmp_path / "x", like=native), native)
    back = load(tmp_path / "x", like=odd)
    assert np.signbit(back[3][2])
    np.testing.assert_array_equal(back[2], big)


def test_a_single_array_is_a_tree(tmp_path: Path) -> None:
    save(tmp_path / "x", np.arange(3.0))
    np.testing.assert_array_equal(load(tmp_path / "x", like=np.zeros(3)), np.arange(3.0))


def test_loaded_arrays_are_fresh_and_writable(tmp_path: Path) -> None:
    model = (np.arange(4.0),)
    save(tmp_path / "x", model)
    back = load(tmp_path / "x", like=model)[0]
    (tmp_path / "x").write_bytes(b"\0" * 200)
    np.testing.assert_array_equal(back, np.arange(4.0))
    back += 1
    np.testing.assert_array_equal(model[0], np.arange(4.0))


def test_read_gives_names_and_metadata(tmp_path: Path) -> None:
    save(tmp_path / "x", _model(), {"epoch": "3", "π": "≈"})
    found = read(tmp_path / "x")
    assert found.metadata == {"epoch": "3", "π": "≈"}
    assert set(found.arrays) == {"0.weight.mu", "0.weight.rho", "0.bias.mu", "2.0", "2.1"}
    np.testing.assert_array_equal(found.arrays["2.1"], np.asarray(3.25), strict=True)


def test_the_file_is_plain_safetensors(tmp_path: Path) -> None:
    """Read with nothing but the published layout: a length, JSON, and little-endian bytes."""
    save(tmp_path / "x", (np.asarray([1.5, 2.5], dtype=np.float32),), {"a": "b"})
    content = (tmp_path / "x").read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    assert header["__metadata__"] == {"a": "b", "bayesnoise_format": "1"}
    assert header["0"] == {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    assert struct.unpack("<2f", content[8 + size :]) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("like", "words"),
    [
        ((np.zeros(2), np.zeros(3)), r"lacks '1'"),
        ((), r"has unexpected '0'"),
        (Weights(np.zeros(2), np.zeros(2)), r"lacks 'mu', 'rho' and has unexpected '0'"),
        ((np.zeros((2, 1)),), r"shape \(2,\) at '0', expected \(2, 1\)"),
        ((np.zeros(2, dtype=np.float32),), r"dtype float64 at '0', expected float32"),
    ],
)
def test_a_mismatch_is_named(tmp_path: Path, like: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "m.safetensors", (np.zeros(2),))
    monkeypatch.setattr(checkpoints._Entries, "array", None)  # no array may be built before all is checked
    with pytest.raises(ValueError, match=rf"m\.safetensors .*{words}"):
        load(tmp_path / "m.safetensors", like=like)


def test_many_names_are_cut_short(tmp_path: Path) -> None:
    save(tmp_path / "x", tuple(np.zeros(1) for _ in range(30)))
    with pytest.raises(ValueError, match=r"has unexpected '0', .* and 22 more"):
        load(tmp_path / "x", like=())


def test_a_file_that_cannot_be_opened_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        load(tmp_path, like=())
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "no folder" / "x", (np.zeros(1),))


@pytest.mark.parametrize(
    ("params", "metadata", "error", "words"),
    [
        ((1.0,), None, TypeError, "params has a float at '0'"),
        (Weights([1.0], None), None, TypeError, "params has a list at 'mu'"),
        ((np.zeros(1, dtype=bool),), None, TypeError, "params has dtype bool at '0'"),
        ((np.zeros(1, dtype=complex),), None, TypeError, "params has dtype complex128 at '0'"),
        ((np.zeros(1),), {"a": 1}, TypeError, "metadata"),
        ((np.zeros(1),), {"bayesnoise_format": "1"}, ValueError, "reserved"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, params: Any, metadata: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        save(tmp_path / "x", params, metadata)
    assert not list(tmp_path.iterdir())
