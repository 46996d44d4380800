"""`bayesnoise verify`: whether an implementation of such a layer is right, with the reasons."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from bayesnoise_reference import reports
from bayesnoise_reference import verify as put_claims
from bayesnoise_reference.claims.outcome import Outcome, Report
from rich.console import Console
from rich.text import Text

from bayesnoise import _atomic
from bayesnoise.cli import options
from bayesnoise.cli.errors import EXPECTED, say, sentence
from bayesnoise.cli.settings import integers

SHORTCUT, DESCRIBED, WRITTEN = "Shortcuts (torch: and library:)", "What the layer is, if not as guessed", "Reports"
STYLES = {"refuted": "bold red", "holds": "green", "not run": "dim", "expected": "yellow"}
ALPHA = 1e-6
RAISED = 3  # exit code; the others are those of the report
FIELDS = ("estimator", "scale", "bias", "layout", "prior", "prior_kind", "dtype")


def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="package.module:ADAPTER, torch:package.Class, or library:METHOD.",
            show_default=False,
        ),
    ],
    tier: Annotated[str, typer.Option(help="How many draws: pr, nightly or release.")] = "pr",
    alpha: Annotated[float, typer.Option(help="The probability that a correct layer is refuted, at most.")] = ALPHA,
    seed: options.Seed = 0,
    only: Annotated[list[str] | None, typer.Option(help="The id of a claim to run alone. Repeatable.")] = None,
    expect: Annotated[
        list[str] | None, typer.Option(metavar="CLAIM=REASON", help="A claim known to be refuted. Repeatable.")
    ] = None,
    limit: Annotated[float, typer.Option(help="Seconds that one call may take.")] = 10.0,
    inputs: Annotated[int, typer.Option("--in", min=1, help="Inputs.", rich_help_panel=SHORTCUT)] = 8,
    outputs: Annotated[int, typer.Option("--out", min=1, help="Outputs.", rich_help_panel=SHORTCUT)] = 64,
    kernel: Annotated[str | None, typer.Option(help="Of a convolution: 3, or 3,3.", rich_help_panel=SHORTCUT)] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An argument of the class.", rich_help_panel=SHORTCUT),
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
        typer.Option(metavar="MODULE:FUNCTION", help="The KL of a torch module.", rich_help_panel=SHORTCUT),
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
    json_path: Annotated[
        Path | None, typer.Option("--json", help="All of it, for programs.", dir_okay=False, rich_help_panel=WRITTEN)
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML.", dir_okay=False, rich_help_panel=WRITTEN)] = None,
    html: Annotated[
        Path | None, typer.Option(help="One page, with pictures.", dir_okay=False, rich_help_panel=WRITTEN)
    ] = None,
    md: Annotated[Path | None, typer.Option(help="Markdown.", dir_okay=False, rich_help_panel=WRITTEN)] = None,
) -> None:
    """Verify a layer. Exit codes: 0 holds, 1 refuted, 2 usage, 3 the adapter failed, 4 nothing could be run."""
    numbers = integers("kernel", kernel) if kernel is not None else ()
    told = dict(zip(FIELDS, (estimator, scale, bias, layout, prior, prior_kind, dtype), strict=True))
    described = {name: value for name, value in told.items() if value is not None}
    own: dict[str, Any] = {"--kernel": kernel, "--set": given, "--parameter": parameter, "--kl": kl}
    own |= {f"--{name.replace('_', '-')}": value for name, value in told.items()}
    kind, _, rest = target.partition(":")
    if kind in ("torch", "library"):
        build = partial(_shortcut, kind, rest, inputs, outputs, numbers, given, parameter, kl, described)
        own = {"--in": inputs, "--out": outputs, **own}
    elif any(value is not None for value in own.values()):
        flag = next(flag for flag, value in own.items() if value is not None)
        raise ValueError(
            f"{flag} is for torch: and library: targets; the adapter {target} says itself what its layer is"
        )
    else:
        build = partial(_adapter, target)
    adapter = _made(build, target)
    run: dict[str, Any] = {"--tier": tier, "--seed": seed, "--alpha": alpha if alpha != ALPHA else None}
    report = put_claims(adapter, tier, alpha, seed, _pairs("--expect", expect), only or None, limit)  # type: ignore[arg-type]
    command = _command(target, {**own, **run})
    report = report._replace(claims=tuple(_replayable(c, command) for c in report.claims))
    _write(report, {json_path: reports.to_json, junit: reports.junit, html: reports.page, md: reports.markdown})
    _print(report)
    raise typer.Exit(report.exit_code)


def _made(build: Callable[[], Any], target: str) -> Any:
    """The adapter; what its own code raises is one line and exit code 3."""
    try:
        return build()
    except EXPECTED:
        raise
    except Exception as error:  # of the code that is to be verified: it may raise anything
        say(f"error: {target} raised {type(error).__name__}: {sentence(error)}")
        raise typer.Exit(RAISED) from None


def _shortcut(
    kind: str,
    name: str,
    inputs: int,
    outputs: int,
    kernel: tuple[int, ...],
    given: list[str] | None,
    parameter: list[str] | None,
    kl: str | None,
    described: dict[str, Any],
) -> Any:
    if kind == "library":
        if given or parameter or kl is not None:
            raise ValueError("--set, --parameter and --kl are for torch: targets; a method of the library needs none")
        from bayesnoise_reference.adapters.library_methods import library_method

        return library_method(name, inputs, outputs, kernel=kernel, **described)
    from bayesnoise_reference.adapters.torch_conventions import conventional

    module, _, class_name = name.replace(":", ".").rpartition(".")
    return conventional(
        named(f"{module}:{class_name}"),
        inputs,
        outputs,
        kernel=kernel,
        arguments={argument: _value(text) for argument, text in _pairs("--set", given).items()},
        parameters=_pairs("--parameter", parameter) or None,
        kl=named(kl) if kl is not None else None,
        name=f"torch:{name}",
        **described,
    )


def named(target: str) -> Any:
    """What `package.module:name` names. ValueError if there is no such thing."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(
            f"{target!r} names nothing, expected package.module:NAME, torch:package.Class or library:METHOD"
        )
    sys.path.insert(0, "") if "" not in sys.path else None  # like `python -m`: modules of the current folder
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{target!r} cannot be imported: {sentence(error)}") from None
    return found


def _adapter(target: str) -> Any:
    found = named(target)
    if not hasattr(found, "description") and callable(found):
        found = found()
    if not all(hasattr(found, name) for name in ("description", "load", "sample")):
        raise ValueError(f"{target!r} is a {type(found).__name__} without description, load and sample: no adapter")
    return found


def _pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    wrong = [name for name, equals, _ in pairs if not equals or not name]
    if wrong:
        raise ValueError(f"{option} is {wrong[0]!r}, expected two parts with = between")
    return {name: value for name, _, value in pairs}


def _value(text: str) -> Any:
    """A number, true, a list; anything else is the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _command(target: str, told: dict[str, Any]) -> str:
    """The words that repeat the run, without the files that it writes."""
    words = ["bayesnoise", "verify", target]
    for flag, value in told.items():
        for each in value if isinstance(value, list) else [value]:
            words += [flag, str(each)] if each is not None else []
    return shlex.join(words)


def _replayable(claim: Outcome, command: str) -> Outcome:
    """The claim with the command that puts it alone."""
    return claim._replace(replay=f"{command} --only {shlex.quote(claim.id)}") if claim.replay else claim


def _write(report: Report, wanted: dict[Path | None, Callable[[Report], str]]) -> None:
    for path, form in wanted.items():
        if path is not None:
            _atomic.write(path, form(report).encode())


def _print(report: Report) -> None:
    console = Console(highlight=False)
    for line in reports.text(report, max(40, min(console.width, 120))).splitlines():
        status = next((s for s in STYLES if line.startswith(f"{s:9} ")), None)
        shown = Text(line)
        if status is not None:
            shown.stylize(STYLES[status], 0, len(status))
        console.print(shown, soft_wrap=True)
