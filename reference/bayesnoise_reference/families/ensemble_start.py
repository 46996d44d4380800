"""Claims about where members start: apart from each other, independently, anew in every ensemble."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, least_likely
from bayesnoise_reference.claims.pictured import tosses
from bayesnoise_reference.families.ensemble import EnsembleTrial, of_ensembles

CAUSES = {
    "ensemble-started-alike": "all members start from the same parameters",
    "ensemble-started-nearby": "the members start near one another, from one draw with a little noise",
    "ensemble-started-opposite": "the members start in pairs of opposite parameters",
    "ensemble-start-fixed": "every ensemble starts where the first one did",
}


def _starts(trial: EnsembleTrial, x: Array, calls: int) -> Array:
    """The outputs of that many new ensembles, `(calls, members, n, outputs)`."""
    d = trial.description
    shape = (d.members, len(x), d.outputs)
    return np.stack([trial.asked("start", shape, x=x) for _ in range(calls)])


@of_ensembles(
    "start-apart",
    "No two members start alike, in one ensemble or in two.",
    needs=("start",),
    catches=("ensemble-started-alike", "ensemble-start-fixed"),
)
def start_apart(trial: EnsembleTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    found = _starts(trial, trial.x(1), 2).reshape(2 * trial.description.members, -1)
    different = len({row.tobytes() for row in found})
    return exact(different < len(found), f"of {len(found)} members {different} start apart", len(found))


@of_ensembles(
    "start-independent",
    "Where one member starts says nothing of where another does.",
    needs=("start",),
    catches=("ensemble-started-alike", "ensemble-started-nearby", "ensemble-started-opposite"),
)
def start_independent(trial: EnsembleTrial) -> Finding:
    """The exact law of a coin, whatever the law of a start is: of two ensembles, whether two members differ the same
    way. For independent members of a continuous law both ways are as likely, by exchange of one of them.
    """
    found = _starts(trial, trial.x(1), 4 * trial.calls)[:, :, 0, 0]
    signs = np.sign(found[::2] - found[1::2])  # (pairs of ensembles, members)
    pairs = list(combinations(range(trial.description.members), 2))
    share = trial.alpha / len(pairs)
    heads = [int(np.sum(signs[:, i] == signs[:, j])) for i, j in pairs]
    verdicts = [statistics.coin(k, len(signs), alpha=share) for k in heads]
    verdict, worst = least_likely(verdicts)
    i, j = pairs[worst]
    said = f"members {i} and {j} differ the same way in {heads[worst] / len(signs):.1%} of pairs; 50 % is right"
    return judged(verdict, said, tosses(np.array(heads), len(signs)))


@of_ensembles(
    "start-seeded",
    "A seed repeats where the members start, and another seed does not.",
    needs=("start", "seed"),
    catches=("seed-ignored", "ensemble-start-fixed"),
)
def start_seeded(trial: EnsembleTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    x, found = trial.x(1), []
    for seed in (1, 1, 2):
        trial.guard.seed(seed)
        found.append(_starts(trial, x, 1))
    if not np.array_equal(found[0], found[1]):
        return exact(True, "after the same seed the members start elsewhere", 2)
    same = bool(np.array_equal(found[0], found[2]))
    return exact(same, f"another seed gives {'the same start' if same else 'another start'}", 3)


CLAIMS = (start_apart, start_independent, start_seeded)
