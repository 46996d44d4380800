"""False alarms and the calibration of p-values, measured: many seeded runs of layers that are right.

    python tests/benchmarks/calibrate.py --runs 2000 --families dense,convolution --out docs/calibration.md
    python tests/benchmarks/calibrate.py --families convolution --minutes 60 --keep runs.jsonl --out docs/calibration.md

A p-value is at most a with a probability of at most a, so each share below may exceed its level by chance alone. Rows
whose excess has a probability below 1e-4 under the exact binomial law are marked. With `--out` the table of a family
is written into the page, in the place of the one that was there. With `--keep` every run is written down when it is
done, and what is there is not run again; with `--minutes` a family ends early, and its table says after how many runs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from math import inf
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

    kind: str
    seed: int
    p: dict[str, float]
    alarms: list[str]


def run(task: tuple[str, int]) -> Run:
    """The p-values of the right layer, and what was refuted of it."""
    kind, seed = task
    report = verify(PLANTED[kind].adapter(PLANTED[kind].description, ""), seed=seed)
    alarms = [f"seed {seed}: {claim.id}: {claim.sentence}" for claim in report.refuted]
    return Run(kind, seed, {claim.id: claim.p for claim in report.claims if claim.p is not None}, alarms)


def kept(path: Path | None) -> list[Run]:
    """The runs that are written down already."""
    if path is None or not path.exists():
        return []
    return [Run(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def missing(kinds: list[str], runs: int, done: list[Run], pool: ProcessPoolExecutor, seconds: float) -> Iterator[Run]:
    """The runs that are still to be made, every kind at a seed before the next seed, until the time is up."""
    have, until = {(found.kind, found.seed) for found in done}, time.monotonic() + seconds
    tasks = ((kind, seed) for seed in range(runs) for kind in kinds if (kind, seed) not in have)
    while (some := list(islice(tasks, 16 * len(kinds)))) and time.monotonic() < until:
        yield from pool.map(run, some)


def table(family: str, kinds: list[str], runs: list[Run]) -> tuple[str, int]:
    """The section of a family, of the seeds that every kind has had, and how many false alarms there were."""
    seen, alarms, times = defaultdict(list), [], Counter(found.seed for found in runs)
    whole = [found for found in runs if times[found.seed] == len(kinds)]
    for found in whole:
        alarms += found.alarms
        for name, p in found.p.items():
            seen[f"{found.kind}.{name.split('.', 2)[2]}"].append(p)
    today, count = datetime.now(UTC).date(), len(whole) // len(kinds)
    lines = [
        f"## {family}",
        "",
        f"{count} runs of {', '.join(kinds)}, {today}: {len(alarms)} false alarms.",
        *(f"- {alarm}" for alarm in alarms),
        "",
        "| claim | runs | " + " | ".join(f"p <= {level}" for level in LEVELS) + " | |",
        "|---|---|" + "---|" * (len(LEVELS) + 1),
    ]
    for name, values in sorted(seen.items()):
        counts = [sum(p <= level for p in values) for level in LEVELS]
        above = [k > 0 and bdtrc(k - 1, len(values), a) < UNLIKELY for k, a in zip(counts, LEVELS, strict=True)]
        shares = " | ".join(f"{k / len(values):.4f}" for k in counts)
        lines.append(f"| {name} | {len(values)} | {shares} | {'too many' if any(above) else ''} |")
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
    parser.add_argument("--minutes", type=float, default=inf, help="The time for one family.")
    parser.add_argument("--keep", type=Path, help="A file of runs, to go on from.")
    parser.add_argument("--out", type=Path, help="A page with a section for each family.")
    arguments = parser.parse_args()
    total = 0
    for family in arguments.families.split(","):
        kinds = [kind for kind, planted in PLANTED.items() if planted.description.family == family]
        runs = [found for found in kept(arguments.keep) if found.kind in kinds and found.seed < arguments.runs]
        with ProcessPoolExecutor(arguments.jobs) as pool:
            for found in missing(kinds, arguments.runs, list(runs), pool, 60.0 * arguments.minutes):
                runs.append(found)
                if arguments.keep is not None:
                    with arguments.keep.open("a", encoding="utf-8") as file:
                        file.write(f"{json.dumps(found._asdict())}\n")
        text, alarms = table(family, kinds, runs)
        print(text, flush=True)
        total += alarms
        if arguments.out is not None:
            record(arguments.out, family, text)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
