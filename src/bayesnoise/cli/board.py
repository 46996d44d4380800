"""The table of a comparison: a row a method, means with their standard errors, a bar for the runs still to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from bayesnoise.cli.published import Published, published, sources
from bayesnoise.cli.trials import Result

# Names of metrics, their headings, and whether more is better.
SHOWN = {
    "regression": (("rmse", "RMSE", False), ("log_likelihood", "log-likelihood", True)),
    "classification": (
        ("accuracy", "accuracy", True),
        ("nll", "NLL", False),
        ("ece", "ECE", False),
        ("brier", "Brier", False),
    ),
}


class Mean(NamedTuple):
    mean: float
    standard_error: float | None  # None for fewer than two runs
    runs: int


def summary(results: Sequence[Result], metric: str) -> Mean | None:
    """The mean over splits, None where there is no result yet."""
    values = [r.metrics[metric] for r in results if metric in r.metrics]
    if not values:
        return None
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Mean(float(np.mean(values)), error, len(values))


def summaries(results: Sequence[Result], methods: Sequence[str], task: str) -> dict[str, dict[str, Any]]:
    """The summary of every method and metric, as JSON values."""
    found: dict[str, dict[str, Any]] = {}
    for name in methods:
        own = [r for r in results if r.method == name]
        each = {metric: summary(own, metric) for metric, _, _ in SHOWN[task]}
        found[name] = {metric: value._asdict() for metric, value in each.items() if value is not None}
    return found


def line(result: Result, task: str) -> str:
    """One run in a line, for where there is no terminal to draw on."""
    if result.left_out is not None:
        return f"{result.method} split {result.split}: left out: {result.left_out}"
    if result.error is not None:
        return f"{result.method} split {result.split}: {result.error}"
    parts = [f"{heading} {result.metrics[metric]:.4f}" for metric, heading, _ in SHOWN[task]]
    return f"{result.method} split {result.split}: {', '.join([*parts, *_words(result.chosen)])}"


def _words(chosen: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', '-')} {value:g}" for name, value in chosen.items()]


def left_out(results: Sequence[Result]) -> list[str]:
    """The reason for each method that is not for such data."""
    return list(dict.fromkeys(r.left_out for r in results if r.left_out is not None))


def board(
    results: Sequence[Result], methods: Sequence[str], runs: int, task: str, caption: str, data: str = ""
) -> Table:
    """The table so far; the best mean of each column is bold once all runs are in. It fits 80 columns.

    Under a mean stands, dim, what was published for the method on data of that name.
    """
    known = any(published(data, name, metric) for name in methods for metric, _, _ in SHOWN[task])
    told = ["dim: published, on the standard splits", *sources()] if known else []
    caption = "\n".join([caption, *map(escape, left_out(results)), *map(escape, told)])
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", caption=caption, caption_justify="left")
    table.add_column("method", style="cyan")
    for _, heading, _ in SHOWN[task]:
        table.add_column(heading, justify="right", no_wrap=True)
    timed = len(SHOWN[task]) < 4  # else the names of the methods need the space
    if timed:
        table.add_column("s/run", justify="right", no_wrap=True)
    table.add_column("runs", no_wrap=True)
    by_method = {name: [r for r in results if r.method == name] for name in methods}
    complete = len(results) == runs * len(methods)
    best = {metric: _best(by_method, metric, up) if complete else None for metric, _, up in SHOWN[task]}
    for name, own in by_method.items():
        cells: list[Any] = []
        for metric, _, _ in SHOWN[task]:
            value = summary(own, metric)
            cell = _cell(value, bold=value is not None and len(methods) > 1 and value.mean == best[metric])
            cells.append(cell + _beside(published(data, name, metric)))
        if timed:
            cells.append(f"{np.mean([r.seconds for r in own]):.1f}" if own else "")
        failed = sum(r.error is not None for r in own)
        done = f"{len(own)}" + (f", {failed} failed" if failed else "")
        done = "left out" if own and all(r.left_out is not None for r in own) else done
        bar: Any = done if len(own) == runs else ProgressBar(total=runs, completed=len(own), width=8)
        table.add_row(name.replace("_", " ") + _most(own), *cells, bar)
    return table


def _best(by_method: dict[str, list[Result]], metric: str, up: bool) -> float | None:
    found = [value.mean for own in by_method.values() if (value := summary(own, metric)) is not None]
    return (max if up else min)(found) if found else None


def _cell(value: Mean | None, bold: bool) -> str:
    if value is None:
        return ""
    text = f"{value.mean:.3f}" + ("" if value.standard_error is None else f" ±{value.standard_error:.3f}")
    return f"[bold]{text}[/bold]" if bold else text


def _beside(value: Published | None) -> str:
    return "" if value is None else f"\n[dim]{value.mean:g} ±{value.standard_error:g}[/dim]"


def _most(results: Sequence[Result]) -> str:
    """What was chosen most often, on a line of its own."""
    counts = Counter(" ".join(_words(r.chosen)) for r in results if r.chosen)
    return f"\n[dim]{counts.most_common(1)[0][0]}[/dim]" if counts else ""
