"""Designs and samples as files: an `.npz`, or a folder of text files for programs that read nothing else.

What is read may be anything: it is refused with the path to what is wrong, and nothing is read that is larger than the
design asks for.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from bayesnoise_reference import schema
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.described import from_fields, to_fields
from bayesnoise_reference.claims.outcome import SUITE
from bayesnoise_reference.samples.design import Design, make

FORMAT = "bayesnoise-design-1"
_LARGEST = 16 * 2**20  # bytes of what a design says of itself
_WIDEST = 64  # characters of a number in a text file
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError, struct.error)


def write(design: Design, path: str | PathLike[str]) -> list[Path]:
    """Write a design, to an `.npz` or a folder; the paths of the files, the first one to read first. OSError."""
    where = Path(path)
    arrays = {f"{name}/{field}": value for name, field, value in _arrays(design)}
    about = json.dumps(_about(design), indent=2)
    if where.suffix == ".npz":
        np.savez_compressed(where, allow_pickle=False, design=np.array(about), **arrays)
        return [where]
    texts = {"README.md": _guide(design), "design.json": about + "\n"}
    texts |= {f"{name}.csv": "".join(_lines(value)) for name, value in arrays.items()}
    for name, text in texts.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text, encoding="utf-8", newline="\n")
    return [where / name for name in texts]


def read(path: str | PathLike[str]) -> Design:
    """The design of a file or folder, made again. OSError, or ValueError with the path to the field.

    It is refused if this version of the claims, or of NumPy, designs other numbers.
    """
    where = Path(path)
    name = where.name if where.suffix == ".npz" else f"{where.name}/design.json"
    with (where if where.suffix == ".npz" else where / "design.json").open("rb") as file:
        try:
            told = schema.parse(_told(file, where.suffix))
            schema.require(told, schema.load("bayesnoise_reference.samples", "design.schema.json"))
            description = from_fields(told["description"], "$.description")
        except (ValueError, OSError, *_DAMAGED) as error:
            raise ValueError(f"{name}: {error}") from None
    if not isinstance(description, Description):
        raise ValueError(f"{name}: $.description.family is {description.family}, expected dense or convolution")
    design = make(description, told["tier"], told["seed"])
    if told["suite"] != SUITE or told["digest"] != design.digest:
        raise ValueError(
            f"{name}: made by claims of {told['suite'][:40]}, which design other numbers than those of {SUITE} here: "
            "make the design again, and sample it again"
        )
    return design


def read_samples(path: str | PathLike[str], design: Design) -> dict[str, Array]:
    """The outputs of those cases that the file or folder has. OSError, or ValueError with the path of the field."""
    where = Path(path)
    if where.is_dir():
        found = {name: where / name / "y.csv" for name in design.cases}
        return {name: _text(file, design.cases[name].y_shape) for name, file in found.items() if file.exists()}
    with where.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
            held = set(archive.namelist())
            return {
                name: _member(archive, f"{name}/y", case.y_shape)
                for name, case in design.cases.items()
                if f"{name}/y.npy" in held
            }
        except (ValueError, OSError, *_DAMAGED) as error:  # the file is open: an OSError is of a place that it names
            raise ValueError(f"{where.name}: {error}") from None


def _arrays(design: Design) -> Iterator[tuple[str, str, Array]]:
    for name, case in design.cases.items():
        yield from ((name, field, value) for field, value in case.parameters.items())
        yield name, "x", case.x


def _about(design: Design) -> dict[str, Any]:
    cases = {
        name: {
            "claim": case.claim,
            "parameters": {field: list(value.shape) for field, value in case.parameters.items()},
            "x": list(case.x.shape),
            "y": list(case.y_shape),
        }
        for name, case in design.cases.items()
    }
    said = {"format": FORMAT, "suite": SUITE, "tier": design.tier, "seed": design.seed, "digest": design.digest}
    return {**said, "description": to_fields(design.description), "cases": cases}


def _guide(design: Design) -> str:
    text = resources.files("bayesnoise_reference.samples").joinpath("guide.md").read_text(encoding="utf-8")
    first = next(iter(design.cases))
    names = ", ".join(f"`{name}` {value.shape}" for name, value in design.cases[first].parameters.items())
    layer = "\n".join(f"- {name}: `{value}`" for name, value in to_fields(design.description).items() if value)
    filled: Mapping[str, Any] = {"count": len(design.cases), "parameters": names, "layer": layer, "first": first}
    for name, value in filled.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _lines(array: Array) -> Iterator[str]:
    for row in array.reshape(-1, array.shape[-1]):
        yield ",".join(map(str, row)) + "\n"


def _told(file: IO[bytes], suffix: str) -> str:
    if suffix != ".npz":
        return _at_most(file)
    with zipfile.ZipFile(file) as archive, archive.open("design.npy") as member:
        shape, _, dtype = _header(member, "design")
        if dtype.kind != "U" or shape != ():
            raise ValueError(f"design has dtype {dtype} and shape {shape}, expected one text")
        size = min(dtype.itemsize, _LARGEST)
        return str(np.frombuffer(member.read(size).ljust(size, b"\0"), dtype=f"{dtype.byteorder}U{size // 4}")[0])


def _at_most(file: IO[bytes]) -> str:
    text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError(f"more than {_LARGEST} bytes")
    return text.decode()


def _header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and dtype of an array in the format of NumPy, before any of it is read."""
    version = np.lib.format.read_magic(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"{name} has version {version} of the format, expected 1.0 or 2.0")
    return readers[version](member)


def _member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> Array:
    with archive.open(f"{name}.npy") as member:
        found, columns_first, dtype = _header(member, name)
        if dtype.kind not in "fiu" or found != shape:
            raise ValueError(f"{name} has dtype {dtype} and shape {found}, expected real numbers of shape {shape}")
        size = math.prod(shape) * dtype.itemsize
        data = member.read(size)
        if len(data) < size:
            raise ValueError(f"{name} ends after {len(data)} of {size} bytes")
        flat = np.frombuffer(data, dtype=dtype).astype(np.float64)
        return flat.reshape(shape[::-1]).T if columns_first else flat.reshape(shape)


def _text(file: Path, shape: tuple[int, ...]) -> Array:
    name = f"{file.parent.name}/{file.name}"
    rows, columns = math.prod(shape[:-1]), shape[-1]
    with file.open("rb") as stream:
        data = stream.read(rows * columns * _WIDEST + 1)
    lines = data.decode(errors="replace").splitlines()
    if len(lines) != rows:
        raise ValueError(f"{name} has {len(lines)} lines, expected {rows}, of {columns} numbers each")
    found = np.empty((rows, columns))
    for i, line in enumerate(lines):
        words = line.split(",")
        if len(words) != columns:
            raise ValueError(f"{name}, line {i + 1} has {len(words)} numbers, expected {columns}")
        for k, word in enumerate(words):
            found[i, k] = _number(word, f"{name}, line {i + 1}, number {k + 1}")
    return found.reshape(shape)


def _number(word: str, where: str) -> float:
    try:
        return float(word.replace("_", "?"))
    except ValueError:
        raise ValueError(f"{where} is {schema.show(word)}, expected a number") from None
