"""The commands, each in a file of its own, under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from bayesnoise import __version__
from bayesnoise.cli import compare, doctor, fit, methods, predict, samples, vectors, verify
from bayesnoise.cli.errors import one_line

ABOUT = "Fit, predict and compare Bayesian neural networks, and verify layers with random weights."

app = typer.Typer(
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands = (fit.fit, predict.predict, compare.compare, methods.methods, doctor.doctor)
for command in (*commands, verify.verify, samples.design, samples.judge):
    app.command()(one_line(command))

golden = typer.Typer(help="Golden vectors: what the layers compute, for implementations in any language.")
for golden_command in (vectors.export, vectors.check):
    golden.command()(one_line(golden_command))
app.add_typer(golden, name="vectors")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bayesnoise {__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What comes before a command."""
