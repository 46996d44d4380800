"""Adapters: names found, layouts kept, descriptions of what cannot be refused, and a torch module in a few lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description, from_layout, to_layout
from bayesnoise_reference.adapters.torch import TorchModule, detect
from bayesnoise_reference.claims.outcome import Report
from bayesnoise_reference.families.noise import Noise
from planted.weights import RIGHT

DENSE = Description("dense", "flipout", 5, 8, prior=0.5)


def said(report: Report, topic: str) -> str:
    return next(c.sentence for c in report.claims if c.id.endswith(f".{topic}"))


def refuted(report: Report) -> set[str]:
    return {c.id.split(".", 2)[2] for c in report.claims if c.status == "refuted"}


class Flipout(torch.nn.Module):  # type: ignore[misc]
    """The layer that a person would write."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.mu_weight = torch.nn.Parameter(torch.zeros(outputs, inputs))
        self.rho_weight = torch.nn.Parameter(torch.full((outputs, inputs), -3.0))
        self.bias = torch.nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Any) -> Any:
        sigma = torch.nn.functional.softplus(self.rho_weight)
        r = torch.randint(0, 2, x.shape).to(x.dtype) * 2 - 1
        s = torch.randint(0, 2, (x.shape[0], len(self.bias))).to(x.dtype) * 2 - 1
        z = torch.nn.functional.linear(x * r, sigma * torch.randn_like(sigma)) * s
        return torch.nn.functional.linear(x, self.mu_weight, self.bias) + z, self.kl_loss()

    def kl_loss(self) -> Any:
        sigma = torch.nn.functional.softplus(self.rho_weight)
        log_sigma = torch.where(self.rho_weight < -30, self.rho_weight, torch.log(sigma.clamp_min(1e-30)))
        return torch.sum(-log_sigma + (sigma**2 + self.mu_weight**2) / 2 - 0.5)


TORCH = Description("dense", "flipout", 5, 8, bias="deterministic", layout="out_in", prior=1.0, dtype="float32")


def test_a_torch_module_holds() -> None:
    report = verify(TorchModule(Flipout(5, 8), TORCH))
    assert report.exit_code == 0, report.refuted
    assert "torch" in report.versions
    assert {c.id.rpartition(".")[2] for c in report.claims if c.status == "not run"} == {
        "replay",
        "evaluation-repeats",
        "evaluation-mean",
        "kl-nested",
        "kl-shared",
    }


def test_a_torch_module_is_asked_everything_that_there_is_a_function_for() -> None:
    def without_noise(module: Any, x: Any) -> Any:
        return torch.nn.functional.linear(x, module.mu_weight, module.bias)

    def over(network: Any) -> Any:
        found = [m for m in network.modules() if isinstance(m, Flipout)]  # `modules` has no module twice
        return sum(m.kl_loss() for m in found)

    report = verify(TorchModule(Flipout(5, 8), TORCH, evaluate=without_noise, network_kl=over))
    assert report.exit_code == 0, report.refuted
    assert {c.id.rpartition(".")[2] for c in report.claims if c.status == "not run"} == {"replay"}


def test_a_torch_module_that_averages_its_kl_is_told() -> None:
    report = verify(TorchModule(Flipout(5, 8), TORCH, kl=lambda module: module.kl_loss() / 40))
    values = {"kl-value", "kl-counts", "extreme-kl-wide", "extreme-kl-narrow", "prior-of-its-own"}
    assert refuted(report) == {*values, "kl-gradient"}
    assert "which is the mean over the weights" in said(report, "kl-value")
    claim = next(c for c in report.claims if c.id == "dense.flipout.kl-value")
    assert claim.likely_causes[0] == "the KL is averaged over the weights, not summed"


@pytest.mark.parametrize(
    ("names", "bias", "found"),
    [
        (("mu_weight", "rho_weight", "mu_bias", "rho_bias"), "random", "mu_bias"),
        (("mu_kernel", "rho_kernel", "mu_bias", "rho_bias"), "random", "mu_bias"),
        (("weight_mu", "weight_log_sigma", "bias_mu", "bias_log_sigma"), "random", "bias_mu"),
        (("kernel_posterior_loc", "kernel_posterior_untransformed_scale", "bias"), "deterministic", "bias"),
    ],
)
def test_names_are_detected(names: tuple[str, ...], bias: Any, found: str) -> None:
    given = detect(names, replace(DENSE, bias=bias))
    assert (given["mean"], given["rho"]) == names[:2]
    assert given["bias" if bias == "deterministic" else "bias_mean"] == found


def test_names_that_are_not_there_are_asked_for() -> None:
    with pytest.raises(ValueError, match="the parameters are a, b, and none of them is mean: name it in parameters"):
        detect(("a", "b"), DENSE)


@pytest.mark.parametrize("description", [replace(DENSE, layout="out_in"), RIGHT["convolution", "shared"]])
def test_layouts_go_and_return(description: Description) -> None:
    w = np.random.default_rng(0).standard_normal(description.weight_shape)
    assert np.array_equal(from_layout(description, to_layout(description, w)), w)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"family": "recurrent"}, "family is 'recurrent', expected one of 'dense', 'convolution'"),
        ({"inputs": 0}, "inputs is 0, expected at least 1"),
        ({"kernel": (3,)}, "expected sizes for a convolution only"),
        ({"prior": -1.0}, "prior is -1.0, expected a finite number above 0"),
        ({"groups": 2}, "groups is 2, which must divide 5 inputs"),
    ],
)
def test_descriptions_of_what_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DENSE, **given)


def test_a_prior_variance_is_a_variance() -> None:
    assert replace(DENSE, prior=4.0, prior_kind="variance").prior_scale == 2.0


class LearnedNoise(torch.nn.Module):  # type: ignore[misc]
    """Gaussian factors whose alpha is learned, a channel, under the names of the family."""

    def __init__(self) -> None:
        super().__init__()
        self.log_alpha = torch.nn.Parameter(torch.zeros(6, dtype=torch.float64))

    def forward(self, x: Any) -> Any:
        alpha = self.log_alpha.exp().reshape(6, *[1] * (x.ndim - 2))
        return x * (1 + alpha.sqrt() * torch.randn_like(x))


def test_a_torch_module_of_another_family_has_its_names() -> None:
    report = verify(TorchModule(LearnedNoise(), Noise(kind="learned", units=6)))
    assert report.exit_code == 0, report.refuted
    status = {c.id.rpartition(".")[2]: c.status for c in report.claims}
    assert {status[topic] for topic in ("fresh", "zero-batch", "gradient-input", "seeded")} == {"holds"}
    assert "kl" not in TorchModule(LearnedNoise(), Noise(kind="learned", units=6)).abilities


def test_a_torch_module_without_parameters_is_verified() -> None:
    right, wrong = (TorchModule(torch.nn.Dropout(p), Noise(kind="bernoulli", rate=0.25)) for p in (0.25, 0.75))
    assert verify(right).exit_code == 0
    assert refuted(verify(wrong)) == {"values", "rate", "element-sum", "example-sum"}
