"""Claims about estimates by evolution strategies: their mean, what a constant and a factor do, replay, fresh noise."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.evolution import (
    ROWS,
    EvolutionTrial,
    estimate,
    gradient,
    largest_variance,
    of_evolution,
)


@of_evolution(
    "unbiased",
    "The mean of the estimates is the gradient of the smoothed objective.",
    catches=(
        "evolution-sign",
        "evolution-not-divided-by-scale",
        "evolution-divided-by-variance",
        "evolution-members-summed",
        "evolution-bases-summed",
        "evolution-halved",
        "evolution-sign-in-dropped",
        "evolution-sign-out-dropped",
        "evolution-unperturbed",
        "evolution-members-unsigned",
        "evolution-scale-as-variance",
        "evolution-baseline-of-all",
    ),
)
def unbiased(trial: EvolutionTrial) -> Finding:
    """Along the gradient, by Catoni's e-value: the estimates are heavy-tailed, and their variance has a bound."""
    held = trial.load()
    right = gradient(held)
    size = float(np.linalg.norm(right))
    drawn = np.concatenate([trial.guard.sample(np.zeros((ROWS, 1))) for _ in range(trial.calls)])
    along = np.sum(drawn * right, axis=(1, 2)) / size
    verdict = statistics.catoni(along, size, largest_variance(trial.description, held), alpha=trial.alpha)
    return judged(verdict, f"along the gradient the estimates have {np.mean(along) / size:.4g} times its length")


@of_evolution(
    "replay",
    "An estimate from given noise is the mean over members of value times perturbation.",
    needs=("sample_with_noise",),
    catches=(
        "evolution-sign",
        "evolution-not-divided-by-scale",
        "evolution-divided-by-variance",
        "evolution-members-summed",
        "evolution-bases-summed",
        "evolution-halved",
        "evolution-sign-in-dropped",
        "evolution-sign-out-dropped",
        "evolution-one-member",
        "evolution-unperturbed",
        "evolution-members-unsigned",
        "evolution-scale-as-variance",
        "evolution-first-base",
        "evolution-standardised",
        "evolution-ranked",
        "evolution-noise-ignored",
        "evolution-baseline-of-all",
        "evolution-no-baseline",
    ),
)
def replay(trial: EvolutionTrial) -> Finding:
    """Exact, to rounding."""
    held, noise = trial.load(), trial.noise()
    noise["eps"] = trial.rounded(noise["eps"])
    got = trial.guard.sample_with_noise(np.zeros((1, 1)), noise)[0]
    units = 64.0 * float(np.abs(held["level"][0]) + 10.0) / trial.description.scale
    return compared(trial, {"estimate": (got, estimate(trial.description, held, noise))}, units, "from given noise the")


def _seeded(trial: EvolutionTrial, held: dict[str, Array]) -> Array:
    """Two estimates by the noise of a seed."""
    trial.guard.load(held)
    trial.guard.seed(1)
    return trial.guard.sample(np.zeros((2, 1)))


@of_evolution(
    "constant",
    "A constant in the objective moves no estimate.",
    needs=("sample", "seed"),
    catches=("evolution-no-baseline", "evolution-pairs-alike"),
)
def constant(trial: EvolutionTrial) -> Finding:
    """Exact, to rounding: the noise of one seed, with and without the constant."""
    held, level = trial.parameters(), 64.0
    still = _seeded(trial, held | {"level": np.zeros(1)})
    moved = _seeded(trial, held | {"level": np.full(1, level)})
    units = 64.0 * level / trial.description.scale
    return compared(trial, {"estimate": (moved, still)}, units, f"with {level:g} more in every value the")


@of_evolution(
    "factor",
    "A factor on the objective is a factor on each estimate.",
    needs=("sample", "seed"),
    catches=("evolution-standardised", "evolution-ranked"),
)
def factor(trial: EvolutionTrial) -> Finding:
    """Exact, to rounding: the noise of one seed, with the objective and with four times as much."""
    held = trial.parameters()
    once = _seeded(trial, held)
    more = _seeded(trial, held | {"curvature": 4.0 * held["curvature"], "level": 4.0 * held["level"]})
    units = 1e3 / trial.description.scale
    return compared(trial, {"estimate": (more, 4.0 * once)}, units, "of four times the objective the")


@of_evolution(
    "fresh",
    "Every estimate has noise of its own.",
    catches=("evolution-fixed", "evolution-shared-by-rows"),
)
def fresh(trial: EvolutionTrial) -> Finding:
    """Exact: two calls of two estimates, no two of which coincide but with probability zero."""
    trial.load()
    drawn = np.concatenate([trial.guard.sample(np.zeros((2, 1))) for _ in range(2)])
    different = len({row.tobytes() for row in drawn})
    return exact(different < 4, f"of 4 estimates {different} are different", 4)


CLAIMS = (unbiased, replay, constant, factor, fresh)
