"""From the name of a source to data."""

from __future__ import annotations

from pathlib import Path

from bayesnoise import _checks
from bayesnoise.datasets.archives import read_npz
from bayesnoise.datasets.dataset import Dataset, Task, from_raw
from bayesnoise.datasets.idx import is_idx, read_idx
from bayesnoise.datasets.raw import Column, Inputs, Raw, checked
from bayesnoise.datasets.scikit import NAMES, read_sklearn
from bayesnoise.datasets.tables import read_csv

SCIKIT = "sklearn:"


def load(source: str, target: str | None = None, task: Task | None = None, split: int = 0) -> Dataset:
    """Data to train on, at one of their splits, or at a random one of 80/20 with the seed `split`.

    `source` is a CSV (`target` names a column), an `.npz` with `X`, `y` and optionally `index_train`, `index_test`, an
    idx file of images, or `sklearn:NAME`. The task is classification for a target of words, booleans or few integers,
    regression else. Raises ValueError, in one sentence, for everything that is wrong with the data.
    """
    if task is not None:
        _checks.one_of("task", task, ("regression", "classification"))
    raw = _read(source, target)
    checked(raw.inputs)
    return from_raw(source, raw, task).at(split)


def load_inputs(source: str, like: Inputs) -> Inputs:
    """The features alone, as columns like those of earlier data; a target need not be there.

    Raises ValueError for a column that is missing and for a category that the earlier data did not have.
    """
    inputs = checked(_read(source, None, like.columns).inputs)
    if len(inputs.features) != len(like.features):
        raise ValueError(f"{source} has {len(inputs.features)} features, expected {len(like.features)}")
    return inputs._replace(columns=like.columns, image_shape=like.image_shape)


def _read(source: str, target: str | None, columns: tuple[Column, ...] | None = None) -> Raw:
    if source.startswith(SCIKIT):
        return read_sklearn(source.removeprefix(SCIKIT))
    path = Path(source)
    if not path.is_file():
        reason = "is a directory" if path.is_dir() else "does not exist"
        names = ", ".join(SCIKIT + name for name in NAMES)
        raise ValueError(f"{source} {reason}, expected a CSV, an .npz, an idx file, or one of {names}")
    if path.suffix == ".npz":
        return read_npz(path)
    return read_idx(path) if is_idx(path) else read_csv(path, target, columns)
