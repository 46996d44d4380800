"""Running the command line from tests, small and fast."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TypeAlias

from typer.testing import CliRunner

from bayesnoise import checkpoints
from bayesnoise.cli.app import app

Result: TypeAlias = Any  # of a CliRunner

FAST = ("--hidden", "4", "--samples", "5")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def refused(result: Result) -> str:
    """The line of an error: nothing but one line on stderr, and exit code 2."""
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return str(result.stderr).removeprefix("error: ").rstrip()


def fit(folder: Path, *arguments: object, data: str = "sklearn:iris", epochs: int = 2) -> Result:
    return run("fit", data, "--epochs", epochs, "--out", folder, *FAST, *arguments)


def arrays(folder: Path) -> dict[str, bytes]:
    return {name: a.tobytes() for name, a in checkpoints.read(folder / "model.safetensors").arrays.items()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
