"""The library's factors of whole units hold every claim about them, in both precisions."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_factors
from bayesnoise_reference.families.factors import Factors

METHODS: list[Any] = [library_factors.variational_structured_dropout, library_factors.structured_variational_dropout]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", METHODS)
def test_the_library_holds(method: Any, dtype: Any) -> None:
    for seed in range(3):
        report = verify(method(dtype=dtype), seed=seed)
        assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("settings", [{"reflections": 1}, {"reflections": 3, "units": 4}, {"columns": 5}])
def test_other_sizes_hold(settings: Any) -> None:
    assert not verify(library_factors.variational_structured_dropout(**settings)).refuted


def test_other_bounds_hold() -> None:
    assert not verify(library_factors.structured_variational_dropout(low=-20.0, high=0.0)).refuted


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "other"}, "kind is 'other', expected one of 'structured', 'truncated'"),
        ({"kind": "structured", "units": 1}, "units is 1, expected at least 2"),
        ({"kind": "structured", "positions": 1}, "positions is 1, expected at least 2"),
        ({"kind": "structured", "reflections": 0}, "reflections is 0, expected at least 1"),
        ({"kind": "truncated", "low": 1.0}, "low is 1.0 and high 0.5, expected an interval"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Factors(**given)
