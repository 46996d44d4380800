"""The page of claims and the table of families say what the code has."""

from __future__ import annotations

from bayesnoise_reference.verification import all_claims
from claims_page import GUIDE, PAGE, families, guide, kinds, page
from planted import PLANTED

REMEDY = "it is not what the code says: python tests/claims_page.py"


def test_the_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), REMEDY


def test_the_table_is_that_of_the_code() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert text == guide(text), REMEDY


def test_every_family_and_every_kind_is_there() -> None:
    assert {family for claim in all_claims() for family in claim.families} == set(families())
    for planted in PLANTED.values():
        assert planted.description.estimator in kinds(planted.description.family)
