"""The library's noise on activations holds every claim about it, and descriptions of what cannot be are refused."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_noise
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.noise import Noise

from bayesnoise.divergences import ARD, Molchanov
from bayesnoise.noise import Bernoulli, LearnedGaussian, Multiply

BUILDS: dict[str, Any] = {
    "dropout": library_noise.dropout,
    "gaussian_dropout": library_noise.gaussian_dropout,
    "spatial_dropout": library_noise.spatial_dropout,
    "drop_block": library_noise.drop_block,
    "drop_block an example": lambda **d: library_noise.drop_block(space=(5,), block=3, scale_by="example", **d),
    "variational_dropout": library_noise.variational_dropout_noise,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", BUILDS)
def test_the_library_holds(name: str, dtype: Any) -> None:
    report = verify(BUILDS[name](dtype=dtype))
    assert {c.status for c in report.claims} == {"holds"}, [c for c in report.claims if c.status != "holds"]


def test_another_rate_and_another_prior_are_seen() -> None:
    wrong = LibraryTree(Multiply(Bernoulli(0.3)), Noise(kind="bernoulli", rate=0.25))
    assert {c.id for c in verify(wrong).refuted} >= {"noise.bernoulli.values", "noise.bernoulli.rate"}
    names = {"log_alpha": "log_alpha"}
    what = Noise(kind="learned", space=())
    other = verify(LibraryTree(LearnedGaussian(6, divergence=ARD()), what, names))
    assert {c.id for c in other.refuted} == {"noise.learned.kl-differences", "noise.learned.kl-gradient"}


def test_an_approximated_divergence_holds_with_its_error_and_not_without() -> None:
    names, layer = {"log_alpha": "log_alpha"}, LearnedGaussian(6, divergence=Molchanov())
    differences = ["noise.learned.kl-differences"]
    assert not verify(LibraryTree(layer, Noise(kind="learned", space=()), names), only=differences).passed
    assert verify(LibraryTree(layer, Noise(kind="learned", space=(), error=0.0094), names), only=differences).passed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "bernoulli", "rate": 1.0}, "rate is 1.0, expected a probability above 0 and below 1"),
        ({"kind": "gaussian", "alpha": 0.0}, "alpha is 0.0, expected a finite number above 0"),
        ({"kind": "learned", "units": 1}, "units is 1 and space .* expected 2 units"),
        ({"kind": "learned", "error": -1.0}, "error is -1.0, expected at least 0"),
        ({"kind": "drop_block", "space": (3,), "block": 4}, "block is 4, expected a size from 1 to the least of space"),
        ({"kind": "drop_block", "space": (9, 9)}, "expected at most 16 places for blocks: they are enumerated"),
    ],
)
def test_descriptions_of_what_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Noise(**settings)
