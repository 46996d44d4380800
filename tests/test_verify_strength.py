"""The library's noise of learned strength before the kit, what other settings are seen as, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters import library_strength
from bayesnoise_reference.adapters.library_strength import LibraryInformation
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.strength import Strength

from bayesnoise import maps, methods

BUILDS: dict[str, Any] = {
    "concrete_dropout": library_strength.concrete_dropout,
    "concrete_dropout cold": lambda **d: library_strength.concrete_dropout(temperature=0.1, prior=2.0, units=3, **d),
    "concrete_dropout warm": lambda **d: library_strength.concrete_dropout(temperature=1.5, **d),
    "information_dropout": library_strength.information_dropout,
    "information_dropout log_normal": lambda **d: library_strength.information_dropout(prior="log_normal", **d),
    "information_dropout of two units": lambda **d: library_strength.information_dropout(units=2, beta=3.0, **d),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", BUILDS)
def test_the_library_holds(name: str, dtype: Any) -> None:
    report = verify(BUILDS[name](dtype=dtype))
    assert {c.status for c in report.claims} == {"holds"}, [c for c in report.claims if c.status != "holds"]


def test_another_temperature_and_another_prior_are_seen() -> None:
    layer = methods.concrete_dropout(maps.Dense(6, 6), temperature=0.2, prior_scale=0.7, bias="none")
    wrong = LibraryTree(layer, Strength(kind="concrete"), {"theta": "theta", "logit": "logit"}, {"u": "u"})
    seen = {c.id.removeprefix("strength.concrete.") for c in verify(wrong).refuted}
    assert seen == {"relaxed-law", "replay", "gradients", "kl-value", "kl-gradients", "rates-far-out"}


def test_another_beta_is_seen() -> None:
    layer = methods.information_dropout(maps.Dense(6, 6), beta=0.4, bias="none")
    names = {"theta": "value.theta", "theta_alpha": "spread.theta"}
    wrong = LibraryInformation(layer, Strength(kind="log_uniform", beta=0.5), names, {"zeta": "zeta"})
    seen = {c.id.removeprefix("strength.log_uniform.") for c in verify(wrong).refuted}
    assert seen == {"example-kl", "example-kl-gradients"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "hard"}, "kind is 'hard', expected one of 'concrete', 'log_uniform', 'log_normal'"),
        ({"kind": "concrete", "temperature": 0.0}, "temperature is 0.0, expected a finite number above 0"),
        ({"kind": "log_uniform", "span": float("inf")}, "span is inf, expected a finite number above 0"),
        ({"kind": "log_normal", "units": 1}, "units is 1, expected at least 2"),
    ],
)
def test_descriptions_of_what_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Strength(**settings)
