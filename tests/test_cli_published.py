"""Published figures stand under one's own, for the data sets and methods that have any."""

from __future__ import annotations

import json
from importlib.resources import files
from io import StringIO
from typing import Any

from rich.console import Console

from bayesnoise.cli.board import board
from bayesnoise.cli.published import published, sources
from bayesnoise.cli.trials import Result
from bayesnoise.methods import METHODS

NAMES = [m.name for m in METHODS]


def document() -> Any:
    return json.loads(files("bayesnoise.cli").joinpath("published.json").read_text(encoding="utf-8"))


def test_every_figure_is_of_a_method_that_there_is() -> None:
    for by_method in document()["results"].values():
        for name, metrics in by_method.items():
            assert name in NAMES
            assert set(metrics) == {"rmse", "log_likelihood"}
            assert all(len(pair) == 2 and pair[1] >= 0 for pair in metrics.values())


def shown(data: str) -> str:
    result = Result("dropout", 0, 0, {}, [], {"rmse": 5.0, "log_likelihood": -3.0}, 1.0)
    console = Console(width=80, record=True, file=StringIO())
    console.print(board([result], ["dropout"], 1, "regression", "caption", data))
    return console.export_text()


def test_a_figure_stands_under_the_mean() -> None:
    value = published("concrete", "dropout", "rmse")
    assert value is not None
    text = shown("concrete")
    assert f"{value.mean:g} ±{value.standard_error:g}" in text
    assert sources()[0][:30] in text


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert published("concrete", "flipout", "rmse") is None
    assert published("mine", "dropout", "rmse") is None
    assert "published" not in shown("mine")
