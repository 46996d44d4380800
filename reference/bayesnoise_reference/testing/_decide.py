"""A verdict becomes an assertion: what was seen, what was expected, how sure, and what would have been found."""

from __future__ import annotations

from collections.abc import Callable

from bayesnoise_reference.statistics import MISS, Verdict
from bayesnoise_reference.testing.budget import current_budget


def decide(
    what: str, seen: str, expected: str, assumption: str, test: Callable[[float], Verdict], alpha: float | None
) -> Verdict:
    """Run the test with its share of the budget, or with an `alpha` of its own, outside it. Raises AssertionError."""
    budget = current_budget()
    own = budget.share() if alpha is None else alpha
    verdict = test(own)
    evidence = f"p = {verdict.p:.3g}" if verdict.p is not None else f"e = {verdict.e:.3g}"
    if alpha is None:
        budget.record(what, own, evidence, verdict.detects)
    if verdict.rejects(own):
        limit = f"p above {own:.3g}" if verdict.p is not None else f"e below {1 / own:.3g}"
        raise AssertionError(
            f"{what}: {seen}, expected {expected} ({evidence}, a correct program has {limit} but for a probability of "
            f"{own:.3g}). Assumed: {assumption}. With n = {verdict.n} this assertion finds {verdict.detects} with "
            f"probability at least 1 - {MISS:g}."
        )
    return verdict
