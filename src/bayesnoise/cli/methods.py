"""`bayesnoise methods`: the table of contents."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bayesnoise.cli.settings import FOR_METHODS, takes
from bayesnoise.methods import METHODS


def methods() -> None:
    """Every method, with its paper and what it combines."""
    table = Table(show_header=False, box=None, padding=(0, 2, 1, 0))
    table.add_column("method", style="bold cyan", no_wrap=True)
    table.add_column("what it is")
    for entry in METHODS:
        own = [f"--{name.replace('_', '-')}" for name in FOR_METHODS if takes(entry.name, name)]
        *most, last = own or [""]
        told = f"{', '.join(most)} and {last}" if most else last
        lines = [entry.combines, escape(entry.paper), *([f"[dim]takes {told}[/dim]"] if own else [])]
        table.add_row(entry.name, "\n".join(lines))
    Console(highlight=False).print(table)
