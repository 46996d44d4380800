"""Figures that were published for the standard splits, to be shown beside one's own: by data set, method and metric."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Published(NamedTuple):
    """A mean over the splits and its standard error."""

    mean: float
    standard_error: float


@cache
def _document() -> dict[str, Any]:
    text = files("bayesnoise.cli").joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def published(data: str, method: str, metric: str) -> Published | None:
    """What was published for a method on a data set of that name, None if nothing is known here."""
    found = _document()["results"].get(data, {}).get(method, {}).get(metric)
    return None if found is None else Published(*found)


def sources() -> list[str]:
    """Where the figures are from."""
    return list(_document()["sources"])
