"""How a report on a layer is given: in the terminal, in files, and as an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
Json = Annotated[
    Path | None, typer.Option("--json", help="All of it, for programs.", dir_okay=False, rich_help_panel=_WRITTEN)
]
Junit = Annotated[Path | None, typer.Option(help="JUnit XML.", dir_okay=False, rich_help_panel=_WRITTEN)]
Html = Annotated[Path | None, typer.Option(help="One page, with pictures.", dir_okay=False, rich_help_panel=_WRITTEN)]
Markdown = Annotated[Path | None, typer.Option(help="Markdown.", dir_okay=False, rich_help_panel=_WRITTEN)]


def give(report: Report, json: Path | None, junit: Path | None, html: Path | None, md: Path | None) -> None:
    """Write the files that are wanted, print the claims, and exit with the code of the report."""
    wanted = {json: reports.to_json, junit: reports.junit, html: reports.page, md: reports.markdown}
    for path, form in wanted.items():
        if path is not None:
            _atomic.write(path, form(report).encode())
    _print(report)
    raise typer.Exit(report.exit_code)


def _print(report: Report) -> None:
    console = Console(highlight=False)
    for line in reports.text(report, max(40, min(console.width, 120))).splitlines():
        status = next((s for s in _STYLES if line.startswith(f"{s:9} ")), None)
        shown = Text(line)
        if status is not None:
            shown.stylize(_STYLES[status], 0, len(status))
        console.print(shown, soft_wrap=True)
