"""Every method of the library, by its name: it holds all claims, or the refusal says that there are none about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import rng
from bayesnoise_reference import reports
from bayesnoise_reference.adapters import library_methods
from bayesnoise_reference.adapters.library_methods import library_method, library_names
from cli_runs import refused, run

import bayesnoise
from bayesnoise import tree

METHODS = [method.name for method in bayesnoise.METHODS]
LAYERS = sorted(set(library_names()) - set(METHODS))  # that are adapted and are no method


@pytest.mark.parametrize("name", METHODS + LAYERS)
def test_a_method_holds_or_is_refused_by_name(name: str, tmp_path: Any) -> None:
    result = run("verify", f"library:{name}", "--json", tmp_path / "r.json")
    if name in library_names():
        assert result.exit_code == 0, result.stdout
        report = reports.read(tmp_path / "r.json")
        assert not report.refuted
        assert any(claim.status == "holds" for claim in report.claims)
    else:
        there = ", ".join(library_names())
        assert refused(result) == f"there are no claims about {name}; there are about {there}"


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(library_names())))
def test_what_has_no_claims_draws_nothing(name: str) -> None:
    x = np.ones((4, 3))
    layer = bayesnoise.method(name).build(bayesnoise.maps.Dense(3, 2))
    params = layer.init(rng(0, like=x), like=x)
    assert not list(tree.paths(layer.draw(rng(1, like=x), params, x.shape, like=x)))


@pytest.mark.parametrize("name", library_names())
def test_a_float32_layer_is_said_so(name: str) -> None:
    assert library_method(name, dtype="float32").description.dtype == "float32"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("flipout", "--in", 3, "--out", 4, "--kernel", "3,3"), {"inputs": 3, "outputs": 4, "kernel": (3, 3)}),
        (("dropout", "--in", 5, "--set", "rate=0.5"), {"units": 5, "rate": 0.5}),
        (("lstm", "--in", 2, "--out", 3, "--estimator", "shared", "--prior", 2), {"inputs": 2, "units": 3, "prior": 2}),
        (("embedding", "--in", 5, "--out", 2, "--scale", "exp"), {"rows": 5, "features": 2}),
        (("drop_block", "--set", "space=[3, 5]"), {"space": (3, 5)}),
    ],
)
def test_options_reach_the_layer(words: tuple[Any, ...], found: dict[str, Any], monkeypatch: Any) -> None:
    seen: list[Any] = []

    def watched(*given: Any, **settings: Any) -> Any:
        seen.append(library_method(*given, **settings))
        return seen[0]

    monkeypatch.setattr(library_methods, "library_method", watched)
    assert run("verify", f"library:{words[0]}", *words[1:]).exit_code == 0
    assert {name: getattr(seen[0].description, name) for name in found} == found
