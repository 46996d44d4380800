"""`bayesnoise verify`: whether an implementation of such a layer is right, with the reasons."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer
from bayesnoise_reference import verify as put_claims
from bayesnoise_reference.adapters.worker import check_limit
from bayesnoise_reference.claims.outcome import Outcome
from bayesnoise_reference.reports.escaping import visible
from bayesnoise_reference.verification import laws_for
from rich.console import Console

from bayesnoise.cli import targets, verdicts
from bayesnoise.cli.errors import EXPECTED, say, sentence
from bayesnoise.cli.settings import integers

SHORTCUT, DESCRIBED = "Shortcuts (torch:, keras: and library:)", "What the layer is, if not as guessed"
LIMIT = 60.0
RAISED = 3  # exit code; the others are those of the report
FIELDS = ("estimator", "scale", "bias", "layout", "prior", "prior_kind", "dtype")


def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="package.module:ADAPTER, torch:package.Class, keras:package.Class, library:METHOD, or exec:COMMAND.",
            show_default=False,
        ),
    ],
    tier: verdicts.Tier = "pr",
    alpha: verdicts.Alpha = verdicts.ALPHA,
    seed: verdicts.Seed = 0,
    only: Annotated[list[str] | None, typer.Option(help="The id of a claim to run alone. Repeatable.")] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the id and the law of each claim, and run nothing.")
    ] = False,
    expect: Annotated[
        list[str] | None, typer.Option(metavar="CLAIM=REASON", help="A claim known to be refuted. Repeatable.")
    ] = None,
    limit: Annotated[float, typer.Option(help="Seconds that one call may take.")] = LIMIT,
    inputs: Annotated[
        int | None,
        typer.Option("--in", min=1, help="Inputs: 8, or the method's own.", rich_help_panel=SHORTCUT),
    ] = None,
    outputs: Annotated[
        int | None,
        typer.Option("--out", min=1, help="Outputs: 64, or the method's own.", rich_help_panel=SHORTCUT),
    ] = None,
    kernel: Annotated[str | None, typer.Option(help="Of a convolution: 3, or 3,3.", rich_help_panel=SHORTCUT)] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An argument of the class, or a setting of the method.",
            rich_help_panel=SHORTCUT,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=NAME",
            help="mean, rho, bias, bias_mean, bias_rho: which parameter it is.",
            rich_help_panel=SHORTCUT,
        ),
    ] = None,
    kl: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="The KL of a torch or Keras layer.", rich_help_panel=SHORTCUT),
    ] = None,
    estimator: Annotated[str | None, typer.Option(help="shared, flipout or local.", rich_help_panel=DESCRIBED)] = None,
    scale: Annotated[
        str | None,
        typer.Option(help="How it is stored: softplus, exp, log_variance, identity.", rich_help_panel=DESCRIBED),
    ] = None,
    bias: Annotated[str | None, typer.Option(help="none, deterministic or random.", rich_help_panel=DESCRIBED)] = None,
    layout: Annotated[str | None, typer.Option(help="in_out or out_in.", rich_help_panel=DESCRIBED)] = None,
    prior: Annotated[float | None, typer.Option(help="The width of the prior.", rich_help_panel=DESCRIBED)] = None,
    prior_kind: Annotated[
        str | None, typer.Option(help="What that is: scale or variance.", rich_help_panel=DESCRIBED)
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.", rich_help_panel=DESCRIBED)] = None,
    json_path: verdicts.Json = None,
    junit: verdicts.Junit = None,
    html: verdicts.Html = None,
    md: verdicts.Markdown = None,
) -> None:
    """Verify a layer. Exit codes: 0 holds, 1 refuted, 2 usage, 3 the adapter failed, 4 nothing could be run."""
    files = verdicts.Files(json_path, junit, html, md)
    verdicts.check(files)
    check_limit(limit)
    numbers = integers("kernel", kernel) if kernel is not None else ()
    told = dict(zip(FIELDS, (estimator, scale, bias, layout, prior, prior_kind, dtype), strict=True))
    described = {name: value for name, value in told.items() if value is not None}
    own: dict[str, Any] = {"--kernel": kernel, "--set": given, "--parameter": parameter, "--kl": kl}
    own |= {f"--{name.replace('_', '-')}": value for name, value in told.items()}
    kind, _, rest = target.partition(":")
    if kind in targets.SHORTCUTS:
        asked = targets.Asked(rest, inputs, outputs, numbers, given, parameter, kl, described)
        build = partial(targets.SHORTCUTS[kind], asked)
        own = {"--in": inputs, "--out": outputs, **own}
    elif any(value is not None for value in own.values()):
        flag = next(flag for flag, value in own.items() if value is not None)
        raise ValueError(
            f"{flag} is for {targets.WITH_CLASSES} targets; the adapter {target} says itself what its layer is"
        )
    else:
        build = partial(targets.program, rest, limit) if kind == "exec" else partial(targets.adapter, target)
    run: dict[str, Any] = {"--tier": tier, "--seed": seed, "--alpha": alpha if alpha != verdicts.ALPHA else None}
    run |= {"--limit": limit if limit != LIMIT else None}
    with _closed(_made(build, target)) as adapter:
        laws = laws_for(adapter)
        if listed:
            _list(laws)
            return
        known = targets.pairs("--expect", expect)
        again = _command(target, own)
        for flag, ids in (("--only", only or ()), ("--expect", known)):
            _require_claims(flag, ids, laws, again)
        report = put_claims(adapter, tier, alpha, seed, known, only or None, limit)  # type: ignore[arg-type]
    command = _command(target, {**own, **run})
    claims = tuple(_replayable(c, command, only or []) for c in report.claims)
    verdicts.give(report._replace(claims=claims), files)


def _list(laws: Mapping[str, str]) -> None:
    """A line for each claim."""
    width = max(map(len, laws))
    for name, law in laws.items():
        Console(soft_wrap=True).print(f"{visible(name):{width}}  {law}", markup=False, highlight=False)


def _require_claims(flag: str, given: Iterable[str], laws: Mapping[str, str], command: str) -> None:
    """ValueError for an id that no claim has."""
    unknown = [name for name in given if name not in laws]
    if unknown:
        raise ValueError(f"{flag} has {unknown[0]!r}, which is no claim about this layer: {command} --list shows them")


@contextmanager
def _closed(adapter: Any) -> Iterator[Any]:
    """The adapter; at the end what it has running is ended."""
    try:
        yield adapter
    finally:
        getattr(adapter, "close", lambda: None)()


def _made(build: Callable[[], Any], target: str) -> Any:
    """The adapter; what its own code raises is one line and exit code 3."""
    try:
        return build()
    except EXPECTED:
        raise
    except Exception as error:  # of the code that is to be verified: it may raise anything
        say(f"error: {target} raised {type(error).__name__}: {sentence(error)}")
        raise typer.Exit(RAISED) from None


def _command(target: str, told: dict[str, Any]) -> str:
    """The words that repeat the run, without the files that it writes."""
    words = ["bayesnoise", "verify", target]
    for flag, value in told.items():
        for each in value if isinstance(value, list) else [value]:
            words += [flag, str(each)] if each is not None else []
    return shlex.join(words)


def _replayable(claim: Outcome, command: str, only: list[str]) -> Outcome:
    """The claim with the command that puts it alone; how a layer behaves shows in the calls of all that were put."""
    ids = sorted({claim.id, *only}) if ".adapter." in claim.id else [claim.id]
    return claim._replace(replay=" ".join([command, *(f"--only {shlex.quote(name)}" for name in ids)]))
