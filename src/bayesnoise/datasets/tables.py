"""CSV files, with a header: columns of numbers, and columns of a few words that become one feature a word."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from bayesnoise.datasets.raw import Column, Host, Inputs, Raw

MOST_CATEGORIES = 50


def read_csv(path: Path, target: str | None, columns: tuple[Column, ...] | None = None) -> Raw:
    """A table; with `columns`, those of an earlier table, which must be here: others are left out."""
    frame = _frame(path)
    names = [str(name) for name in frame.columns]
    if columns is None:
        _require(target, names, path)
        columns = tuple(_infer(name, frame[name]) for name in names if name != target)
    blocks = [_encode(column, frame, path) for column in columns]
    x = np.concatenate(blocks, axis=1) if blocks else np.zeros((len(frame), 0))
    return Raw(Inputs(x, columns), _target(frame, target), target or "")


def _frame(path: Path) -> Any:
    import pandas as pd

    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty, expected a header line and rows of data")
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        return pd.read_csv(path, sep=separator, encoding="utf-8-sig", skipinitialspace=True, index_col=False)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8, expected a CSV file") from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} holds no columns, expected a header line and rows of data") from None
    except pd.errors.ParserError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as CSV ({reason}), expected as many fields in each line") from None


def _require(target: str | None, names: list[str], path: Path) -> None:
    if target is None:
        raise ValueError(f"target is not given, expected the name of a column of {path}: {_listed(names)}")
    if target not in names:
        raise ValueError(f"target is {target!r}, which is no column of {path}{_nearest(target, names)}")
    if len(names) == 1:
        raise ValueError(f"{path} has one column, {target!r}, expected at least one feature beside the target")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _nearest(name: str, names: list[str]) -> str:
    lower = {n.lower(): n for n in names}
    near = [lower[n] for n in get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    return f": did you mean {' or '.join(near)}?" if near else f": expected one of {_listed(names)}"


def _numeric(values: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_complex_dtype(values)


def _infer(name: str, values: Any) -> Column:
    """The column with its categories, none if it holds numbers."""
    import pandas as pd

    if _numeric(values):
        return Column(name)
    present = values.dropna().astype(str)
    as_numbers: Any = pd.to_numeric(present, errors="coerce")
    odd = present[as_numbers.isna()]
    if 2 * len(odd) < len(present):
        raise ValueError(
            f"column {name!r} holds the text {odd.iloc[0]!r} in row {odd.index[0]} among numbers, "
            "expected numbers only or words only"
        )
    categories = tuple(sorted(set(present)))
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"column {name!r} holds {len(categories)} different texts, expected numbers or at most {MOST_CATEGORIES} "
            "categories: drop it or turn it into numbers"
        )
    return Column(name, categories)


def _encode(column: Column, frame: Any, path: Path) -> Host:
    """`(n, features of the column)`."""
    names = [str(name) for name in frame.columns]
    if column.name not in names:
        raise ValueError(f"column {column.name!r} is missing from {path}{_nearest(column.name, names)}")
    values = frame[column.name]
    if not column.categories:
        if not _numeric(values) and len(values):
            raise ValueError(f"column {column.name!r} holds {values.iloc[0]!r} in row 0, expected numbers")
        return np.asarray(values, dtype=np.float64)[:, None]
    missing = np.flatnonzero(np.asarray(values.isna()))
    if len(missing):
        raise ValueError(f"column {column.name!r} has no value in row {missing[0]}: drop those rows or fill them in")
    words = np.asarray(values.astype(str), dtype=object)
    hot = words[:, None] == np.asarray(column.categories, dtype=object)
    unseen = np.flatnonzero(~hot.any(axis=1))
    if len(unseen):
        raise ValueError(
            f"column {column.name!r} holds {words[unseen[0]]!r} in row {unseen[0]}, "
            f"expected one of {', '.join(column.categories)}"
        )
    return np.asarray(hot, dtype=np.float64)


def _target(frame: Any, target: str | None) -> Host | None:
    if target is None or target not in frame.columns:
        return None
    values = frame[target]
    missing = np.flatnonzero(np.asarray(values.isna()))
    if len(missing):
        raise ValueError(f"the target {target!r} has no value (or NaN) in row {missing[0]}: drop that row")
    host = np.asarray(values)
    return host.astype(str) if host.dtype.kind not in "biuf" else host
