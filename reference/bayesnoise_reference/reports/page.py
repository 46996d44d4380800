"""A report as one self-contained page: no script, no font, no picture from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports.document import counts
from bayesnoise_reference.reports.escaping import html, html_lines
from bayesnoise_reference.reports.pictures import pictures
from bayesnoise_reference.reports.wording import budget, facts, known, number, surprise, undrawn, verdict

# The policy refuses whatever a mistake in the escaping would let in.
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
"""


def page(report: Report) -> str:
    """The verdict, each claim with its picture, and how the run can be repeated."""
    css = resources.files("bayesnoise_reference.reports").joinpath("page.css").read_text(encoding="utf-8")
    name = html(report.adapter)
    kind = {0: "holds", 1: "refuted"}.get(report.exit_code, "")
    by_status = {s: [c for c in report.claims if c.status == s] for s in ("refuted", "holds", "not run")}
    sections = [
        _section("Refuted", report, by_status["refuted"]),
        _section("Holds", report, by_status["holds"]),
        _not_run(by_status["not run"]),
    ]
    head = (
        f"<h1>{name}</h1>\n<p class='verdict {kind}'>{html(verdict(report))}</p>\n"
        f"<p class='soft'>{html(budget(report))}</p>\n{_tiles(report)}"
    )
    return (
        f"{_HEAD}<title>{name}: verification</title>\n<style>\n{css}</style>\n</head>\n<body>\n<main>\n"
        f"<header>\n{head}</header>\n{''.join(sections)}{_run(report)}</main>\n</body>\n</html>\n"
    )


def _tiles(report: Report) -> str:
    found = counts(report)
    tiles = [
        (str(found["refuted"]), "claims refuted"),
        (str(found["holds"]), "claims hold"),
        (str(found["not run"]), "not run: the reason is with each"),
        (f"{report.seconds:.1f} s", "of one machine's time"),
    ]
    inside = "".join(
        f"<div class='tile'><b>{html(value)}</b><small>{html(name)}</small></div>\n" for value, name in tiles
    )
    return f"<div class='tiles'>\n{inside}</div>\n"


def _section(title: str, report: Report, claims: Sequence[Outcome]) -> str:
    if not claims:
        return ""
    inside = "".join(_claim(claim, known(report, claim), surprise(report, claim)) for claim in claims)
    return f"<h2>{title}</h2>\n<section class='claims'>\n{inside}</section>\n"


def _claim(claim: Outcome, reason: str | None, note: str | None) -> str:
    kind = claim.status if reason is None else "known"
    said = (note or claim.status) if reason is None else f"refuted, as expected: {reason}"
    parts = [
        f"<article class='{kind}'>\n<span class='status'>{html(said)}</span>\n<h3>{html(claim.id)}</h3>",
        f"<p>{html(claim.sentence)}</p>",
        f"<p class='soft'>{html(undrawn(claim))}</p>" if undrawn(claim) else "",
        pictures(claim),
        _pairs(facts(claim)),
    ]
    if claim.status == "refuted":
        causes = "".join(f"<li>{html(cause)}</li>" for cause in claim.likely_causes)
        parts.append(f"<p class='soft'>Likely causes</p><ul>{causes}</ul>" if causes else "")
        parts.append(f"<pre>{html_lines(claim.replay)}</pre>" if claim.replay else "")
    return "\n".join(part for part in parts if part) + "\n</article>\n"


def _not_run(claims: Sequence[Outcome]) -> str:
    if not claims:
        return ""
    return f"<h2>Not run</h2>\n<div class='card stacked'>{_pairs([(c.id, c.sentence) for c in claims])}</div>\n"


def _run(report: Report) -> str:
    pairs = [
        ("claims of", report.suite),
        ("tier", report.tier),
        ("alpha of the run", number(report.alpha)),
        ("seed", str(report.seed)),
        *([("taken for", report.layer)] if report.layer else []),
        *report.versions.items(),
    ]
    return f"<h2>The run</h2>\n<div class='card'>{_pairs(pairs)}</div>\n"


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    inside = "".join(f"<div><dt>{html(name)}</dt><dd>{html(value)}</dd></div>\n" for name, value in pairs)
    return f"<dl>\n{inside}</dl>" if pairs else ""
