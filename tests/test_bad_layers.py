"""Layers that misbehave, by adapter and by kind: a claim of its own says so in a sentence, and never a traceback."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras_standin
import numpy as np
import pytest
import torch
from bayesnoise_reference import reports, verify
from bayesnoise_reference.adapters._answers import KINDS
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions
from bayesnoise_reference.adapters.jax import JaxFunction
from bayesnoise_reference.adapters.keras import KerasLayer
from bayesnoise_reference.adapters.subprocess import Subprocess
from bayesnoise_reference.adapters.torch import TorchModule
from namespaces import NAMESPACES

assert NAMESPACES  # which has switched JAX to 64 bits

PROGRAMS = Path(__file__).parent / "programs"
IN, OUT = 3, 4
WHAT = Description("dense", "shared", IN, OUT, scale="identity", name="<bad>")
ONLY = ["dense.shared.weight-mean", "dense.shared.weight-variance"]


def functions(kind: str) -> Functions:
    rng, pool = np.random.default_rng(0), np.zeros((1024, OUT))

    def sample(parameters: Any, x: Any) -> Any:
        y = x @ (parameters["mean"] + parameters["rho"] * rng.standard_normal((IN, OUT)))
        if kind == "same-array":
            pool[: len(x)] = y
        if kind == "changes-parameters":
            parameters["mean"] += 1.0
        if kind == "changes-inputs":
            x += 1.0
        return spoilt(kind, y, np, lambda: pool[: len(x)])

    return Functions(WHAT, sample)


def spoilt(kind: str, y: Any, xp: Any, again: Callable[[], Any]) -> Any:
    """What is returned in the place of an output."""
    if kind == "raises":
        raise KeyError("<b>no such thing</b>")
    if kind == "hangs":
        time.sleep(10.0)
    made = {
        "shape": lambda: y[:, :-1],
        "nan": lambda: y * xp.nan,
        "dtype": lambda: y.astype("float32") if xp is not torch else y.to(torch.float32),
        "same-array": again,
    }
    return made[kind]() if kind in made else y


class Module(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """A dense layer that returns what it should not."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.pool = kind, torch.zeros(1024, OUT, dtype=torch.float64)
        self.mu = torch.nn.Parameter(torch.zeros(IN, OUT, dtype=torch.float64))
        self.sigma = torch.nn.Parameter(torch.zeros(IN, OUT, dtype=torch.float64))

    def forward(self, x: Any) -> Any:
        y = x @ (self.mu + self.sigma * torch.randn_like(self.sigma))
        if self.kind == "same-array":
            self.pool[: len(x)] = y
        if self.kind == "changes-parameters":
            self.mu += 1.0
        if self.kind == "changes-inputs":
            x += 1.0
        return spoilt(self.kind, y, torch, lambda: self.pool[: len(x)])


def of_torch(kind: str) -> TorchModule:
    return TorchModule(Module(kind), WHAT)


def of_jax(kind: str) -> JaxFunction:
    def apply(params: Any, key: Any, x: Any) -> Any:
        y = x @ (params["mu"] + params["sigma"] * jax.random.normal(key, (IN, OUT), x.dtype))
        return spoilt(kind, y, jnp, lambda: y)

    zeros = np.zeros((IN, OUT))
    return JaxFunction(apply, {"mu": zeros, "sigma": zeros}, {"mean": "mu", "rho": "sigma"}, WHAT)


class Layer(keras_standin.DenseFlipout):
    """The layer that stands in, with outputs that it should not have."""

    kind = ""

    def __call__(self, x: Any) -> Any:
        y = np.asarray(super().__call__(x))
        if self.kind == "changes-parameters":
            self.trainable_variables[0].assign(self.trainable_variables[0].value + 1.0)
        return y.astype(np.float64) if self.kind == "dtype" else spoilt(self.kind, y, np, lambda: y)


def of_keras(kind: str) -> KerasLayer:
    what = Description("dense", "flipout", IN, OUT, bias="deterministic", dtype="float32", name="<bad>")
    layer = Layer(OUT)
    adapter = KerasLayer(layer, what)  # which calls it once
    layer.kind = kind
    return adapter


def program(kind: str) -> Subprocess:
    return Subprocess([sys.executable, str(PROGRAMS / "spoilt.py"), kind])


ADAPTERS: dict[str, Callable[[str], Any]] = {
    "functions": functions,
    "torch": of_torch,
    "jax": of_jax,
    "keras": of_keras,
    "program": program,
}
CANNOT = {  # what cannot be, for arrays that cannot be written to, or are copied on the way
    "jax": {"same-array", "changes-parameters", "changes-inputs"},
    "keras": {"same-array", "changes-inputs"},
    "program": {"same-array", "changes-inputs"},
}
SAID = {
    "raises": "no such thing",
    "hangs": "sample did not return within 2 s; nothing was asked of it afterwards",
    "shape": "sample returned shape (",
    "nan": "sample returned NaN or infinity although every number in is finite",
    "dtype": "sample returned float",
    "same-array": "sample returned the very array of the call before",
    "changes-inputs": "sample changed the input array",
    "changes-parameters": "sample changed the parameter mean",
}
USELESS = {"raises", "hangs", "shape", "nan"}  # after which there is nothing to judge
MATRIX = [(name, kind) for name in ADAPTERS for kind in KINDS if kind not in CANNOT.get(name, ())]


WEIGHTS = {name: np.zeros((IN, OUT)) for name in ("mean", "rho")}
ZEROS = (WEIGHTS, {**WEIGHTS, "bias": np.zeros(OUT)})


def verified(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The report on two claims."""
    monkeypatch.setitem(sys.modules, "tensorflow", keras_standin.tensorflow)
    adapter = ADAPTERS[name](kind)
    only = [claim.replace("shared", adapter.description.estimator) for claim in ONLY]
    try:
        adapter.load({name: value + 0.0 for name, value in ZEROS[name == "keras"].items()})  # compiled, if it is
        return verify(adapter, only=only, limit=2.0 if kind == "hangs" else 60.0)
    finally:
        getattr(adapter, "close", lambda: None)()


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_layer_that_behaves_is_not_accused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report = verified(name, "", monkeypatch)
    assert report.exit_code == 0, report.refuted
    assert {c.status for c in report.claims} == {"holds"}


@pytest.mark.parametrize(("name", "kind"), MATRIX)
def test_what_a_layer_does_is_a_claim_of_its_own(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(SAID) == set(KINDS)
    report = verified(name, kind, monkeypatch)
    (found,) = [c for c in report.claims if c.id.endswith(f".adapter.{kind}")]
    assert found.status == "refuted"
    assert SAID[kind] in found.sentence
    assert "Traceback" not in reports.to_json(report)
    assert report.exit_code == (3 if kind in USELESS else 1)
    page = reports.page(report)
    assert "<bad>" not in page
    assert "<b>no such" not in page
    assert "&lt;bad&gt;" in page
