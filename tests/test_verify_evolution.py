"""The library's evolution strategies hold every claim about them, in both precisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_evolution import flip_es
from bayesnoise_reference.families.evolution import Evolution, gradient, largest_variance
from planted.evolution import Strategy


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["antithetic", "baseline"])
def test_the_library_holds(kind: Any, dtype: Any) -> None:
    report = verify(flip_es(kind=kind, dtype=dtype))
    assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("settings", [{"members": 2, "bases": 1}, {"kind": "baseline", "members": 2, "scale": 2.0}])
def test_other_sizes_hold(settings: Any) -> None:
    assert not verify(flip_es(**settings)).refuted


@pytest.mark.parametrize(("kind", "members"), [("antithetic", 2), ("baseline", 2), ("baseline", 6)])
def test_the_bound_on_the_variance_is_one(kind: Any, members: int) -> None:
    """The estimates of a straightforward strategy, 20,000 of them: their fourth moments give the error of the sum."""
    description = Evolution(kind=kind, members=members, bases=1)
    strategy, rng = Strategy(description), np.random.default_rng(0)
    shape = (description.rows, description.columns)
    held = {"theta": rng.standard_normal(shape), "target": np.zeros(shape), "level": np.zeros(1)}
    held |= {"curvature": np.ones(shape)}
    strategy.load(held)
    right = gradient(held)
    along = np.sum(strategy.sample(np.zeros((20000, 1))) * right, axis=(1, 2)) / np.linalg.norm(right)
    squares = (along - np.linalg.norm(right)) ** 2
    error = np.std(squares) / np.sqrt(20000)
    assert np.mean(squares) - 5.0 * error < largest_variance(description, held)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "plain"}, "kind is 'plain', expected one of 'antithetic', 'baseline'"),
        ({"kind": "baseline", "members": 1}, "members is 1, expected at least 2"),
        ({"kind": "antithetic", "members": 3}, "members is 3, expected an even number: they come in pairs"),
        ({"kind": "baseline", "bases": 0}, "bases is 0, expected at least 1"),
        ({"kind": "baseline", "rows": 1}, "rows is 1, expected at least 2"),
        ({"kind": "baseline", "scale": 0.0}, "scale is 0.0, expected a finite number above 0"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Evolution(**given)
