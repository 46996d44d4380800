"""A layer whose answers are less precise than it says is told that, and judged by what its answers can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.torch import TorchModule
from planted import PLANTED

LAYERS = ["dense.flipout", "convolution.local", "noise.bernoulli", "lstm.flipout", "posterior.k_tied"]


class Answers:
    """A planted layer, with every answer in some precision."""

    def __init__(self, inner: Any, dtype: str) -> None:
        self.inner, self.dtype, self.description = inner, dtype, inner.description

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.inner, name)
        if name in ("abilities", "seed", "parameters", "save", "restore"):
            return asked
        return lambda *given, **named: self._cast(asked(*given, **named))

    def load(self, parameters: dict[str, Any]) -> None:
        """As the layer does."""
        self.inner.load(parameters)

    def _cast(self, answer: Any) -> Any:
        if isinstance(answer, dict):
            return {name: self._cast(value) for name, value in answer.items()}
        return np.asarray(answer).astype(self.dtype)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("said", "answered"), [("float64", "float32"), ("float32", "float64")])
def test_only_the_dtype_is_refuted(kind: str, said: Any, answered: str) -> None:
    planted = PLANTED[kind]
    what = replace(planted.description, dtype=said)
    report = verify(Answers(planted.adapter(what, ""), answered))
    (found,) = report.refuted
    assert found.id == f"{planted.kind}.adapter.dtype"
    assert f"returned {answered}, the layer and its input are {said}" in found.sentence


@pytest.mark.parametrize("mistake", ["mean-shrunk", "scale-exp-for-softplus", "kl-mean", "signs-shared-across-batch"])
def test_mistakes_are_found_in_what_is_left_of_the_numbers(mistake: str) -> None:
    planted = PLANTED["dense.flipout"]
    layer = planted.adapter(planted.description, mistake)
    full, cast = verify(layer), verify(Answers(layer, "float32"))
    law = {c.id for c in full.refuted}
    assert law
    assert {c.id for c in cast.refuted} == law | {"dense.flipout.adapter.dtype"}


def test_a_claim_is_judged_alone_as_among_others() -> None:
    planted = PLANTED["dense.flipout"]
    for seed in range(3):
        layer = Answers(planted.adapter(planted.description, ""), "float32")
        assert verify(layer, seed=seed, only=["dense.flipout.evaluation-mean"]).claims[0].status == "holds"


class Single(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """A dense layer that keeps float32, whatever it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.mu, self.sigma = (torch.nn.Parameter(torch.zeros(3, 4)) for _ in range(2))

    def forward(self, x: Any) -> Any:
        """One draw of the weights."""
        return x.float() @ (self.mu + self.sigma * torch.randn(3, 4))

    def kl_loss(self) -> Any:
        """Against a prior of 0.5."""
        s = self.sigma.abs()
        return torch.sum(torch.log(0.5 / s) + (s**2 + self.mu**2) / 0.5 - 0.5)


def test_a_module_in_float32_that_is_said_to_have_float64() -> None:
    what = Description("dense", "shared", 3, 4, scale="identity", prior=0.5)
    report = verify(TorchModule(Single(), what))
    assert {c.id.split(".", 2)[2]: c.sentence for c in report.refuted if ".adapter." in c.id} == {
        "adapter.dtype": "sample returned float32, the layer and its input are float64"
    }
    assert {c.id for c in report.refuted if ".adapter." not in c.id} == set()
