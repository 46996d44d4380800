"""The mutation matrix: every planted mistake is caught by the claims that say so, and every claim catches one."""

from __future__ import annotations

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.guard import KINDS
from bayesnoise_reference.claims.causes import CAUSES
from bayesnoise_reference.verification import all_claims, claims_for
from mutants import LAYERS, mistakes
from straightforward import Straightforward

MANNERS = {"changes-input": "changes-inputs", "same-array-returned": "same-array"}  # seen by the guard, not by a claim
MATRIX = [(family, estimator, name) for family, estimator in LAYERS for name in mistakes(family, estimator)]


@pytest.mark.parametrize(("family", "estimator", "name"), MATRIX)
def test_a_mistake_is_caught(family: str, estimator: str, name: str) -> None:
    adapter = Straightforward(LAYERS[family, estimator], name)
    ids = [c.id(adapter.description) for c in claims_for(adapter) if name in c.catches]
    if name in MANNERS:
        ids = [f"{family}.{estimator}.one-example"]
        report = verify(adapter, only=ids)
        assert f"{family}.{estimator}.adapter.{MANNERS[name]}" in {c.id for c in report.refuted}
        return
    assert ids, "no claim says that it catches this mistake"
    report = verify(adapter, only=ids)
    assert {c.id for c in report.refuted} == set(ids)
    sentences = [cause for c in report.refuted for cause in c.likely_causes]
    assert sentences, "a refuted claim names no likely cause"


def test_there_are_enough() -> None:
    for family, estimator in LAYERS:
        assert len(mistakes(family, estimator)) >= 30
    planted = {name for _, _, name in MATRIX}
    assert planted == set(CAUSES)
    assert set(MANNERS.values()) <= set(KINDS)


def test_claims_name_mistakes_that_exist() -> None:
    for claim in all_claims():
        assert set(claim.catches) <= set(CAUSES)
        assert claim.catches, f"{claim.topic} catches nothing that was planted"
        assert claim.law
        assert claim.check.__doc__
    topics = [claim.topic for claim in all_claims()]
    assert len(topics) == len(set(topics))
