"""The library's weights in groups hold every claim about them, under both priors and in both precisions."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_compression import bayesian_compression
from bayesnoise_reference.families.compression import Compression


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("prior", ["normal_jeffreys", "half_cauchy"])
def test_the_library_holds(prior: Any, dtype: Any) -> None:
    report = verify(bayesian_compression(prior=prior, dtype=dtype))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    "sizes",
    [
        {"inputs": 2, "outputs": 7},
        {"inputs": 5, "outputs": 6, "prior": "half_cauchy", "factor_scale": 1e-3},
        {"inputs": 2, "outputs": 3, "prior": "half_cauchy", "factor_scale": 10.0},
    ],
)
def test_other_sizes_hold(sizes: Any) -> None:
    report = verify(bayesian_compression(**sizes))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "other"}, "kind is 'other', expected 'normal_jeffreys' or 'half_cauchy'"),
        ({"kind": "half_cauchy", "inputs": 1}, "inputs is 1, expected at least 2"),
        ({"kind": "half_cauchy", "outputs": 3}, "outputs is 3, expected more than inputs, 3"),
        ({"kind": "half_cauchy", "factor_scale": 0.0}, "factor_scale is 0.0, expected a finite number above 0"),
        ({"kind": "normal_jeffreys", "error": -0.1}, "error is -0.1, expected at least 0"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Compression(**given)
