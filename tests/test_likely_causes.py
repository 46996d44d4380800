"""The causes that a report names: what holds rules out, the whole picture ranks, and a few mistakes are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.claims.explanation import MOST, likely
from bayesnoise_reference.verification import all_causes, all_claims, claims_for
from planted import PLANTED

DENSE = PLANTED["dense.shared"]
TOLD = (
    "no-noise",
    "rademacher-noise",
    "scale-as-variance",
    "scale-exp-for-softplus",
    "bias-missing",
    "kl-no-half",
    "prior-follows-posterior",
    "evaluation-noisy",
)  # no other mistake that is planted refutes the same claims


@pytest.mark.parametrize("name", TOLD)
def test_the_right_cause_comes_first_under_every_refuted_claim(name: str) -> None:
    adapter = DENSE.adapter(DENSE.description, name)
    report = verify(adapter)
    refuted = [c for c in report.refuted if ".adapter." not in c.id]
    assert refuted
    for claim in refuted:
        assert claim.likely_causes[0] == all_causes()[name], claim.id
    held = {c.id for c in report.claims if c.status == "holds"}
    excluded = {
        all_causes()[mistake]
        for claim in claims_for(adapter)
        if claim.id(adapter.description) in held
        for mistake in claim.catches
    }
    assert not excluded & {cause for claim in refuted for cause in claim.likely_causes}


def explained(
    catches: Mapping[str, tuple[str, ...]], refuted: Set[str], held: Set[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """What is likely where claims of these topics catch these mistakes, whose sentences are their names."""
    model = next(c for c in all_claims() if c.about(DENSE.description))
    claims = tuple(
        replace(model, topic=topic, catches=names, when=lambda description: True) for topic, names in catches.items()
    )
    causes = {name: name for names in catches.values() for name in names}
    return likely(DENSE.description, claims, frozenset(refuted), frozenset(held), causes)


def test_a_claim_that_holds_rules_out_what_it_names() -> None:
    catches = {"a": ("wide", "narrow"), "b": ("wide",), "c": ("wide",)}
    assert explained(catches, {"a", "b"}, {"c"}) == {"a": ("narrow",), "b": ("narrow",)}


def test_a_claim_that_was_not_run_says_nothing() -> None:
    catches = {"a": ("wide", "narrow"), "b": ("wide",), "c": ("wide",)}
    assert explained(catches, {"a", "b"}) == {"a": ("wide", "narrow"), "b": ("wide",)}


def test_where_all_are_ruled_out_they_are_shown_all_the_same() -> None:
    assert explained({"a": ("one",), "b": ("one",)}, {"a"}, {"b"}) == {"a": ("one",)}


def test_a_claim_that_few_mistakes_refute_says_most() -> None:
    common = ("x", "y", "z")
    catches = {"a": ("often", *common), "b": ("often", *common), "c": ("rare", "often", *common), "d": ("rare",)}
    assert explained(catches, {"a", "b", "c", "d"})["c"][0] == "rare"


def test_two_mistakes_that_have_nothing_in_common_stand_each_under_its_own_claims() -> None:
    catches = {"a": ("first",), "b": ("first",), "c": ("first",), "d": ("second",), "e": ("second",)}
    found = explained(catches, {"a", "b", "c", "d", "e"})
    assert [found[topic][0] for topic in "abcde"] == ["first", "first", "first", "second", "second"]
    assert all("first" in names for names in found.values())


def test_what_nobody_is_known_to_refute_is_put_down_to_the_first() -> None:
    assert explained({"a": ("one",), "b": ("one",), "c": ()}, {"a", "b", "c"})["c"] == ("one",)


def test_few_causes_are_shown() -> None:
    assert len(explained({"a": ("p", "q", "r", "s", "t")}, {"a"})["a"]) == MOST
