"""`bayesnoise design` and `bayesnoise judge`: a verdict on samples that another program has made."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from bayesnoise_reference import samples, schema
from bayesnoise_reference.adapters.described import from_fields
from rich.console import Console

from bayesnoise.cli import verdicts
from bayesnoise.cli.settings import integers

_LAYER = "What the layer is"
_LONGEST = 2**20  # bytes of a description


def design(
    path: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder to write, or a file ending in .npz.", show_default=False)
    ],
    estimator: Annotated[
        str | None, typer.Option(help="shared, flipout or local.", rich_help_panel=_LAYER, show_default=False)
    ] = None,
    inputs: Annotated[int, typer.Option("--in", min=1, help="Inputs.", rich_help_panel=_LAYER)] = 8,
    outputs: Annotated[int, typer.Option("--out", min=1, help="Outputs.", rich_help_panel=_LAYER)] = 64,
    kernel: Annotated[str | None, typer.Option(help="Of a convolution: 3, or 3,3.", rich_help_panel=_LAYER)] = None,
    scale: Annotated[
        str, typer.Option(help="How it is stored: softplus, exp, log_variance, identity.", rich_help_panel=_LAYER)
    ] = "softplus",
    bias: Annotated[str, typer.Option(help="none, deterministic or random.", rich_help_panel=_LAYER)] = "none",
    layout: Annotated[str, typer.Option(help="in_out or out_in.", rich_help_panel=_LAYER)] = "in_out",
    dtype: Annotated[str, typer.Option(help="float32 or float64.", rich_help_panel=_LAYER)] = "float64",
    description: Annotated[
        Path | None,
        typer.Option(help="A JSON file with all of it, instead.", dir_okay=False, rich_help_panel=_LAYER),
    ] = None,
    tier: verdicts.Tier = "pr",
    seed: verdicts.Seed = 0,
) -> None:
    """Write parameters and inputs, for which your program is to sample outputs."""
    if (description is None) == (estimator is None):
        raise ValueError("expected --estimator (shared, flipout or local) or --description, and not both")
    fields = {
        "family": "dense" if kernel is None else "convolution",
        "estimator": estimator,
        "inputs": inputs,
        "outputs": outputs,
        "kernel": list(integers("kernel", kernel)) if kernel is not None else [],
        "scale": scale,
        "bias": bias,
        "layout": layout,
        "dtype": dtype,
    }
    told: Any = from_fields(fields) if description is None else _described(description)
    made = samples.make(told, tier, seed)  # type: ignore[arg-type]  # checked there
    files = samples.write(made, path)
    calls = sum(len(case.x) for case in made.cases.values())
    said = f"wrote {len(made.cases)} cases, {calls} calls in all, to {path}: start with {files[0]}"
    Console(soft_wrap=True).print(said, markup=False, highlight=False)


def _described(path: Path) -> Any:
    if path.stat().st_size > _LONGEST:
        raise ValueError(f"{path}: {path.stat().st_size} bytes, expected a description of at most {_LONGEST}")
    try:
        return from_fields(schema.parse(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None


def judge(
    designed: Annotated[Path, typer.Argument(metavar="DESIGN", help="What `design` wrote.", show_default=False)],
    sampled: Annotated[
        Path | None,
        typer.Argument(
            metavar="SAMPLES", help="An .npz or a folder of outputs; by default those in DESIGN.", show_default=False
        ),
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Judge the claims that have all their samples.")] = False,
    alpha: verdicts.Alpha = verdicts.ALPHA,
    json_path: verdicts.Json = None,
    junit: verdicts.Junit = None,
    html: verdicts.Html = None,
    md: verdicts.Markdown = None,
) -> None:
    """Judge the samples that your program made for DESIGN. Exit codes: 0 holds, 1 refuted, 2 a bad file."""
    files = verdicts.Files(json_path, junit, html, md)
    verdicts.check(files)
    made = samples.read(designed)
    found = samples.read_samples(sampled if sampled is not None else designed, made)
    report = samples.judge(made, found, alpha, partial=partial)
    words = ["bayesnoise", "judge", str(designed), *([str(sampled)] if sampled is not None else [])]
    words += ["--partial"] * partial + (["--alpha", str(alpha)] if alpha != verdicts.ALPHA else [])
    claims = tuple(c._replace(replay=shlex.join(words)) if c.replay else c for c in report.claims)
    verdicts.give(report._replace(claims=claims), files)
