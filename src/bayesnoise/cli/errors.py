"""Errors are for people: one line on stderr and exit code 2, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from rich.console import Console

EXPECTED = (ValueError, TypeError, FloatingPointError, OverflowError, OSError, ImportError)
WRONG, INTERRUPTED = 2, 130  # exit codes; the second is the shell's for Ctrl-C


def sentence(error: BaseException) -> str:
    """What an error says, in one line."""
    named = isinstance(error, OSError) and error.strerror is not None and error.filename is not None
    try:
        text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and named else str(error)
    except Exception as silent:  # of a foreign `__str__`
        text = f"{type(error).__name__}, whose __str__ raises {type(silent).__name__}"
    return " ".join(text.split()) or type(error).__name__


def say(text: str) -> None:
    """A line on stderr, as it is: no markup, no wrapping."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def one_line(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, with what the library raises turned into a line and an exit code."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            say(f"error: {sentence(error)}")
            raise typer.Exit(WRONG) from None
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(INTERRUPTED) from None

    return run
