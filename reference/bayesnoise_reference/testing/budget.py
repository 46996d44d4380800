"""One probability of error for a session, however many assertions it makes.

The i-th assertion may fail a correct program with probability at most `alpha * 6 / (pi^2 i^2)`. These add up to alpha
over all i, so that by the union bound a correct program fails anywhere in the session with probability at most alpha,
whatever the number of assertions and whatever their dependence; the number need not be known beforehand.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

ALPHA = 1e-6


class Spent(NamedTuple):
    """One assertion, as a record of numbers and words."""

    place: str  # the test that made it, where pytest runs
    what: str
    alpha: float
    evidence: str  # "p = 0.2"
    detects: str


class ErrorBudget:
    """Hands out the shares, and remembers what they were spent on."""

    def __init__(self, alpha: float = ALPHA) -> None:
        """Raises ValueError unless alpha lies between 0 and 1."""
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha}, expected a probability of error above 0 and below 1")
        self.alpha = alpha
        self.shares = 0
        self.records: list[Spent] = []

    def share(self) -> float:
        """The error of the next assertion."""
        self.shares += 1
        return self.alpha * 6.0 / (math.pi * self.shares) ** 2

    def record(self, what: str, alpha: float, evidence: str, detects: str) -> None:
        """Remember an assertion for the summary."""
        place = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        self.records.append(Spent(place, what, alpha, evidence, detects))

    @property
    def spent(self) -> float:
        """The sum of the shares handed out, at most alpha."""
        return sum(self.alpha * 6.0 / (math.pi * i) ** 2 for i in range(1, self.shares + 1))

    def summary(self) -> list[str]:
        """Lines for people; none when nothing was spent."""
        return summary(self.records, self.spent, self.alpha)


def summary(records: list[Spent], spent: float, alpha: float, most: int | None = None) -> list[str]:
    """What was spent of alpha, and what each assertion could detect; of at most so many, first those that are sure to
    find nothing.
    """
    if not records:
        return []
    shown = records
    if most is not None and len(records) > most:
        shown = sorted(records, key=lambda r: "nothing at this n" not in r.detects)[:most]
    noun = "assertion" if len(records) == 1 else "assertions"
    head = f"{len(records)} stochastic {noun} spent {spent:.3g} of an error budget of {alpha:.3g} for the session"
    lines = [
        f"  {r.place + ': ' if r.place else ''}{r.what}, {r.evidence}, alpha = {r.alpha:.3g}; finds {r.detects}"
        for r in shown
    ]
    if 0 < len(shown) < len(records):
        lines.append(f"  and {len(records) - len(shown)} more: -v shows all")
    return [head, *lines]


_budgets = [ErrorBudget()]


def current_budget() -> ErrorBudget:
    """The budget that assertions draw on: that of the innermost `using`, of the pytest session, or of the process."""
    return _budgets[-1]


def enter(budget: ErrorBudget) -> None:
    """Make a budget the current one until `leave`."""
    _budgets.append(budget)


def leave(budget: ErrorBudget) -> None:
    """Undo `enter`."""
    _budgets.remove(budget)


@contextmanager
def using(budget: ErrorBudget) -> Iterator[ErrorBudget]:
    """Draw on this budget inside the `with` block."""
    enter(budget)
    try:
        yield budget
    finally:
        leave(budget)
