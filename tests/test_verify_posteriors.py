"""The library's weights whose law has a structure hold every claim about them, in both precisions."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_posterior
from bayesnoise_reference.families.posterior import Posterior

METHODS: dict[str, Any] = {
    "k_tied_normal": library_posterior.k_tied_normal,
    "k_tied_normal, local": partial(library_posterior.k_tied_normal, draws="local"),
    "k_tied_normal, a call": partial(library_posterior.k_tied_normal, draws="call"),
    "variational_matrix_gaussian": library_posterior.variational_matrix_gaussian,
    "variational_matrix_gaussian, flipout": partial(library_posterior.variational_matrix_gaussian, draws="flipout"),
    "low_rank_gaussian": library_posterior.low_rank_gaussian,
    "radial": library_posterior.radial,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", METHODS)
def test_the_library_holds(method: str, dtype: Any) -> None:
    report = verify(METHODS[method](dtype=dtype))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    ("method", "sizes"),
    [
        ("k_tied_normal", {"rank": 1, "inputs": 2, "outputs": 5}),
        ("variational_matrix_gaussian", {"inputs": 2, "outputs": 6}),
        ("low_rank_gaussian", {"rank": 3}),
        ("low_rank_gaussian", {"rank": 1, "inputs": 6, "outputs": 2}),
        ("radial", {"inputs": 2, "outputs": 2}),
    ],
)
def test_other_sizes_hold(method: str, sizes: dict[str, int]) -> None:
    report = verify(METHODS[method](**sizes))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "other"}, "kind is 'other', expected one of 'k_tied', 'matrix_gaussian', 'low_rank', 'radial'"),
        ({"kind": "low_rank", "draws": "flipout"}, "draws is 'flipout', expected one of 'call', 'local' for low_rank"),
        ({"kind": "radial", "inputs": 1}, "inputs is 1, expected at least 2"),
        ({"kind": "k_tied", "rank": 4}, "rank is 4, expected 1 to 3, the lesser size"),
        ({"kind": "radial", "prior": 0.0}, "prior is 0.0, expected a finite number above 0"),
        ({"kind": "k_tied", "kl_kind": "monte_carlo"}, "kl_kind is 'monte_carlo' and constant 'exact', which are of"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Posterior(**given)
