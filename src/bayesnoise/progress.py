"""The bar of a fit: epochs, loss, its two terms, time left. It needs rich, which the extra `cli` brings.

with FitProgress(epochs) as bar:
    state = fit(..., epochs=epochs, on_epoch=bar.update)
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from bayesnoise.training import State


class FitProgress:
    """A context in which `update` shows the last epoch of a state; `done` epochs of a continued fit are behind it."""

    def __init__(self, epochs: int, done: int = 0, console: Console | None = None) -> None:
        self._bar = Progress(
            TextColumn("epoch"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[terms]}", style="cyan", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(no_wrap=True)),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=epochs, completed=done, terms="")

    def __enter__(self) -> FitProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, state: State) -> None:
        epoch = state.history[-1]
        terms = f"loss {epoch.loss:.3f} nll {epoch.nll:.3f} kl {epoch.kl:.4g}"
        if epoch.validation_nll is not None:
            terms += f" val {epoch.validation_nll:.3f}"
        self._bar.update(self._task, completed=epoch.epoch, terms=terms)
