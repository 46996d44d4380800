"""`.npz` files: `X`, `y`, and the splits that `index_train` and `index_test` state."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from bayesnoise.datasets.raw import Host, Indices, Inputs, Raw, numbered


def read_npz(path: Path) -> Raw:
    """The arrays of a file; `X` is (n, d), or (n, height, width) or (n, channels, height, width) for images."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError(f"{path} holds a single array, expected an .npz with X and y")
            arrays = {name: _array(archive, name, path) for name in archive.files}
    except (zipfile.BadZipFile, EOFError, OSError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as .npz: {error}") from None
    if "X" not in arrays:
        raise ValueError(f"{path} holds {', '.join(arrays) or 'no arrays'}, expected X and y")
    inputs = _inputs(arrays["X"])
    target = None if "y" not in arrays else _target(arrays["y"], len(inputs.x))
    return Raw(inputs, target, "y", _splits(arrays, len(inputs.x)))


def _array(archive: Any, name: str, path: Path) -> Host:
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        raise ValueError(f"{name} of {path} cannot be read ({error}), expected an array of numbers or text") from None


def _inputs(x: Host) -> Inputs:
    if x.dtype.kind not in "biuf":
        raise ValueError(f"X has dtype {x.dtype}, expected real numbers")
    if x.ndim not in (2, 3, 4):
        raise ValueError(f"X has shape {x.shape}, expected (n, features), or (n, channels, height, width) for images")
    image_shape = None if x.ndim == 2 else (1, *x.shape[1:]) if x.ndim == 3 else x.shape[1:]
    flat = x.reshape(len(x), -1).astype(np.float64) if len(x) else np.zeros((0, 1))
    return Inputs(flat, numbered(flat.shape[1]), image_shape)


def _target(y: Host, n: int) -> Host:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (n,):
        raise ValueError(f"y has shape {y.shape}, expected ({n},), one target for each row of X")
    if y.dtype.kind not in "biufU":
        raise ValueError(f"y has dtype {y.dtype}, expected real numbers or text")
    return y


def _splits(arrays: dict[str, Host], n: int) -> tuple[Indices, ...]:
    given = [name for name in ("index_train", "index_test") if name in arrays]
    if not given:
        return ()
    if len(given) == 1:
        raise ValueError(f"the file holds {given[0]} alone, expected index_train and index_test, or neither")
    train, test = (_rows(name, arrays[name], n) for name in given)
    if len(train) != len(test):
        raise ValueError(f"index_train has {len(train)} splits and index_test {len(test)}, expected as many")
    for k, (a, b) in enumerate(zip(train, test, strict=True)):
        both = np.intersect1d(a, b)
        if len(both):
            raise ValueError(f"row {both[0]} is in index_train and index_test of split {k}, expected it in one")
    return tuple(Indices(a, b) for a, b in zip(train, test, strict=True))


def _rows(name: str, index: Host, n: int) -> Host:
    if index.dtype.kind not in "iu" or index.ndim not in (1, 2) or index.size == 0:
        raise ValueError(f"{name} has dtype {index.dtype} and shape {index.shape}, expected integers (splits, rows)")
    rows = index.astype(np.int64).reshape(-1, index.shape[-1])
    if rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"{name} holds {rows.min()} to {rows.max()}, expected rows of X, from 0 to {n - 1}")
    return rows
