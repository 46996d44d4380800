"""`bayesnoise fit`: train a network on real data, and write the model and a report."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bayesnoise import _atomic
from bayesnoise.cli import options, store
from bayesnoise.cli.errors import INTERRUPTED, say
from bayesnoise.cli.model import fingerprint
from bayesnoise.cli.report import Report, as_dict, page, short
from bayesnoise.cli.run import Passes, Prepared, Timer, passes, prepare, pruned, scores
from bayesnoise.cli.settings import Settings, layers
from bayesnoise.cli.versions import versions
from bayesnoise.datasets import Dataset, load
from bayesnoise.progress import FitProgress
from bayesnoise.training import State, parameter_count

MOST_OFTEN = 0.5  # seconds between checkpoints; the last one is always written


def fit(
    data: options.Source,
    target: options.Target = None,
    task: options.Task = None,
    split: options.Split = 0,
    method: Annotated[str, typer.Option(help="See `bayesnoise methods`.", rich_help_panel=options.MODEL)] = "flipout",
    net: options.Net = "mlp",
    hidden: options.Hidden = "50",
    likelihood: options.Likelihood = "auto",
    noise_scale: Annotated[
        float | None,
        typer.Option(help="Of a fixed likelihood, in the units of the target.", rich_help_panel=options.MODEL),
    ] = None,
    prior_scale: options.PriorScale = None,
    rate: options.Rate = None,
    rank: options.Rank = None,
    members: options.Members = None,
    adversarial: options.Adversarial = None,
    begin: options.Begin = None,
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the training rows.", rich_help_panel=options.TRAINING)
    ] = 200,
    batch: options.Batch = 32,
    train_samples: options.TrainSamples = None,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.", rich_help_panel=options.TRAINING)] = 3e-3,
    decay: options.Decay = "cosine",
    kl_weight: Annotated[float, typer.Option(help="1 is the ELBO.", rich_help_panel=options.TRAINING)] = 1.0,
    kl_warmup: options.Warmup = 0,
    validation: Annotated[
        float,
        typer.Option(
            help="Share of the training rows to hold out; the best epoch is kept.", rich_help_panel=options.TRAINING
        ),
    ] = 0.0,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after so many epochs without a lower validation loss.", rich_help_panel=options.TRAINING
        ),
    ] = None,
    samples: options.Samples = 200,
    seed: options.Seed = 0,
    backend: options.Backend = "numpy",
    dtype: options.Dtype = "float32",
    out: options.Folder = Path("run"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in the folder, with the same options.")
    ] = False,
) -> None:
    """Fit a network to DATA; write model.safetensors, report.json and report.html."""
    settings = Settings(
        data=data,
        target=target,
        task=task,
        split=split,
        method=method,
        net=net,
        hidden=layers(hidden),
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        decay=decay,
        prior_scale=prior_scale,
        rate=rate,
        rank=rank,
        members=members,
        adversarial=adversarial,
        begin=begin,
        train_samples=train_samples,
        kl_weight=kl_weight,
        kl_warmup=kl_warmup,
        likelihood=likelihood,
        noise_scale=noise_scale,
        samples=samples,
        validation=validation,
        patience=patience,
        seed=seed,
        backend=backend,
        dtype=dtype,
    )
    loaded = load(data, target, task, split)  # type: ignore[arg-type]  # load checks the task
    prepared = prepare(settings, loaded)
    out.mkdir(parents=True, exist_ok=True)
    earlier = _resumed(out, settings, loaded) if resume else None
    console = Console()
    timer = Timer()
    state = _train(console, out, prepared, earlier, fingerprint(loaded))
    if state.interrupted:
        done = len(state.history)
        kept = f"{out / store.MODEL} holds epoch {done}" if done else "no epoch was complete"
        say(f"interrupted: {kept} of {epochs}; the same command with --resume goes on from there")
        raise typer.Exit(INTERRUPTED)
    _report(console, out, prepared, loaded, state, timer.seconds())


def _resumed(out: Path, settings: Settings, data: Dataset) -> State | None:
    stored = store.restore(out)
    difference = settings.difference(stored.network.model.settings)
    if difference is not None:
        raise ValueError(f"{difference}: --resume goes on with the same options")
    if stored.data_hash != fingerprint(data):
        raise ValueError(
            f"{data.name} has changed since the checkpoint in {out} was written: fit anew without --resume"
        )
    return stored.state


def _train(console: Console, out: Path, prepared: Prepared, earlier: State | None, data_hash: str) -> State:
    settings, network = prepared.network.model.settings, prepared.network
    written = time.monotonic()
    done = len(earlier.history) if earlier is not None else 0

    def on_epoch(state: State) -> None:
        nonlocal written
        bar.update(state)
        if time.monotonic() - written > MOST_OFTEN:
            store.save(out, network, state, data_hash)
            written = time.monotonic()

    with FitProgress(settings.epochs, done, console) as bar:
        state = prepared.fit(earlier, on_epoch)
    if state.history:
        store.save(out, network, state, data_hash)
    return state


def _report(console: Console, out: Path, prepared: Prepared, data: Dataset, state: State, seconds: float) -> None:
    network, settings = prepared.network, prepared.network.model.settings
    timer = Timer()
    x, y = data.x[data.test], data.y[data.test]
    predicted: Passes = passes(network, state.best, x)
    report = Report(
        settings=settings.as_dict(),
        task=data.task,
        target=data.target,
        classes=data.classes,
        features=data.inputs.features,
        rows={"train": len(prepared.x), "validation": len(data.train) - len(prepared.x), "test": len(data.test)},
        parameters=parameter_count(state.params),
        metrics=scores(predicted, y),
        pruned=pruned(network, state.best, x, y),
        history=state.history,
        seconds={"fit": seconds, "epochs": sum(e.seconds for e in state.history), "predict": timer.seconds()},
        versions=versions(settings.backend, network.backend.version()),
    )
    _atomic.write(out / store.REPORT, json.dumps(as_dict(report), indent=2).encode())
    _atomic.write(out / store.PAGE, page(report, predicted, y).encode())
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in report.metrics.items():
        table.add_row(name.replace("_", " "), short(value))
    console.print(table)
    console.print(f"{len(state.history)} epochs in {seconds:.1f} s; wrote {out}/", highlight=False)
