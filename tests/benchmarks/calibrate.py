"""False alarms and the calibration of p-values, measured: many seeded runs of layers that are right.

    python tests/benchmarks/calibrate.py --runs 2000 --families dense,convolution --out docs/calibration.md
    python tests/benchmarks/calibrate.py --families convolution --minutes 60 --keep runs.jsonl --out docs/calibration.md

A p-value is at most a with a probability of at most a, so each share below may exceed its level by chance alone. Rows
whose excess has a probability below 1e-4 under the exact binomial law are marked. With `--out` the table of a family
is written into the page, in the place of the one that was there. With `--keep` every run is written down when it is
done, and later only claims are put that are not there: new ones cost no more than themselves. Whoever changes a claim
takes it out with `--again`. With `--minutes` a family ends early, and its table says after how many runs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from math import inf
from pathlib import Path
from typing import NamedTuple

from scipy.special import bdtrc

sys.path.insert(0, str(Path(__file__).parents[1]))

from bayesnoise_reference import verify
from bayesnoise_reference.verification import all_claims
from planted import PLANTED

LEVELS = (0.2, 0.05, 0.01)
UNLIKELY = 1e-4


class Run(NamedTuple):
    """What one seed showed of claims about one layer."""

    kind: str
    seed: int
    p: dict[str, float | None]  # by claim; None for one without a p-value
    alarms: dict[str, str]  # by claim: what was said of the right layer


class Runs:
    """What is known of every layer and seed, and in which file."""

    def __init__(self, path: Path | None, again: frozenset[str]) -> None:
        """Read what the file has, but for the topics that are to be put again."""
        self.path = path
        self.found: dict[tuple[str, int], Run] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self.add(Run(**json.loads(line)), again)

    def add(self, run: Run, but: frozenset[str] = frozenset()) -> None:
        """Join a run with the one of the same layer and seed."""
        before = self.found.get((run.kind, run.seed), run._replace(p={}, alarms={}))
        p = {name: value for name, value in run.p.items() if name in claims(run.kind) and topic(name) not in but}
        alarms = {
            name: text for name, text in (before.alarms | run.alarms).items() if name not in p.keys() - run.alarms
        }
        self.found[run.kind, run.seed] = run._replace(p=before.p | p, alarms=alarms)

    def put(self, run: Run) -> None:
        """Join a new run, and write it down."""
        self.add(run)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(run._asdict())}\n")

    def missing(self, kind: str, seed: int) -> frozenset[str]:
        """The claims about a layer that were not put at a seed."""
        return claims(kind) - (self.found[kind, seed].p.keys() if (kind, seed) in self.found else set())


@cache
def claims(kind: str) -> frozenset[str]:
    """The claims about a planted layer."""
    about = PLANTED[kind].description
    return frozenset(claim.id(about) for claim in all_claims() if claim.about(about))


def topic(name: str) -> str:
    """What a claim is about, in every family alike."""
    return name.split(".", 2)[2]


def run(task: tuple[str, int, frozenset[str]]) -> Run:
    """What the right layer shows of these claims."""
    kind, seed, only = task
    report = verify(PLANTED[kind].adapter(PLANTED[kind].description, ""), seed=seed, only=only)
    alarms = {claim.id: f"seed {seed}: {claim.id}: {claim.sentence}" for claim in report.refuted}
    return Run(kind, seed, {claim.id: claim.p for claim in report.claims if claim.id in only}, alarms)


def complete(runs: Runs, kinds: list[str], number: int, jobs: int, seconds: float) -> None:
    """Make the runs that are missing, every kind at a seed before the next seed, until the time is up."""
    until = time.monotonic() + seconds
    tasks = ((k, seed, wanted) for seed in range(number) for k in kinds if (wanted := runs.missing(k, seed)))
    with ProcessPoolExecutor(jobs) as pool:
        while (some := list(islice(tasks, 16 * len(kinds)))) and time.monotonic() < until:
            for found in pool.map(run, some):
                runs.put(found)


def table(family: str, kinds: list[str], runs: list[Run]) -> tuple[str, int]:
    """The section of a family, of the seeds that every kind has had, and how many false alarms there were."""
    seen, times = defaultdict(list), Counter(found.seed for found in runs)
    whole = [found for found in runs if times[found.seed] == len(kinds)]
    alarms = [text for found in whole for text in found.alarms.values()]
    for found in whole:
        for name, p in found.p.items():
            if p is not None:
                seen[f"{found.kind}.{topic(name)}"].append(p)
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
    parser.add_argument("--again", default="", help="Topics of claims to put again, such as draw-sum,draw-pairs.")
    parser.add_argument("--out", type=Path, help="A page with a section for each family.")
    arguments = parser.parse_args()
    runs, total = Runs(arguments.keep, frozenset(arguments.again.split(","))), 0
    for family in arguments.families.split(","):
        kinds = [kind for kind, planted in PLANTED.items() if planted.description.family == family]
        complete(runs, kinds, arguments.runs, arguments.jobs, 60.0 * arguments.minutes)
        mine = [found for (kind, seed), found in sorted(runs.found.items()) if kind in kinds and seed < arguments.runs]
        text, alarms = table(family, kinds, mine)
        print(text, flush=True)
        total += alarms
        if arguments.out is not None:
            record(arguments.out, family, text)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
