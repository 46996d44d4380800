"""Data ready for a network: features, targets of a known task, and the rows to train and to test on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from bayesnoise._host import Floats
from bayesnoise._typing import Shape
from bayesnoise.datasets.raw import Host, Indices, Inputs, Raw

Task: TypeAlias = Literal["regression", "classification"]

MOST_CLASSES = 20  # of a target of integers without a stated task
TEST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Dataset:
    """`train` and `test` are rows of `inputs.x` and `y`; `given` are the splits that the data came with, maybe none."""

    name: str
    inputs: Inputs
    y: Host  # (n,): float64, or the numbers of the classes
    task: Task
    target: str
    classes: tuple[str, ...]  # empty for regression
    given: tuple[Indices, ...]
    train: Host  # (n_train,) integers
    test: Host  # (n_test,) integers

    @property
    def x(self) -> Floats:
        return self.inputs.x

    @property
    def image_shape(self) -> Shape | None:
        return self.inputs.image_shape

    def at(self, k: int) -> Dataset:
        """The same data at split `k`: a given one, or one drawn with the seed `k` where none is given.

        Raises ValueError for a split that is not there, and for a class that only the test rows hold.
        """
        if self.given and not 0 <= k < len(self.given):
            raise ValueError(f"split is {k}, expected 0 to {len(self.given) - 1}: {self.name} has {len(self.given)}")
        if k < 0:
            raise ValueError(f"split is {k}, expected at least 0")
        rows = self.given[k] if self.given else random_split(self.y, TEST_SHARE, k, self.task)
        unseen = np.setdiff1d(self.y[rows.test], self.y[rows.train])
        if self.classes and len(unseen):
            names = ", ".join(repr(self.classes[int(c)]) for c in unseen)
            raise ValueError(f"the test rows of split {k} hold the classes {names}, which no training row has")
        return replace(self, train=rows.train, test=rows.test)


def random_split(y: Host, share: float, seed: int, task: Task) -> Indices:
    """A seeded split into rows to train on and a `share` to hold out, of each class its share."""
    n = len(y)
    if n < 2:
        raise ValueError(f"the data have {n} rows, expected at least 2 to train on one and test on another")
    order = np.random.default_rng(seed).permutation(n)
    groups = [order[y[order] == c] for c in np.unique(y)] if task == "classification" else [order]
    held = np.concatenate([group[: int(share * len(group))] for group in groups])
    if len(held) == 0:
        held = max(groups, key=len)[:1]
    return Indices(np.setdiff1d(np.arange(n), held), np.sort(held))


def from_raw(name: str, raw: Raw, task: Task | None) -> Dataset:
    """The data with their task decided and their classes numbered; all rows are training rows until `at`."""
    if raw.target is None:
        raise ValueError(f"{name} has no target, expected one to train on")
    _check_finite(raw)
    decided = task or _task(raw.target)
    y, classes = _classes(raw) if decided == "classification" else (_numbers(raw), ())
    rows = np.arange(len(y))
    return Dataset(name, raw.inputs, y, decided, raw.target_name, classes, raw.splits, rows, rows[:0])


def _task(target: Host) -> Task:
    if target.dtype.kind == "f":
        return "regression"
    few = target.dtype.kind in "bUS" or len(np.unique(target)) <= MOST_CLASSES
    return "classification" if few or target.dtype == np.uint8 else "regression"


def _check_finite(raw: Raw) -> None:
    target = np.asarray(raw.target)
    if target.dtype.kind == "f" and not np.all(np.isfinite(target)):
        row = int(np.flatnonzero(~np.isfinite(target))[0])
        raise ValueError(f"the target {raw.target_name!r} holds {target[row]} in row {row}, expected finite numbers")


def _classes(raw: Raw) -> tuple[Host, tuple[str, ...]]:
    target = np.asarray(raw.target)
    if target.dtype.kind == "f":
        whole = target.astype(np.int64)
        if not np.array_equal(whole, target):
            odd = target[whole != target][0]
            raise ValueError(f"the target {raw.target_name!r} holds {odd}, expected classes: use the task regression")
        target = whole
    values, codes = np.unique(target, return_inverse=True)
    if len(values) < 2:
        raise ValueError(f"the target {raw.target_name!r} has {len(values)} class, expected at least 2")
    return codes.astype(np.int64), tuple(str(v) for v in values)


def _numbers(raw: Raw) -> Host:
    target = np.asarray(raw.target)
    if target.dtype.kind not in "iuf":
        raise ValueError(f"the target {raw.target_name!r} holds {str(target[0])!r}, expected numbers for regression")
    return target.astype(np.float64)
