"""The library's noise on weights before the kit, what another prior or rate is seen as, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_weight_noise
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.weight_noise import WeightNoise

from bayesnoise import maps, methods
from bayesnoise.divergences import ARD, Molchanov
from bayesnoise.estimators import PerExample

BUILDS: dict[str, Any] = {
    "drop_connect": library_weight_noise.drop_connect,
    "drop_connect an example": lambda **d: library_weight_noise.drop_connect(masks="example", inputs=3, **d),
    "drop_connect rarely": lambda **d: library_weight_noise.drop_connect(rate=0.01, outputs=2, **d),
    "drop_connect nearly always": lambda **d: library_weight_noise.drop_connect(rate=0.97, **d),
    "variational_dropout": library_weight_noise.variational_dropout,
    "sparse_variational_dropout": library_weight_noise.sparse_variational_dropout,
    "automatic_relevance_determination": library_weight_noise.automatic_relevance_determination,
}
NAMES = {"theta": "theta", "log_sigma2": "log_sigma2"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", BUILDS)
def test_the_library_holds(name: str, dtype: Any) -> None:
    report = verify(BUILDS[name](dtype=dtype))
    assert {c.status for c in report.claims} == {"holds"}, [c for c in report.claims if c.status != "holds"]


def test_another_rate_and_other_masks_are_seen() -> None:
    dense = maps.Dense(4, 6)
    wrong = LibraryTree(
        methods.drop_connect(dense, rate=0.3, bias="none"),
        WeightNoise(kind="drop_connect", rate=0.25),
        {"theta": "theta"},
    )
    refuted = {c.id for c in verify(wrong).refuted}
    assert refuted >= {"weight_noise.drop_connect.weight-values", "weight_noise.drop_connect.weight-rate"}
    each = methods.drop_connect(dense, rate=0.3, estimator=PerExample(), bias="none")
    other = LibraryTree(each, WeightNoise(kind="drop_connect", rate=0.3), {"theta": "theta"})
    assert {c.id for c in verify(other).refuted} == {"weight_noise.drop_connect.examples-together"}


def test_another_prior_is_seen() -> None:
    layer = methods.sparse_variational_dropout(maps.Dense(4, 6), bias="none", divergence=ARD())
    report = verify(LibraryTree(layer, WeightNoise(kind="additive"), NAMES))
    topics = {"kl-differences", "kl-gradients"}
    assert {c.id for c in report.refuted} == {f"weight_noise.additive.{topic}" for topic in topics}


def test_an_approximated_divergence_holds_with_its_error_and_not_without() -> None:
    layer = methods.sparse_variational_dropout(maps.Dense(4, 6), bias="none", divergence=Molchanov())
    differences = ["weight_noise.additive.kl-differences"]
    for error, passed in ((0.0, False), (0.0094, True)):
        assert (
            verify(LibraryTree(layer, WeightNoise(kind="additive", error=error), NAMES), only=differences).passed
            == passed
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "gaussian"}, "kind is 'gaussian', expected one of 'drop_connect', 'multiplicative', 'additive'"),
        ({"kind": "drop_connect", "rate": 0.0}, "rate is 0.0, expected a probability above 0 and below 1"),
        ({"kind": "drop_connect", "masks": "batch"}, "masks is 'batch', expected one of 'call', 'example'"),
        ({"kind": "additive", "inputs": 1}, "inputs is 1 and outputs 6, expected 2 of each at least"),
        ({"kind": "additive", "prior": "laplace"}, "prior is 'laplace', expected one of 'log_uniform', 'ard'"),
        ({"kind": "additive", "error": -1.0}, "error is -1.0, expected at least 0"),
    ],
)
def test_descriptions_of_what_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WeightNoise(**settings)
