"""`bayesnoise vectors`: golden vectors for implementations in any language, written and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from bayesnoise_reference.vectors import Checked
from bayesnoise_reference.vectors import check as check_outputs
from bayesnoise_reference.vectors import export as export_vectors
from rich.console import Console

WRONG_OUTPUTS = 1
_SHOWN = 20  # failures of one file


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to write.", file_okay=False, show_default=False)
    ],
) -> None:
    """Write the vectors of every family, their schema, and a README that explains them."""
    files = export_vectors(folder)
    _print(f"wrote {len(files)} files to {folder}: start with {files[0]}")


def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A JSON file that `export` wrote.", dir_okay=False, show_default=False),
    ],
    outputs: Annotated[
        Path, typer.Option(help="What your implementation computed, as the README says.", show_default=False)
    ],
    partial: Annotated[bool, typer.Option("--partial", help="Compare what is there; the rest is counted.")] = False,
) -> None:
    """Compare your outputs with FILE: exit code 0 if they are right, 1 with the tests that fail, 2 for a bad file."""
    checked = check_outputs(file, outputs, partial=partial)
    for line in lines(checked):
        _print(line)
    if not checked.passed:
        raise typer.Exit(WRONG_OUTPUTS)


def lines(checked: Checked) -> list[str]:
    """What was found, failures first."""
    found = []
    for m in checked.mismatches[:_SHOWN]:
        found.append(f"tcId {m.tc_id} ({m.comment}), {', '.join(m.outputs)}: {m.sentence}")
        found += [f"  likely bug: {bug}" for bug in dict.fromkeys(m.likely_bugs)]
    if len(checked.mismatches) > _SHOWN:
        others = ", ".join(str(m.tc_id) for m in checked.mismatches[_SHOWN:])
        found.append(f"and tcId {others}")
    left_out = f", {checked.left_out} tests or outputs not given" if checked.left_out else ""
    verdict = f"{len(checked.mismatches)} of {checked.compared} tests fail" if checked.mismatches else "all match"
    found.append(f"{checked.family}: {checked.compared} tests compared{left_out}: {verdict}")
    return found


def _print(line: str) -> None:
    Console(soft_wrap=True).print(line, markup=False, highlight=False)
