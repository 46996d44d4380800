"""The library's deep ensembles hold every claim about them, in both precisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import deep_ensemble as oracle
from bayesnoise_reference import losses, verify
from bayesnoise_reference.adapters.library_ensemble import deep_ensemble
from bayesnoise_reference.families.ensemble import (
    Ensemble,
    log_each,
    moments,
    outputs,
    prediction,
    slopes,
    training_gradient,
)
from planted.ensemble import Averaged


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["gaussian", "categorical"])
def test_the_library_holds(kind: Any, dtype: Any) -> None:
    report = verify(deep_ensemble(kind=kind, dtype=dtype))
    assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("kind", ["gaussian", "categorical"])
@pytest.mark.parametrize("settings", [{"members": 2, "inputs": 2, "classes": 2}, {"members": 7, "classes": 5}])
def test_other_sizes_hold(kind: Any, settings: Any) -> None:
    assert verify(deep_ensemble(kind=kind, minimum_variance=0.25, **settings)).exit_code == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "what",
    [
        Ensemble(kind="gaussian", variance="exp"),
        Ensemble(kind="gaussian", variance="exp", minimum_variance=0.0, objective="sum"),
        Ensemble(kind="gaussian", minimum_variance=0.0),
        Ensemble(kind="categorical", objective="sum", members=3),
    ],
)
def test_other_conventions_hold(what: Ensemble, dtype: Any) -> None:
    """Of straightforward ensembles: the library has one convention of each."""
    report = verify(Averaged(replace(what, dtype=dtype)))
    assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize(
    ("declared", "topics"),
    [
        ({"variance": "exp"}, {"variance", "loss"}),
        ({"objective": "sum"}, {"training-gradient"}),
        ({"minimum_variance": 0.5}, {"variance", "extreme"}),
    ],
)
def test_what_is_declared_otherwise_is_refuted(declared: Any, topics: set[str]) -> None:
    adapter = deep_ensemble()
    adapter.description = replace(adapter.description, **declared)
    assert topics <= {c.id.rpartition(".")[2] for c in verify(adapter).refuted}


def _held(d: Ensemble) -> Any:
    host = np.random.default_rng(0)
    shape = (d.members, d.inputs, d.outputs)
    held = {"weight": host.standard_normal(shape), "bias": host.standard_normal((d.members, d.outputs))}
    return held, host.standard_normal((3, d.inputs)), np.array([0.0, 1.0, 1.0])


@pytest.mark.parametrize("kind", ["gaussian", "categorical"])
def test_what_the_claims_compute_is_that_of_the_oracle(kind: Any) -> None:
    """The losses of one example, the moments, the adversarial input of the whole batch, and finite differences."""
    d = Ensemble(kind=kind)
    held, x, y = _held(d)
    f = outputs(held, x)
    want = np.empty(f.shape[:2])
    for m, n in np.ndindex(want.shape):
        gaussian = kind == "gaussian"
        want[m, n] = np.real(
            losses.heteroscedastic(f[m, n], y[n : n + 1], d.minimum_variance)
            if gaussian
            else losses.categorical(f[m, n], int(y[n]))
        )
    np.testing.assert_allclose(-log_each(d, f, y), want, rtol=1e-13)
    if kind == "gaussian":
        np.testing.assert_allclose(prediction(d, held, x).T, oracle.mixture_moments(*moments(d, f)), rtol=1e-13)
    moved = []
    for m in range(d.members):
        own = {name: value[m : m + 1] for name, value in held.items()}

        def loss(at: Any, own: Any = own) -> Any:
            return -np.sum(log_each(d, outputs(own, at), y))

        moved.append(oracle.adversarial_input(loss, x, 0.25))
    moves = x + 0.25 * np.sign(slopes(d, held, x, y))
    np.testing.assert_array_equal(moves, moved)
    found, step = training_gradient(d, held, x, moves, y), 1e-6
    for name, at in (("weight", (1, 2, 0)), ("bias", (2, 1))):
        value = []
        for sign in (1.0, -1.0):
            here = {k: v.copy() for k, v in held.items()}
            here[name][at] += sign * step
            both = log_each(d, outputs(here, x), y) + log_each(d, outputs(here, moves), y)
            value.append(-0.5 * float(np.sum(np.mean(both, axis=1))))
        member, *rest = at
        where = (member, *rest) if name == "weight" else (member, -1, *rest)
        assert found[where] == pytest.approx((value[0] - value[1]) / (2.0 * step), rel=1e-7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "poisson"}, "kind is 'poisson', expected one of 'gaussian', 'categorical'"),
        ({"kind": "gaussian", "variance": "square"}, "variance is 'square', expected one of 'softplus', 'exp'"),
        ({"kind": "gaussian", "objective": "max"}, "objective is 'max', expected one of 'mean', 'sum'"),
        ({"kind": "gaussian", "members": 1}, "members is 1, expected at least 2"),
        ({"kind": "gaussian", "inputs": 1}, "inputs is 1, expected at least 2"),
        ({"kind": "categorical", "classes": 1}, "classes is 1, expected at least 2"),
        ({"kind": "gaussian", "minimum_variance": -1.0}, "minimum_variance is -1.0, expected a finite number of at"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ensemble(**given)


def test_the_library_refuses_what_it_has_not() -> None:
    with pytest.raises(ValueError, match="variance and objective are 'exp' and 'mean', expected 'softplus' and 'mean'"):
        deep_ensemble(variance="exp")
