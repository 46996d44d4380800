"""How a report on a layer is given: in the terminal, in files, and as an exit code."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from bayesnoise_reference import reports
from bayesnoise_reference.claims.outcome import Report
from rich.console import Console
from rich.text import Text

from bayesnoise import _atomic

ALPHA = 1e-6
_WRITTEN = "Reports"
_STYLES = {"refuted": "bold red", "holds": "green", "not run": "dim", "expected": "yellow"}

Tier = Annotated[str, typer.Option(help="How many draws: pr, nightly or release.")]
Alpha = Annotated[float, typer.Option(help="The probability that a correct layer is refuted, at most.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed from which the claims draw parameters and inputs.")]
Json = Annotated[
    Path | None, typer.Option("--json", help="All of it, for programs.", dir_okay=False, rich_help_panel=_WRITTEN)
]
Junit = Annotated[Path | None, typer.Option(help="JUnit XML.", dir_okay=False, rich_help_panel=_WRITTEN)]
Html = Annotated[Path | None, typer.Option(help="One page, with pictures.", dir_okay=False, rich_help_panel=_WRITTEN)]
Markdown = Annotated[Path | None, typer.Option(help="Markdown.", dir_okay=False, rich_help_panel=_WRITTEN)]


class Files(NamedTuple):
    """Where a report is written, in each form that is wanted."""

    json: Path | None
    junit: Path | None
    html: Path | None
    md: Path | None


def check(files: Files) -> None:
    """ValueError, with the option, for files that cannot be written: before anything is run."""
    wanted = {f"--{form}": path for form, path in files._asdict().items() if path is not None}
    for option, path in wanted.items():
        folder = os.path.dirname(os.path.realpath(path))
        if not os.path.isdir(folder):
            raise ValueError(f"{option} is {path}, and there is no folder {folder}: make it first")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ValueError(f"{option} is {path}, and the folder {folder} cannot be written: name another")
    for (one, path), (other, second) in combinations(wanted.items(), 2):
        if os.path.realpath(path) == os.path.realpath(second):
            raise ValueError(f"{one} and {other} are both {path}, expected a file for each")


def give(report: Report, files: Files) -> None:
    """Print the claims, write the files that are wanted, and exit with the code of the report."""
    _print(report)
    forms = (reports.to_json, reports.junit, reports.page, reports.markdown)
    for path, form in zip(files, forms, strict=True):
        if path is not None:
            _atomic.write(path, form(report).encode())
    raise typer.Exit(report.exit_code)


def _print(report: Report) -> None:
    console = Console(highlight=False)
    for line in reports.text(report, max(40, min(console.width, 120))).splitlines():
        status = next((s for s in _STYLES if line.startswith(f"{s:9} ")), None)
        shown = Text(line)
        if status is not None:
            shown.stylize(_STYLES[status], 0, len(status))
        console.print(shown, soft_wrap=True)
