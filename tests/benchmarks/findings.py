"""What the kit says of public implementations, on fresh seeds, as Markdown. `make findings` runs it where they are.

    python tests/benchmarks/findings.py torch
    python tests/benchmarks/findings.py tensorflow

Each layer is verified from the outside at tier pr, once a seed. Only a claim that was refuted in every run is a
finding; those that were refuted in some runs are named below the table. What the layers are, and what is measured
beside the kit, stands in a file for each environment.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from bayesnoise_reference import verify

IN, OUT = 8, 64


class Layer(NamedTuple):
    """A layer to verify."""

    package: str
    name: str
    adapter: Callable[[], Any]
    note: str = ""  # what was found out about a refutation by other means


class Measured(NamedTuple):
    """A number that was looked at without the kit."""

    package: str
    what: str
    seen: str
    right: str


def section(layer: Layer, seeds: range) -> str:
    """One layer: what was refuted, with the sentence of the first run, and how much held."""
    adapter = layer.adapter()
    reports = [verify(adapter, seed=seed, limit=60.0) for seed in seeds]
    counts = Counter(claim.id for report in reports for claim in report.refuted)
    sentences = {claim.id: claim.sentence for report in reversed(reports) for claim in report.refuted}
    held = [c.id for c in reports[0].claims if c.status == "holds" and c.id not in counts]
    not_run = [c.id for c in reports[0].claims if c.status == "not run"]
    every = [claim for claim, count in counts.items() if count == len(seeds)]
    some = [f"`{claim}` ({count} of {len(seeds)})" for claim, count in counts.items() if count < len(seeds)]
    rows = [f"| `{claim}` | {sentences[claim].replace('|', '/').replace('<', '&lt;')} |" for claim in every]
    table = ["| claim refuted | what was seen |", "|---|---|", *rows] if rows else ["Nothing is refuted."]
    rest = f"{len(held)} claims held in every run, {len(not_run)} could not be run."
    if some:
        rest += f" Refuted in some runs only: {', '.join(some)}."
    note = [layer.note, ""] if layer.note else []
    return "\n".join([f"## {layer.package} {version(layer.package)}: {layer.name}", "", *table, "", rest, "", *note])


def measurements(rows: list[Measured]) -> str:
    """The table of what was measured without the kit."""
    lines = [f"| {row.package} | {row.what} | {row.seen} | {row.right} |" for row in rows]
    return "\n".join(["| package | what | seen | right |", "|---|---|---|---|", *lines, ""])


def main() -> None:
    """Print the part of the page that this environment can."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", choices=["torch", "tensorflow"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, help="the first seed: a fresh one for a fresh verdict")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the packages
    part = import_module(f"benchmarks.findings_{arguments.environment}")
    print(part.head(arguments.seeds), flush=True)
    for layer in part.LAYERS:
        print(section(layer, range(arguments.first, arguments.first + arguments.seeds)), flush=True)
    print(part.BESIDE, flush=True)
    print(measurements(part.measured()), flush=True)


if __name__ == "__main__":
    main()
