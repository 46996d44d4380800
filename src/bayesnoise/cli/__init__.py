"""The command line: `bayesnoise fit`, `predict`, `compare`, `methods`, `doctor`, `verify`, `vectors`."""

from __future__ import annotations


def main() -> None:
    """Run the command line on the arguments of the process."""
    try:
        from bayesnoise.cli.app import app
    except ModuleNotFoundError as error:
        raise SystemExit(f'{error.name} is not installed: run pip install "bayesnoise[cli]"') from None
    app(prog_name="bayesnoise")
