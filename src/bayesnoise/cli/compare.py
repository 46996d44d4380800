"""`bayesnoise compare`: methods side by side on the same splits of the same data."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from bayesnoise_backends import backend as backend_named
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from bayesnoise import _atomic
from bayesnoise.cli import options
from bayesnoise.cli.board import board, line, summaries
from bayesnoise.cli.errors import INTERRUPTED, say
from bayesnoise.cli.settings import Settings, integers, layers, numbers
from bayesnoise.cli.trials import Choices, Result, check_choices, methods_of, plan, results, splits_of
from bayesnoise.cli.versions import versions
from bayesnoise.datasets import Dataset, load

CHOICE = "One value, or several with commas between: each run chooses on a fifth of its training rows, then fits all."


def compare(
    data: options.Source,
    target: options.Target = None,
    task: options.Task = None,
    splits: Annotated[
        str,
        typer.Option(help="all that the data state, or numbers: 0-19, or 0,3.", rich_help_panel=options.DATA),
    ] = "0",
    methods: Annotated[
        str, typer.Option(help="all, or names with commas between.", rich_help_panel=options.MODEL)
    ] = "all",
    net: options.Net = "mlp",
    hidden: options.Hidden = "50",
    likelihood: options.Likelihood = "auto",
    noise_scale: Annotated[
        str | None,
        typer.Option(help=f"Of a fixed likelihood. {CHOICE}", rich_help_panel=options.MODEL),
    ] = None,
    prior_scale: Annotated[str | None, typer.Option(help=CHOICE, rich_help_panel=options.MODEL)] = None,
    rate: Annotated[str | None, typer.Option(help=f"Of dropout. {CHOICE}", rich_help_panel=options.MODEL)] = None,
    rank: Annotated[str | None, typer.Option(help=CHOICE, rich_help_panel=options.MODEL)] = None,
    members: Annotated[
        str | None, typer.Option(help=f"Of an ensemble. {CHOICE}", rich_help_panel=options.MODEL)
    ] = None,
    adversarial: Annotated[
        str | None, typer.Option(help=f"Of an ensemble. {CHOICE}", rich_help_panel=options.MODEL)
    ] = None,
    begin: Annotated[str | None, typer.Option(help=f"Of SWAG. {CHOICE}", rich_help_panel=options.MODEL)] = None,
    epochs: Annotated[str, typer.Option(help=CHOICE, rich_help_panel=options.TRAINING)] = "200",
    batch: options.Batch = 32,
    train_samples: Annotated[
        str | None, typer.Option(help=f"Draws for each example of a step. {CHOICE}", rich_help_panel=options.TRAINING)
    ] = None,
    learning_rate: Annotated[str, typer.Option(help=CHOICE, rich_help_panel=options.TRAINING)] = "0.003",
    decay: options.Decay = "cosine",
    kl_weight: Annotated[str, typer.Option(help=CHOICE, rich_help_panel=options.TRAINING)] = "1",
    kl_warmup: options.Warmup = 0,
    samples: options.Samples = 200,
    seed: options.Seed = 0,
    backend: options.Backend = "numpy",
    dtype: options.Dtype = "float32",
    jobs: Annotated[
        int, typer.Option(min=0, help="Processes side by side; 0 for one a processor, and one on a device.")
    ] = 0,
    out: Annotated[Path | None, typer.Option("--json", help="A file for every run.", dir_okay=False)] = None,
) -> None:
    """Compare methods on DATA: one row each, with means and standard errors over the splits."""
    given = {"prior_scale": prior_scale, "rate": rate, "kl_weight": kl_weight, "learning_rate": learning_rate}
    given |= {"noise_scale": noise_scale, "adversarial": adversarial, "begin": begin}
    whole = {"rank": rank, "members": members, "train_samples": train_samples, "epochs": epochs}
    choices: Choices = {name: numbers(name, text) for name, text in given.items() if text is not None}
    choices |= {name: integers(name, text) for name, text in whole.items() if text is not None}
    base = Settings(
        data=data,
        target=target,
        task=task,
        net=net,
        hidden=layers(hidden),
        batch=batch,
        decay=decay,
        kl_warmup=kl_warmup,
        likelihood=likelihood,
        noise_scale=choices.get("noise_scale", (None,))[0],
        samples=samples,
        seed=seed,
        backend=backend,
        dtype=dtype,
    )
    found = backend_named(backend)
    loaded = load(data, target, task)  # type: ignore[arg-type]  # load checks the task
    names, numbered = methods_of(methods), splits_of(splits, len(loaded.given))
    check_choices(choices, names)
    for k in numbered:
        loaded.at(k)
    trials = plan(base, names, numbered, choices)
    dump = _Dump(out, base, choices, names, loaded.task, versions(backend, found.version()))
    _show(loaded, names, len(numbered), base, dump, results(trials, jobs or _jobs(backend)))


def _jobs(backend: str) -> int:
    """As many as processors for NumPy; frameworks have threads and devices of their own."""
    return (os.cpu_count() or 1) if backend == "numpy" else 1


class _Dump:
    """The results so far, on the disk after each run."""

    def __init__(
        self,
        path: Path | None,
        base: Settings,
        choices: Choices,
        methods: tuple[str, ...],
        task: str,
        versions: dict[str, str],
    ) -> None:
        self.results: list[Result] = []
        self._path, self._methods, self._task = path, methods, task
        self._head: dict[str, Any] = {"settings": base.as_dict() | choices, "versions": versions}

    def add(self, result: Result) -> None:
        self.results.append(result)
        if self._path is None:
            return
        runs = [r._asdict() for r in self.results]
        content = {**self._head, "summary": summaries(self.results, self._methods, self._task), "runs": runs}
        _atomic.write(self._path, json.dumps(content, indent=2).encode())


def _show(data: Dataset, names: tuple[str, ...], runs: int, base: Settings, dump: _Dump, coming: Any) -> None:
    console = Console()
    hidden = "-".join(map(str, base.hidden)) or "none"
    caption = escape(
        f"{data.name}: {runs} split{'s' * (runs > 1)}, hidden {hidden}, {base.samples} passes; mean ± s.e."
    )

    def table() -> Table:
        return board(dump.results, names, runs, data.task, caption, Path(data.name).stem)

    live = Live(get_renderable=table, console=console, refresh_per_second=4)
    try:
        with live if console.is_terminal else nullcontext():
            for result in coming:
                dump.add(result)
                if not console.is_terminal:
                    console.print(line(result, data.task), markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        say(f"interrupted after {len(dump.results)} of {runs * len(names)} runs")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if not console.is_terminal and dump.results:
            console.print(table())
