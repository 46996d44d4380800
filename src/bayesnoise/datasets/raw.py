"""What a file holds before anything is decided about it: features by column, and a target of any type."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from bayesnoise._host import Floats
from bayesnoise._typing import Shape

Host: TypeAlias = "np.ndarray[Any, Any]"


class Column(NamedTuple):
    """One column of features: numbers, or one of a few words, which becomes one feature a word."""

    name: str
    categories: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={c}" for c in self.categories) if self.categories else (self.name,)


class Inputs(NamedTuple):
    """Features of every row, finite; `image_shape` is (channels, height, width) where a row is an image."""

    x: Floats  # (n, d)
    columns: tuple[Column, ...]
    image_shape: Shape | None = None

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.features)


class Indices(NamedTuple):
    """Rows to train on, and rows to test on."""

    train: Host  # (n_train,) integers
    test: Host  # (n_test,) integers


class Raw(NamedTuple):
    inputs: Inputs
    target: Host | None  # (n,), of any dtype
    target_name: str
    splits: tuple[Indices, ...] = ()


def numbered(count: int) -> tuple[Column, ...]:
    """The names of columns that have none."""
    return tuple(Column(f"x{i}") for i in range(count))


def checked(inputs: Inputs) -> Inputs:
    """The inputs; ValueError if there is no row, no feature, or a number that is not finite, named by its column."""
    rows, features = inputs.x.shape
    if features == 0:
        raise ValueError("the data have no feature, expected at least one column beside the target")
    if rows == 0:
        raise ValueError("the data have no rows, expected at least one")
    wrong = np.argwhere(~np.isfinite(inputs.x))
    if len(wrong):
        row, column = (int(i) for i in wrong[0])
        more = f", and {len(wrong) - 1} more such values" if len(wrong) > 1 else ""
        raise ValueError(
            f"column {inputs.features[column]!r} holds {inputs.x[row, column]} in row {row}{more}: "
            "expected finite numbers, so drop those rows or fill them in"
        )
    return inputs
