"""A report as Markdown, for a pull request or an issue."""

from __future__ import annotations

from collections.abc import Iterator

from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports.escaping import markdown as safe
from bayesnoise_reference.reports.escaping import markdown_block, markdown_code
from bayesnoise_reference.reports.wording import budget, facts, known, number, surprise, taken_for, verdict


def markdown(report: Report) -> str:
    """The verdict, what is refuted in full, and tables of the rest."""
    run = f"Claims of {safe(report.suite)}, tier {safe(report.tier)}, seed {report.seed}, {report.seconds:.1f} seconds."
    lines = [
        f"# Verification of {safe(report.adapter)}",
        "",
        f"**{safe(verdict(report))}**",
        "",
        run,
        *([safe(taken_for(report))] if report.layer else []),
        budget(report),
        "",
    ]
    for claim in report.claims:
        if claim.status == "refuted":
            lines += _refuted(claim, known(report, claim))
    holding = [c for c in report.claims if c.status == "holds"]
    if holding:
        lines += ["## Holds", "", "| claim | what was seen | evidence | draws | finds |", "|---|---|---|--:|---|"]
        lines += [_row(c, surprise(report, c)) for c in holding]
        lines.append("")
    skipped = [c for c in report.claims if c.status == "not run"]
    if skipped:
        lines += ["## Not run", "", "| claim | why |", "|---|---|"]
        lines += [f"| {markdown_code(c.id)} | {safe(c.sentence)} |" for c in skipped]
        lines.append("")
    lines.append("Versions: " + ", ".join(f"{safe(name)} {safe(value)}" for name, value in report.versions.items()))
    return "\n".join(lines) + "\n"


def _refuted(claim: Outcome, reason: str | None) -> Iterator[str]:
    yield f"## Refuted{', as expected' if reason is not None else ''}: {markdown_code(claim.id)}"
    yield ""
    yield safe(claim.sentence)
    yield ""
    if reason is not None:
        yield f"- expected: {safe(reason)}"
    for name, value in facts(claim):
        yield f"- {name}: {safe(value)}"
    for cause in claim.likely_causes:
        yield f"- likely cause: {safe(cause)}"
    yield ""
    if claim.replay:
        yield markdown_block(claim.replay)
        yield ""


def _row(c: Outcome, note: str | None) -> str:
    numbers = (("p", c.p), ("e", c.e))
    shown = next((f"{name} = {number(value)}" for name, value in numbers if value is not None), c.evidence)
    said = f"{note}. Seen: {c.sentence}" if note is not None else c.sentence
    return f"| {markdown_code(c.id)} | {safe(said)} | {shown} | {c.n:,} | {safe(c.detects)} |"
