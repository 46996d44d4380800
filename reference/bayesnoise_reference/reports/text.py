"""A report as plain text, for a terminal or a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports.escaping import visible, visible_lines
from bayesnoise_reference.reports.wording import budget, facts, in_order, known, surprise, taken_for, verdict


def text(report: Report, width: int = 100) -> str:
    """The claims line by line, and what was found wrong in full. ValueError for a width below 40."""
    if width < 40:
        raise ValueError(f"width is {width}, expected at least 40 columns")
    head = f"{report.adapter}, claims of {report.suite}, tier {report.tier}, seed {report.seed}"
    lines = [*_wrapped(visible(head), width), *_wrapped(visible(taken_for(report)), width), ""]
    column = min(max((len(visible(c.id)) for c in report.claims), default=0), width // 2)
    for claim in in_order(report):
        lines += _claim(report, claim, width, column)
    lines += ["", *_wrapped(verdict(report), width), *_wrapped(budget(report), width)]
    return "\n".join(lines) + "\n"


def _claim(report: Report, claim: Outcome, width: int, column: int) -> Iterator[str]:
    reason = known(report, claim)
    status = "expected" if reason is not None else claim.status
    numbers = [("p", claim.p), ("e", claim.e)]
    shown = next((f"{name} = {value:.2g}" for name, value in numbers if value is not None), claim.evidence)
    yield f"{status:9} {visible(claim.id):{column}}  {shown if shown != 'none' else ''}".rstrip()
    if claim.status == "holds":
        yield from _wrapped(visible(surprise(report, claim) or ""), width, 10)
        return
    yield from _wrapped(visible(claim.sentence), width, 10)
    if reason is not None:
        yield from _wrapped(f"expected: {visible(reason)}", width, 10)
    if claim.status == "refuted":
        yield from _wrapped(", ".join(f"{name} {visible(value)}" for name, value in facts(claim)), width, 10)
        for cause in claim.likely_causes:
            yield from _wrapped(f"likely cause: {visible(cause)}", width, 10)
        for line in filter(None, visible_lines(claim.replay).split("\n")):
            yield f"{'':10}{line}"  # as it is, to be copied


def _wrapped(sentence: str, width: int, indent: int = 0) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(sentence, width, initial_indent=pad, subsequent_indent=pad) if sentence else []
