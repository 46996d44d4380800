"""The packages on torch: their layers as adapters, and what is measured of them without the kit."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
import torchbnn
from bayesian_torch import layers as bayesian_torch
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.torch import TorchModule
from bayesnoise_reference.adapters.torch_conventions import conventional
from benchmarks.findings import IN, OUT, Layer, Measured
from blitz.modules import BayesianLinear
from blitz.utils.layer_wrappers import Flipout
from torch.nn.functional import softplus
from torchbnn.functional import bayesian_kl_loss

torch.set_num_threads(1)
HEAD = """# What the kit says of public implementations

Made by `make findings` on {when}: {seeds} fresh seeds each, tier pr, on the CPU, layers of 8 inputs and
64 outputs (convolutions 3 and 16 channels, kernel 3 or 3 x 3). Listed is what was refuted at every seed, with the
sentence of the first; what held is counted. The packages are their authors' work and are used by many: a finding is one
of a version, meant to be reported to them first.

One layer again, with the sentences in a terminal, where the package is installed:

```console
$ bayesnoise verify torch:bayesian_torch.layers.LinearFlipout --in 8 --out 64
$ bayesnoise verify keras:tensorflow_probability.python.layers.DenseFlipout --in 8 --out 64
```

The first packages are on torch {torch}.
"""
BESIDE = """## The packages on torch, without the kit

A few of these again, from the layers alone: a second way to the same verdicts. Initial parameters are those of
`torch.manual_seed(0)`, variances are over 4,000 calls.
"""
BLITZ = {"mean": "weight_sampler.mu", "rho": "weight_sampler.rho"}
CALLS = 4000


def head(seeds: int) -> str:
    """What stands above the layers."""
    return HEAD.format(seeds=seeds, torch=version("torch"), when=date.today())


def blitz(layer: Callable[..., Any], estimator: Any, name: str) -> TorchModule:
    """A layer of blitz, which keeps its parameters in a sampler."""
    what = Description("dense", estimator, IN, OUT, layout="out_in", dtype="float32", name=name)
    return TorchModule(layer(IN, OUT, bias=False), what, BLITZ)


def usual(package: str, name: str, made: Any, **given: Any) -> Layer:
    """A layer that is named as is usual."""
    sizes = (3, 16) if given.get("kernel") else (IN, OUT)
    return Layer(package, name, partial(conventional, made, *sizes, **given))


SUMMED = partial(bayesian_kl_loss, reduction="sum")
LAYERS = (
    usual("bayesian-torch", "LinearFlipout", bayesian_torch.LinearFlipout),
    usual("bayesian-torch", "LinearReparameterization", bayesian_torch.LinearReparameterization),
    usual("bayesian-torch", "Conv1dFlipout", bayesian_torch.Conv1dFlipout, kernel=(3,)),
    usual("bayesian-torch", "Conv2dFlipout", bayesian_torch.Conv2dFlipout, kernel=(3,)),
    usual("bayesian-torch", "Conv2dReparameterization", bayesian_torch.Conv2dReparameterization, kernel=(3,)),
    usual("torchbnn", "BayesLinear, default KL", torchbnn.BayesLinear, kl=bayesian_kl_loss),
    usual("torchbnn", "BayesLinear, KL summed", torchbnn.BayesLinear, kl=SUMMED),
    Layer("blitz-bayesian-pytorch", "BayesianLinear", partial(blitz, BayesianLinear, "shared", "BayesianLinear")),
    Layer(
        "blitz-bayesian-pytorch",
        "Flipout(BayesianLinear)",
        partial(blitz, Flipout(BayesianLinear), "flipout", "Flipout"),
    ),
)


def measured() -> list[Measured]:
    """Each mistake once more, in a line or two of the package's own functions."""
    torch.manual_seed(0)
    return [*_kl(), *_extremes(), *_positions(), _whole_weight()]


def _closed_form(layer: Any) -> float:
    """The KL to a standard normal prior, summed in double precision."""
    pairs = ((layer.mu_weight, layer.rho_weight), (layer.mu_bias, layer.rho_bias))
    total = 0.0
    for mean, rho in pairs:
        m, s = mean.detach().double(), softplus(rho.detach().double())
        total += float(torch.sum(-torch.log(s) + (s * s + m * m) / 2 - 0.5))
    return total


def _kl() -> list[Measured]:
    layer = bayesian_torch.LinearReparameterization(64, 32)
    seen = float(layer.kl_loss().detach())
    what = "`kl_loss()` of `LinearReparameterization(64, 32)` as initialised"
    return [Measured("bayesian-torch", what, f"{seen:.4f}", f"{_closed_form(layer):.2f}, the sum")]


def _extremes() -> list[Measured]:
    found = []
    for rho in (-110.0, 90.0):
        layer = bayesian_torch.LinearReparameterization(64, 32)
        torch.nn.init.constant_(layer.rho_weight, rho)
        torch.nn.init.constant_(layer.rho_bias, rho)
        what = f"the same in float32 where every rho is {rho:g}"
        found.append(
            Measured("bayesian-torch", what, f"{float(layer.kl_loss().detach()):g}", f"{_closed_form(layer):.6g}")
        )
    return found


def _positions() -> list[Measured]:
    """An image of ones, a kernel of 27 perturbations of variance 1.726 / 27, 16 positions without padding."""
    right = 1.726
    layer = bayesian_torch.Conv2dFlipout(3, 1, 3, bias=False)
    scale = math.sqrt(right / 27)
    torch.nn.init.zeros_(layer.mu_kernel)
    torch.nn.init.constant_(layer.rho_kernel, math.log(math.expm1(scale)))
    with torch.no_grad():
        y = torch.cat([layer(torch.ones(1, 3, 6, 6), return_kl=False).reshape(1, 16) for _ in range(CALLS)])
    variance = float(y.mean(dim=1).var())
    correlation = float(torch.corrcoef(y[:, [0, 15]].T)[0, 1])
    name, image = "bayesian-torch", "`Conv2dFlipout(3, 1, 3)` on an image of ones, 4 x 4 outputs"
    return [
        Measured(name, f"correlation of two positions: {image}", f"{correlation:.4f}", "1"),
        Measured(name, f"variance of the mean over positions: {image}", f"{variance:.3f}", f"{right}"),
    ]


def _whole_weight() -> Measured:
    """The variance of the output on a row of ones, in units of the sum of the squares of the scales."""
    layer = Flipout(BayesianLinear)(64, 32, bias=False)
    with torch.no_grad():
        y = torch.cat([layer(torch.ones(1, 64)) for _ in range(CALLS)]).double()
        right = (softplus(layer.weight_rho.double()) ** 2).sum(dim=1)
    worst = float((y.var(dim=0) / right).max())
    what = "variance of an output of `Flipout(BayesianLinear)(64, 32)` as initialised, in units of the right one"
    return Measured("blitz-bayesian-pytorch", what, f"up to {worst:,.0f}", "1")
