"""Trees of arrays as files: safetensors, one entry a leaf, under its dotted name.

A file is written beside its destination and moved over it once it is whole and on the disk, so that an interrupt
leaves the old file or the new one. It is checked name by name before an array of it is built: a damaged, truncated,
foreign or hostile file is a ValueError that names it, never a crash, an allocation beyond its size or part of a model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors

from bayesnoise import _atomic, tree
from bayesnoise._typing import Array, Shape

FORMAT_KEY = "bayesnoise_format"
FORMAT = 1

# The dtypes of the format that have a name in the array API, and bfloat16.
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
}

HostArray = np.ndarray[Any, np.dtype[Any]]


class Checkpoint(NamedTuple):
    """What a file holds."""

    arrays: dict[str, HostArray]  # by dotted name
    metadata: dict[str, str]


def _dtype_name(x: Array) -> str:
    """The name in the array API: NumPy's own `str` adds the byte order where it is foreign."""
    return str(getattr(x.dtype, "name", x.dtype)).rsplit(".", 1)[-1]


def _named_leaves(name: str, params: Any) -> dict[str, Array]:
    """The leaves by dotted name; TypeError for one that is no array."""
    leaves = dict(tree.paths(params))
    for path, leaf in leaves.items():
        if not is_array_api_obj(leaf):
            raise TypeError(f"{name} has a {type(leaf).__name__} at '{path}', expected a tree of arrays")
        if _dtype_name(leaf) not in DTYPES.values():
            raise TypeError(
                f"{name} has dtype {_dtype_name(leaf)} at '{path}', expected real floating point or integers"
            )
    return leaves


def save(
    path: str | os.PathLike[str],
    params: Any,
    metadata: Mapping[str, str] | None = None,
    *,
    to_host: Callable[[Array], Any] = np.asarray,
) -> None:
    """Write a tree of arrays, of parameters or of an optimizer, atomically.

    `to_host` makes a NumPy array of a leaf: give the backend's own for arrays on a device. Raises TypeError for leaves
    that are no arrays of real numbers and for metadata that are not strings, ValueError for metadata under the reserved
    key, and OSError where the file cannot be written; a file already there is then untouched.
    """
    written = dict(metadata or {})
    if not all(isinstance(part, str) for item in written.items() for part in item):
        raise TypeError(f"metadata is {written!r}, expected names and values that are strings")
    if FORMAT_KEY in written:
        raise ValueError(f"metadata has the key '{FORMAT_KEY}', which is reserved for the version of the format")
    # The writer reads memory in order, from the first byte: every leaf must be contiguous. `asarray` keeps shape ().
    arrays = {name: np.asarray(to_host(leaf), order="C") for name, leaf in _named_leaves("params", params).items()}
    _atomic.write(Path(path), safetensors.save(arrays, {**written, FORMAT_KEY: str(FORMAT)}))


class _Entries:
    """An open file: its entries' dtypes and shapes, which cost no allocation, and its arrays, which do."""

    def __init__(self, path: Path, file: Any) -> None:
        self.metadata = dict(file.metadata() or {})
        _check_format(path, self.metadata.pop(FORMAT_KEY, None))
        self.kinds: dict[str, tuple[str, Shape]] = {}
        for name in file.keys():  # noqa: SIM118  (not a mapping)
            entry = file.get_slice(name)
            dtype = str(entry.get_dtype())
            if dtype not in DTYPES:
                raise ValueError(f"{path} has dtype {dtype} at '{name}', expected one of {', '.join(DTYPES)}")
            self.kinds[name] = DTYPES[dtype], tuple(entry.get_shape())
        self._path, self._file = path, file

    def array(self, name: str) -> HostArray:
        try:
            return np.asarray(self._file.get_tensor(name))
        except (ValueError, TypeError, AttributeError, ImportError) as error:  # NumPy has fewer axes, sizes and dtypes
            dtype, shape = self.kinds[name]
            raise ValueError(f"{self._path} has {dtype} of shape {shape} at '{name}', unreadable: {error}") from None


def _check_format(path: Path, version: str | None) -> None:
    if version is None:
        raise ValueError(f"{path} is a safetensors file but no checkpoint of bayesnoise: it has no '{FORMAT_KEY}'")
    if not (version.isascii() and version.isdecimal() and 0 < len(version) < 10 and int(version) > 0):
        raise ValueError(f"{path} has {version[:40]!r} as its '{FORMAT_KEY}', expected a whole number: it is damaged")
    if int(version) > FORMAT:
        raise ValueError(
            f"{path} has format {version}, and this version of bayesnoise reads formats up to {FORMAT}: upgrade it"
        )


@contextmanager
def _opened(path: Path) -> Iterator[_Entries]:
    """The entries of a file, whatever the reader raises turned into a ValueError; OSError if there is no such file."""
    with open(path, "rb"):  # FileNotFoundError, PermissionError and IsADirectoryError as Python words them
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            yield _Entries(path, file)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """All arrays of a checkpoint, by dotted name, and its metadata.

    Raises ValueError for what is no whole checkpoint of this format or an older one, OSError if it cannot be opened.
    """
    path = Path(path)
    with _opened(path) as entries:
        return Checkpoint({name: entries.array(name) for name in entries.kinds}, entries.metadata)


def _check_names(path: Path, found: set[str], expected: set[str]) -> None:
    missing, unexpected = sorted(expected - found), sorted(found - expected)
    if missing or unexpected:
        parts = [f"lacks {_quoted(missing)}"] if missing else []
        parts += [f"has unexpected {_quoted(unexpected)}"] if unexpected else []
        raise ValueError(
            f"{path} {' and '.join(parts)}, expected the entries of like: load into the model it was made by"
        )


def _quoted(names: list[str], most: int = 8) -> str:
    shown = ", ".join(f"'{name[:80]}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def load(path: str | os.PathLike[str], *, like: Any) -> Any:
    """The tree of a checkpoint, with the structure, namespaces, dtypes and devices of `like`.

    Raises ValueError for what `read` refuses, and for the first entry that is missing, unexpected, or of another shape
    or dtype than in `like`, before any array is built; OSError if the file cannot be opened.
    """
    path = Path(path)
    leaves = _named_leaves("like", like)
    with _opened(path) as entries:
        _check_names(path, set(entries.kinds), set(leaves))
        for name, leaf in leaves.items():
            dtype, shape = entries.kinds[name]
            if shape != tuple(leaf.shape):
                raise ValueError(f"{path} has shape {shape} at '{name}', expected {tuple(leaf.shape)} as in like")
            if dtype != _dtype_name(leaf):
                raise ValueError(f"{path} has dtype {dtype} at '{name}', expected {_dtype_name(leaf)} as in like")
        hosts = {name: entries.array(name) for name in leaves}
    return tree.unflatten(like, (_like(leaf, hosts[name]) for name, leaf in leaves.items()))


def _like(leaf: Array, host: HostArray) -> Array:
    return array_namespace(leaf).asarray(host, dtype=leaf.dtype, device=device(leaf))
