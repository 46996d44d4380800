"""False alarms and the calibration of p-values, measured: many seeded runs of layers that are right.

    python tests/benchmarks/calibrate.py --runs 2000 --families dense,convolution --out docs/calibration.md

A p-value is at most a with a probability of at most a, so each share below may exceed its level by chance alone. Rows
whose excess has a probability below 1e-4 under the exact binomial law are marked. With `--out` the table of a family
is written into the page, in the place of the one that was there.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scipy.special import bdtrc

sys.path.insert(0, str(Path(__file__).parents[1]))

from bayesnoise_reference import verify
from planted import PLANTED

LEVELS = (0.2, 0.05, 0.01)
UNLIKELY = 1e-4


class Run(NamedTuple):
    """What one seed showed of one layer."""

    p: dict[str, float]
    alarms: list[str]


def run(kind: str, seed: int) -> Run:
    """The p-values of the right layer, and what was refuted of it."""
    report = verify(PLANTED[kind].adapter(PLANTED[kind].description, ""), seed=seed)
    alarms = [f"seed {seed}: {claim.id}: {claim.sentence}" for claim in report.refuted]
    return Run({claim.id: claim.p for claim in report.claims if claim.p is not None}, alarms)


def section(family: str, kinds: list[str], runs: int, jobs: int) -> tuple[str, int]:
    """The table of a family, and how many false alarms there were."""
    seen, alarms = defaultdict(list), []
    with ProcessPoolExecutor(jobs) as pool:
        for kind in kinds:
            for found in pool.map(run, [kind] * runs, range(runs), chunksize=8):
                alarms += found.alarms
                for name, p in found.p.items():
                    seen[f"{kind}.{name.split('.', 2)[2]}"].append(p)
    today = datetime.now(UTC).date()
    lines = [
        f"## {family}",
        "",
        f"{runs} runs of {', '.join(kinds)}, {today}: {len(alarms)} false alarms.",
        "",
        *(f"- {alarm}" for alarm in alarms),
        "| claim | " + " | ".join(f"p <= {level}" for level in LEVELS) + " | |",
        "|---|" + "---|" * (len(LEVELS) + 1),
    ]
    for name, values in sorted(seen.items()):
        counts = [sum(p <= level for p in values) for level in LEVELS]
        above = [k > 0 and bdtrc(k - 1, len(values), a) < UNLIKELY for k, a in zip(counts, LEVELS, strict=True)]
        shares = " | ".join(f"{k / len(values):.4f}" for k in counts)
        lines.append(f"| {name} | {shares} | {'too many' if any(above) else ''} |")
    return "\n".join(lines) + "\n", len(alarms)


def record(page: Path, family: str, text: str) -> None:
    """Put the section of a family into the page, in the place of the one that was there."""
    before = page.read_text(encoding="utf-8")
    old = re.compile(rf"^## {family}\n.*?(?=^## |\Z)", re.M | re.S)
    after = old.sub(lambda _: f"{text}\n", before) if old.search(before) else f"{before.rstrip()}\n\n{text}"
    page.write_text(after.rstrip() + "\n", encoding="utf-8")


def main() -> int:
    """Print a table a family; the exit code is 1 if a run refuted anything."""
    families = list(dict.fromkeys(planted.description.family for planted in PLANTED.values()))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--families", default=",".join(families))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="A page with a section for each family.")
    arguments = parser.parse_args()
    total = 0
    for family in arguments.families.split(","):
        kinds = [kind for kind, planted in PLANTED.items() if planted.description.family == family]
        text, alarms = section(family, kinds, arguments.runs, arguments.jobs)
        print(text, flush=True)
        total += alarms
        if arguments.out is not None:
            record(arguments.out, family, text)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
