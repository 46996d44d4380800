"""Weights in groups: how the noise behind factors and outputs is read off the outputs; and a factor is positive."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._factored import ROWS, Readings, around_outputs, behind_factors, pairs
from bayesnoise_reference.families.compression import CompressionTrial, of_compression


def _factors(trial: CompressionTrial) -> Array:
    """Where the weights have no noise."""
    held, found = trial.load(narrow=("weights",)), []
    for _ in range(trial.calls):
        x = pairs(trial)
        found.append(trial.numbers(held, trial.factors(held, x, trial.guard.sample(x))))
    return np.stack(found)


def _alone(trial: CompressionTrial) -> Array:
    """With what all units share kept still, so that one number is behind a factor."""
    held, found = trial.load(narrow=("weights", "shared")), []
    for _ in range(trial.calls):
        x = trial.rows(ROWS)
        found.append(trial.numbers(held, trial.factors(held, x, trial.guard.sample(x))))
    return np.stack(found)


def _outputs(trial: CompressionTrial) -> Array:
    """Where the factors have no noise."""
    held, found = trial.load(narrow=("factors",)), []
    for _ in range(trial.calls):
        x = pairs(trial)
        found.append(trial.zeta(held, x, trial.guard.sample(x)))
    return np.stack(found)


@of_compression(
    "positive",
    "A half-Cauchy factor is above 0.",
    kinds=("half_cauchy",),
    catches=("cauchy-normal",),
)
def positive(trial: CompressionTrial) -> Finding:
    """Exact: as many factors as there are draws for the laws."""
    held, least = trial.load(narrow=("weights",)), np.inf
    for _ in range(trial.calls):
        x = trial.rows(ROWS)
        least = min(least, float(np.min(trial.factors(held, x, trial.guard.sample(x)))))
    n = trial.calls * ROWS * trial.description.inputs
    return exact(not least > 0.0, f"the least of {n} factors is {least:.3g}; above 0 is right", trial.calls)


_READ = Readings(_factors, _alone, _outputs)
_CATCHES = {
    "factors-variance": ("no-noise", "jeffreys-log-variance-as-scale", "cauchy-no-root", "cauchy-scales-added"),
    "factors-shape": ("no-noise", "jeffreys-theta-missing", "cauchy-no-root"),
    "factors-tails": ("no-noise", "uniform-noise"),
    "units-apart": ("group-one-scalar", "cauchy-shared-missing", "cauchy-shared-per-unit"),
    "examples-apart": ("group-shared-across-batch",),
    "noise-variance": ("no-noise", "group-factor-not-in-noise", "scale-exp-for-softplus"),
    "noise-tails": ("no-noise", "uniform-noise"),
    "noise-apart": ("zeta-shared-across-batch",),
    "outputs-apart": ("zeta-shared-across-outputs",),
}

CAUSES = {
    "cauchy-shared-per-unit": "the factor that all units share is drawn for each",
    "cauchy-normal": "the factor is normal with the right mean and variance: it is log-normal",
}

CLAIMS = (
    *behind_factors(of_compression, _READ, "their law", _CATCHES),
    positive,
    *around_outputs(of_compression, _READ, _CATCHES),
)
