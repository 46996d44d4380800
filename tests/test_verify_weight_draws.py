"""The laws that the library's training fits hold every claim about drawn weights, in both precisions."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_weight_draws
from bayesnoise_reference.families.weight_draws import WeightDraws

METHODS: list[Any] = [getattr(library_weight_draws, name) for name in ("ivon", "slang", "swag", "vadam", "vogn")]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", METHODS)
def test_the_library_holds(method: Any, dtype: Any) -> None:
    report = verify(method(dtype=dtype))
    assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("settings", [{"rank": 2}, {"size": 3, "rank": 3}, {"size": 12, "rank": 5}])
def test_other_sizes_hold(settings: Any) -> None:
    for method in (library_weight_draws.slang, library_weight_draws.swag):
        assert not verify(method(**settings)).refuted


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "full"}, "kind is 'full', expected one of 'diagonal', 'slang', 'swag'"),
        ({"kind": "slang", "size": 1}, "size is 1, expected at least 2"),
        ({"kind": "swag", "rank": 1}, "rank is 1, expected at least 2"),
        ({"kind": "swag", "rank": 7}, "rank is 7, expected at most 6, the number of weights"),
        ({"kind": "diagonal", "examples": 1}, "examples is 1, expected at least 2"),
        ({"kind": "diagonal", "prior": 0.0}, "prior is 0.0, expected a finite number above 0"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WeightDraws(**given)
