"""Claims as pytest's own tests: one for every claim about every adapter, how it behaves included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from bayesnoise_reference.adapters.adapter import Loadable
from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.verification import Tier, laws_for, verify


def parametrize_with_claims(adapters: Iterable[Loadable], tier: Tier = "pr", alpha: float = 1e-6, seed: int = 0) -> Any:
    """A decorator for a pytest function of one argument `check`: a test for every line of every adapter's report.

    `check()` returns the claim's outcome; it raises AssertionError with its sentence if it is refuted, and skips the
    test with the reason if it was not run. That a layer raises, hangs, changes its input and the like are claims of
    their own (`adapter.raises`, ...). An adapter is verified once in a process, by the first of its tests.
    """
    cases = [
        pytest.param(_checker(report, name), id=f"{adapter.description.name}-{name.split('.', 2)[2]}")
        for adapter in adapters
        for report in [_verified(adapter, tier, alpha, seed)]
        for name in laws_for(adapter)
    ]
    return pytest.mark.parametrize("check", cases)


def _verified(adapter: Loadable, tier: Tier, alpha: float, seed: int) -> Callable[[], Report]:
    """The report, made when it is asked for and kept."""
    return cache(lambda: verify(adapter, tier, alpha, seed))


def _checker(report: Callable[[], Report], name: str) -> Callable[[], Outcome]:
    def check() -> Outcome:
        outcome = next(o for o in report().claims if o.id == name)
        if outcome.status == "refuted":
            raise AssertionError(f"{name}: {outcome.sentence} ({outcome.replay})")
        if outcome.status == "not run":
            pytest.skip(f"{name}: {outcome.sentence}")
        return outcome

    return check
