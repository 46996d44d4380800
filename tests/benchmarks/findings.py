"""What the kit says of public implementations, on fresh seeds, as Markdown. `make findings` runs it where they are.

Each layer is verified from the outside at tier pr, once a seed. A claim is listed if it was refuted in every run; one
that was refuted in some runs only is listed with its count, and is not a finding.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
import torchbnn
from bayesian_torch import layers as bayesian_torch
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.torch import TorchModule
from bayesnoise_reference.adapters.torch_conventions import conventional
from blitz.modules import BayesianLinear
from blitz.utils.layer_wrappers import Flipout
from torchbnn.functional import bayesian_kl_loss

IN, OUT = 8, 64
BLITZ = {"mean": "weight_sampler.mu", "rho": "weight_sampler.rho"}


def blitz(layer: Callable[..., Any], estimator: Any, name: str) -> TorchModule:
    """A layer of blitz, which keeps its parameters in a sampler."""
    what = Description("dense", estimator, IN, OUT, layout="out_in", dtype="float32", name=name)
    return TorchModule(layer(IN, OUT, bias=False), what, BLITZ)


def adapters() -> list[tuple[str, str, TorchModule]]:
    """The package, what of it, and its adapter."""
    summed = partial(bayesian_kl_loss, reduction="sum")
    return [
        ("bayesian-torch", "LinearFlipout", conventional(bayesian_torch.LinearFlipout, IN, OUT)),
        ("bayesian-torch", "LinearReparameterization", conventional(bayesian_torch.LinearReparameterization, IN, OUT)),
        ("bayesian-torch", "Conv2dFlipout", conventional(bayesian_torch.Conv2dFlipout, 3, 16, kernel=(3,))),
        ("torchbnn", "BayesLinear, default KL", conventional(torchbnn.BayesLinear, IN, OUT, kl=bayesian_kl_loss)),
        ("torchbnn", "BayesLinear, KL summed", conventional(torchbnn.BayesLinear, IN, OUT, kl=summed)),
        ("blitz-bayesian-pytorch", "BayesianLinear", blitz(BayesianLinear, "shared", "BayesianLinear")),
        ("blitz-bayesian-pytorch", "Flipout(BayesianLinear)", blitz(Flipout(BayesianLinear), "flipout", "Flipout")),
    ]


def section(package: str, name: str, adapter: TorchModule, seeds: range) -> str:
    """One layer: what was refuted, with the sentence of the first run, and how much held."""
    reports = [verify(adapter, seed=seed) for seed in seeds]
    counts = Counter(claim.id for report in reports for claim in report.refuted)
    sentences = {claim.id: claim.sentence for report in reversed(reports) for claim in report.refuted}
    held = [c.id for c in reports[0].claims if c.status == "holds" and c.id not in counts]
    not_run = [c.id for c in reports[0].claims if c.status == "not run"]
    rows = [
        f"| `{name}` | {count} of {len(seeds)} | {sentences[name].replace('|', '/')} |"
        for name, count in counts.most_common()
    ]
    table = ["| claim | refuted | what was seen |", "|---|---|---|", *rows] if rows else ["Nothing was refuted."]
    return "\n".join(
        [
            f"## {package} {version(package)}: {name}",
            "",
            *table,
            "",
            f"{len(held)} claims held in every run, {len(not_run)} could not be run.",
            "",
        ]
    )


def main() -> None:
    """Print a section for each layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, help="the first seed: a fresh one for a fresh verdict")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the packages
    torch.set_num_threads(1)
    for package, name, adapter in adapters():
        print(section(package, name, adapter, range(arguments.first, arguments.first + arguments.seeds)), flush=True)


if __name__ == "__main__":
    main()
