"""Weights in groups: the noise behind factors and outputs, read off the outputs, is normal and independent."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._columns import correlation_of, shape_of, variance_by_column
from bayesnoise_reference.families._readings import apart_of, tails_of
from bayesnoise_reference.families.compression import CompressionTrial, of_compression

_ROWS = 8  # examples of a call, equal in pairs


def _pairs(trial: CompressionTrial) -> Array:
    return np.repeat(trial.rows(_ROWS // 2), 2, axis=0)


def _factors(trial: CompressionTrial) -> Array:
    """(calls, rows, inputs): the numbers behind the factors, where the weights have no noise."""
    held, found = trial.load(narrow=("weights",)), []
    for _ in range(trial.calls):
        x = _pairs(trial)
        found.append(trial.numbers(held, trial.factors(held, x, trial.guard.sample(x))))
    return np.stack(found)


def _outputs(trial: CompressionTrial) -> Array:
    """(calls, rows, outputs): the noise of the outputs, where the factors have none."""
    held, found = trial.load(narrow=("factors",)), []
    for _ in range(trial.calls):
        x = _pairs(trial)
        found.append(trial.zeta(held, x, trial.guard.sample(x)))
    return np.stack(found)


def _flat(z: Array) -> Array:
    return z.reshape(-1, z.shape[-1])


@of_compression(
    "factors-variance",
    "The noise behind the factors, with their law undone, has variance 1 in every group.",
    catches=(
        "no-noise",
        "jeffreys-log-variance-as-scale",
        "cauchy-no-root",
        "cauchy-scales-added",
    ),
)
def factors_variance(trial: CompressionTrial) -> Finding:
    """Exact law, chi-square, of numbers that are independent if the factors share what they should."""
    return variance_by_column(trial, _flat(_factors(trial)), "the noise behind the factors")


@of_compression(
    "factors-shape",
    "The noise behind the factors, with their law undone, is standard normal.",
    catches=("no-noise", "jeffreys-theta-missing", "cauchy-no-root"),
)
def factors_shape(trial: CompressionTrial) -> Finding:
    """Kolmogorov's test."""
    return shape_of(trial, _factors(trial), "the noise behind the factors")


@of_compression(
    "factors-tails",
    "The noise behind the factors is as often far from 0 as normal noise.",
    catches=("no-noise", "uniform-noise"),
)
def factors_tails(trial: CompressionTrial) -> Finding:
    """Exact law, binomial; with what all units share kept still, so that one number is behind a factor."""
    held, found = trial.load(narrow=("weights", "shared")), []
    for _ in range(trial.calls):
        x = trial.rows(_ROWS)
        found.append(trial.numbers(held, trial.factors(held, x, trial.guard.sample(x))))
    return tails_of(trial, np.concatenate(found).ravel(), "the noise behind the factors")


@of_compression(
    "units-apart",
    "The noise behind the factors of two groups, with their law undone, is independent.",
    catches=("group-one-scalar", "cauchy-shared-missing", "cauchy-shared-per-unit"),
)
def units_apart(trial: CompressionTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _factors(trial)
    return correlation_of(trial, z[:, :, 0], z[:, :, 1], "the noise behind the factors of two groups")


@of_compression(
    "examples-apart",
    "Every example has factors of its own.",
    catches=("group-shared-across-batch",),
)
def examples_apart(trial: CompressionTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _factors(trial)
    return correlation_of(trial, z[:, ::2], z[:, 1::2], "the noise behind the factors of two examples")


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
        x = trial.rows(_ROWS)
        least = min(least, float(np.min(trial.factors(held, x, trial.guard.sample(x)))))
    n = trial.calls * _ROWS * trial.description.inputs
    return exact(not least > 0.0, f"the least of {n} factors is {least:.3g}; above 0 is right", trial.calls)


@of_compression(
    "noise-variance",
    "The noise of the outputs has the variance that the scales of the weights and the factors give it.",
    catches=("no-noise", "group-factor-not-in-noise", "scale-exp-for-softplus"),
)
def noise_variance(trial: CompressionTrial) -> Finding:
    """Exact law, chi-square."""
    return variance_by_column(trial, _flat(_outputs(trial)), "the noise of the outputs, standardised,")


@of_compression(
    "noise-tails",
    "The noise of the outputs is as often far from 0 as normal noise.",
    catches=("no-noise", "uniform-noise"),
)
def noise_tails(trial: CompressionTrial) -> Finding:
    """Exact law, binomial."""
    return tails_of(trial, _outputs(trial).ravel(), "the noise of the outputs")


@of_compression(
    "noise-apart",
    "Every example has noise of its own around its outputs.",
    catches=("zeta-shared-across-batch",),
)
def noise_apart(trial: CompressionTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _outputs(trial)
    return correlation_of(trial, z[:, ::2], z[:, 1::2], "the noise of the outputs of two examples")


@of_compression(
    "outputs-apart",
    "The noise of two outputs of an example is independent.",
    catches=("zeta-shared-across-outputs",),
)
def outputs_apart(trial: CompressionTrial) -> Finding:
    """Correlation of sizes, of iid pairs of normal numbers."""
    z = _outputs(trial)
    return apart_of(trial, z[:, :, 0].ravel(), z[:, :, 1].ravel(), "two outputs")


CAUSES = {
    "cauchy-shared-per-unit": "the factor that all units share is drawn for each",
    "cauchy-normal": "the factor is normal with the right mean and variance: it is log-normal",
}

CLAIMS = (
    factors_variance,
    factors_shape,
    factors_tails,
    units_apart,
    examples_apart,
    positive,
    noise_variance,
    noise_tails,
    noise_apart,
    outputs_apart,
)
