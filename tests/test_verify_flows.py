"""The library's factors that a flow makes hold every claim about them, which judge by the oracle's definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import multiplicative_normalizing_flow as oracle
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_flow import multiplicative_normalizing_flow
from bayesnoise_reference.families.flow import STEP, Flow, bound, moved, unmoved
from bayesnoise_reference.posteriors import gaussian_softplus


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", [{}, {"unit": "output"}])
def test_the_library_holds(sizes: Any, dtype: Any) -> None:
    report = verify(multiplicative_normalizing_flow(dtype=dtype, **sizes))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    "sizes",
    [{"steps": 1, "hidden": 1}, {"steps": 3, "inputs": 2}, {"unit": "output", "inputs": 5, "outputs": 2}],
)
def test_other_sizes_hold(sizes: Any) -> None:
    report = verify(multiplicative_normalizing_flow(**sizes))
    assert [(c.id, c.sentence) for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("kind", ["input", "output"])
def test_the_bound_is_that_of_the_oracle(kind: Any) -> None:
    """The determinants there are those of Jacobians by differences."""
    d, rng = Flow(kind=kind), np.random.default_rng(0)
    held = {name: 0.5 * rng.standard_normal(shape) for name, shape in d.shapes().items()}
    eps, eta = rng.standard_normal(d.units), rng.standard_normal(12 // d.units)
    steps, others = (
        [oracle.Step(*(held[f"{before}{name}_{t}"] for name in STEP)) for t in (1, 2)] for before in ("", "r_")
    )
    unit_shape = (d.units, 1) if kind == "input" else (1, d.units)
    base = held["base_mean"], np.exp(held["base_log_sigma"])
    auxiliary = oracle.Auxiliary(held["contrast"], held["shift"], held["log_precision"], others)
    law = gaussian_softplus(held["mean"], held["rho"])
    want = oracle.bound(*law, base, steps, auxiliary, eps, eta, unit_shape, d.prior)
    assert bound(d, held, eps, eta) == pytest.approx(want, rel=1e-11)
    z = rng.standard_normal((4, d.units))
    np.testing.assert_allclose(unmoved(d, held, moved(d, held, z)[0]), z, rtol=1e-11)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "other"}, "kind is 'other', expected 'input' or 'output'"),
        ({"kind": "output", "inputs": 1}, "inputs is 1, expected at least 2"),
        ({"kind": "input", "outputs": 2}, "outputs is 2, expected at least as many as inputs, 3"),
        ({"kind": "input", "steps": 0}, "steps is 0, expected at least 1"),
        ({"kind": "input", "prior": -1.0}, "prior is -1.0, expected a finite number above 0"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Flow(**given)
