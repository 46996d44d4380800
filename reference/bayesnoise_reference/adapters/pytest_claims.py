"""Claims as pytest's own tests: one for every claim about every adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from bayesnoise_reference.adapters.adapter import Loadable
from bayesnoise_reference.claims.claim import Claim
from bayesnoise_reference.claims.outcome import Outcome
from bayesnoise_reference.verification import Tier, claims_for, verify


def parametrize_with_claims(adapters: Iterable[Loadable], tier: Tier = "pr", alpha: float = 1e-6, seed: int = 0) -> Any:
    """A decorator for a pytest function of one argument `check`: a test for every claim about every adapter.

    `check()` returns the claim's outcome, and raises AssertionError with its sentence if it is refuted.
    """
    cases = [
        pytest.param(_checker(adapter, claim, tier, alpha, seed), id=f"{adapter.description.name}-{claim.topic}")
        for adapter in adapters
        for claim in claims_for(adapter)
    ]
    return pytest.mark.parametrize("check", cases)


def _checker(adapter: Loadable, claim: Claim, tier: Tier, alpha: float, seed: int) -> Callable[[], Outcome]:
    def check() -> Outcome:
        name = claim.id(adapter.description)
        outcome = next(o for o in verify(adapter, tier, alpha, seed, only=[name]).claims if o.id == name)
        if outcome.status == "refuted":
            raise AssertionError(f"{name}: {outcome.sentence} ({outcome.replay})")
        return outcome

    return check
