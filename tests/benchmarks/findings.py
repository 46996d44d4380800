"""What the kit says of public implementations, on fresh seeds, as Markdown. `make findings` runs it where they are.

Each layer is verified from the outside at tier pr, once a seed. Only a claim that was refuted in every run is a
finding; those that were refuted in some runs are named below the table.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import date
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
HEAD = """# What the kit says of public implementations

Made by `make findings` on {when}: {seeds} fresh seeds each, tier pr, torch {torch} on the CPU, layers of 8 inputs and
64 outputs (convolutions 3 and 16 channels, kernel 3 x 3). Listed is what was refuted at every seed, with the sentence
of the first; what held is counted. The packages are their authors' work and are used by many: a finding is one of a
version, meant to be reported to them first. TensorFlow Probability is not among them yet.

One layer again, with the sentences in a terminal, where the package is installed:

```console
$ bayesnoise verify torch:bayesian_torch.layers.LinearFlipout --in 8 --out 64
```
"""
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
    every = [claim for claim, count in counts.items() if count == len(seeds)]
    some = [f"`{claim}` ({count} of {len(seeds)})" for claim, count in counts.items() if count < len(seeds)]
    rows = [f"| `{claim}` | {sentences[claim].replace('|', '/')} |" for claim in every]
    table = ["| claim refuted | what was seen |", "|---|---|", *rows] if rows else ["Nothing is refuted."]
    rest = f"{len(held)} claims held in every run, {len(not_run)} could not be run."
    if some:
        rest += f" Refuted in some runs only: {', '.join(some)}."
    return "\n".join([f"## {package} {version(package)}: {name}", "", *table, "", rest, ""])


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, help="the first seed: a fresh one for a fresh verdict")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the packages
    torch.set_num_threads(1)
    print(HEAD.format(seeds=arguments.seeds, torch=version("torch"), when=date.today()), flush=True)
    for package, name, adapter in adapters():
        print(section(package, name, adapter, range(arguments.first, arguments.first + arguments.seeds)), flush=True)


if __name__ == "__main__":
    main()
