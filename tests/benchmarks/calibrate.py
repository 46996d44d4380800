"""False alarms and the calibration of p-values, measured: many seeded runs of layers that are right.

    python tests/benchmarks/calibrate.py --runs 2000

A p-value is at most a with a probability of at most a, so each share below may exceed its level by chance alone. Rows
whose excess has a probability below 1e-4 under the exact binomial law are marked.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from scipy.special import bdtrc

sys.path.insert(0, str(Path(__file__).parents[1]))

from bayesnoise_reference import verify
from planted.straightforward import Straightforward
from planted.weights import RIGHT

LEVELS = (0.2, 0.05, 0.01)


def main() -> int:
    """Print a row for each claim that has a p-value; the exit code is 1 if a run refuted anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--families", default="dense,convolution")
    arguments = parser.parse_args()
    alarms, seen = [], defaultdict(list)
    layers = [d for (family, _), d in RIGHT.items() if family in arguments.families.split(",")]
    for seed in range(arguments.runs):
        for description in layers:
            report = verify(Straightforward(description), seed=seed)
            alarms += [f"seed {seed}: {claim.id}: {claim.sentence}" for claim in report.refuted]
            for claim in report.claims:
                if claim.p is not None:
                    seen[claim.id].append(claim.p)
    print(f"{arguments.runs} runs of {len(layers)} layers, {len(alarms)} false alarms", *alarms, sep="\n")
    print(f"{'claim':48}" + "".join(f"{f'p <= {level}':>12}" for level in LEVELS))
    for name, values in sorted(seen.items()):
        counts = [sum(p <= level for p in values) for level in LEVELS]
        unlikely = [k > 0 and bdtrc(k - 1, len(values), a) < 1e-4 for k, a in zip(counts, LEVELS, strict=True)]
        shares = "".join(f"{k / len(values):12.4f}" for k in counts)
        print(f"{name:48}{shares}{'  too many' if any(unlikely) else ''}")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
