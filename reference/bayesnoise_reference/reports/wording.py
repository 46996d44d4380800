"""The sentences and numbers that all forms of a report share."""

from __future__ import annotations

from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports.document import counts

ORDER = ("refuted", "holds", "not run")


def number(value: float) -> str:
    """In three digits."""
    return f"{value:.3g}"


def verdict(report: Report) -> str:
    """The whole run in a sentence."""
    found, code = counts(report), report.exit_code
    total = f"{found['holds']} of {found['holds'] + found['refuted']} claims that were run hold"
    skipped = f", {found['not run']} not run" if found["not run"] else ""
    if code == 4:
        return "Nothing could be run: there is no verdict."
    if code == 3:
        return "The adapter misbehaved, and no claim about the layer was run: there is no verdict on the layer."
    if code == 1:
        refuted = len(report.refuted)
        return f"Refuted: {refuted} claim{'s do' if refuted > 1 else ' does'} not hold. {total}{skipped}."
    expected = found["refuted"]
    known = f" {expected} known failure{'s' * (expected > 1)} did not count." if expected else ""
    return f"No claim is refuted: {total}{skipped}.{known}"


def budget(report: Report) -> str:
    """What the error budget means for this run."""
    return (
        f"Of a correct layer, at most one run in {1 / report.alpha:,.0f} refutes anything "
        f"(alpha {number(report.alpha)}, all claims together)."
    )


def facts(claim: Outcome) -> list[tuple[str, str]]:
    """The numbers behind a claim, named."""
    found: list[tuple[str, str]] = [("evidence", claim.evidence)] if claim.evidence != "none" else []
    if claim.p is not None:
        found.append(("p", f"{number(claim.p)} (refuted at {number(claim.alpha)} or less)"))
    if claim.e is not None:
        limit = f" (refuted at {number(1 / claim.alpha)} or more)" if claim.alpha > 0 else ""
        found.append(("e", f"{number(claim.e)}{limit}"))
    if claim.n:
        found.append(("draws", f"{claim.n:,}"))
    return [*found, ("detects", claim.detects)] if claim.detects else found


def undrawn(claim: Outcome) -> str:
    """Why a claim that was judged has no picture of a law; nothing if it has one."""
    if claim.evidence == "exact":
        return "Exact: there is no chance in this, and no law to draw."
    if claim.evidence == "e-value" and claim.seen is None:
        return "Of what is averaged here the mean is known, and not the law: there is none to draw."
    return ""


def in_order(report: Report) -> list[Outcome]:
    """The claims, those that are refuted first, else as they were put."""
    return sorted(report.claims, key=lambda c: ORDER.index(c.status))


def known(report: Report, claim: Outcome) -> str | None:
    """Why a refuted claim was expected to be refuted, if it was."""
    return report.expected_failures.get(claim.id) if claim.status == "refuted" else None


def taken_for(report: Report) -> str:
    """What the layer was taken for; nothing if the report does not say."""
    return f"Taken for: {report.layer}." if report.layer else ""


def surprise(report: Report, claim: Outcome) -> str | None:
    """What to say of a claim that holds and was expected to be refuted."""
    expected = claim.status == "holds" and claim.id in report.expected_failures
    return f"holds, though a failure was expected: {report.expected_failures[claim.id]}" if expected else None
