"""The mutation matrix: every planted mistake is caught by the claims that say so, and every claim catches one."""

from __future__ import annotations

import pytest
from bayesnoise_reference import verification, verify
from bayesnoise_reference.adapters._answers import KINDS
from bayesnoise_reference.verification import all_causes, all_claims, claims_for
from planted import PLANTED

MANNERS = {"changes-input": "changes-inputs", "same-array-returned": "same-array"}  # seen by the guard, not by a claim
MATRIX = [(kind, name) for kind, planted in PLANTED.items() for name in planted.mistakes]
FAMILIES = sorted({planted.description.family for planted in PLANTED.values()})


@pytest.mark.parametrize(("kind", "name"), MATRIX)
def test_a_mistake_is_caught(kind: str, name: str) -> None:
    planted = PLANTED[kind]
    adapter = planted.adapter(planted.description, name)
    if name in MANNERS:
        assert f"{planted.kind}.adapter.{MANNERS[name]}" in {c.id for c in verify(adapter).refuted}
        return
    ids = [c.id(adapter.description) for c in claims_for(adapter) if name in c.catches]
    assert ids, "no claim says that it catches this mistake"
    report = verify(adapter, only=ids)
    assert {c.id for c in report.refuted} == set(ids)
    sentences = [cause for c in report.refuted for cause in c.likely_causes]
    assert sentences, "a refuted claim names no likely cause"


@pytest.mark.parametrize("kind", PLANTED)
def test_the_right_layer_holds(kind: str) -> None:
    planted = PLANTED[kind]
    for seed in range(3):
        report = verify(planted.adapter(planted.description, ""), seed=seed)
        assert not report.refuted, report.refuted
        assert any(c.status == "holds" for c in report.claims)


@pytest.mark.parametrize("family", FAMILIES)
def test_there_are_enough(family: str) -> None:
    of_family = [planted for planted in PLANTED.values() if planted.description.family == family]
    assert len({name for planted in of_family for name in planted.mistakes}) >= 20
    assert min(len(planted.mistakes) for planted in of_family) >= 12


def test_every_mistake_is_planted() -> None:
    assert {name for _, name in MATRIX} == set(all_causes())
    assert set(MANNERS.values()) <= set(KINDS)


def test_claims_name_mistakes_that_exist() -> None:
    for claim in all_claims():
        assert set(claim.catches) <= set(all_causes())
        assert claim.catches, f"{claim.topic} catches nothing that was planted"
        assert claim.law
        assert claim.check.__doc__
    causes = [name for module in verification._modules() for name in getattr(module, "CAUSES", {})]
    assert len(causes) == len(set(causes))
    topics = [(family, claim.topic) for claim in all_claims() for family in claim.families]
    assert len(topics) == len(set(topics))
