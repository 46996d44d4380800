"""Factors that a flow makes: the noise behind factors and outputs, read off the outputs, is normal and independent."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.families._columns import correlation_of, shape_of, variance_by_column
from bayesnoise_reference.families._readings import apart_of, tails_of
from bayesnoise_reference.families.flow import NARROW, FlowTrial, of_flow

_ROWS = 8  # examples of a call, equal in pairs


def _factors(trial: FlowTrial) -> Array:
    """(calls, rows, units): the noise behind the factors, where the weights have none."""
    held, found = trial.load(rho=NARROW), []
    for _ in range(trial.calls):
        x = np.repeat(trial.rows(_ROWS // 2), 2, axis=0)
        found.append(trial.eps(held, x, trial.guard.sample(x)))
    return np.stack(found)


def _outputs(trial: FlowTrial) -> Array:
    """(calls, rows, outputs): the noise of the outputs, where the factors have none."""
    held, found = trial.load(base_log_sigma=NARROW), []
    for _ in range(trial.calls):
        x = np.repeat(trial.rows(_ROWS // 2), 2, axis=0)
        found.append(trial.zeta(held, x, trial.guard.sample(x)))
    return np.stack(found)


def _flat(z: Array) -> Array:
    return z.reshape(-1, z.shape[-1])


@of_flow(
    "factors-variance",
    "The noise behind the factors, with the flow undone, has variance 1 in every unit.",
    catches=("no-noise", "flow-base-variance"),
)
def factors_variance(trial: FlowTrial) -> Finding:
    """Exact law, chi-square."""
    return variance_by_column(trial, _flat(_factors(trial)), "the noise behind the factors")


@of_flow(
    "factors-shape",
    "The noise behind the factors, with the flow undone, is standard normal.",
    catches=("no-noise", "flow-same-parity", "flow-gate-swapped", "flow-shift-ungated"),
)
def factors_shape(trial: FlowTrial) -> Finding:
    """Kolmogorov's test."""
    return shape_of(trial, _factors(trial), "the noise behind the factors")


@of_flow(
    "units-apart",
    "The noise behind the factors of two units is independent.",
    catches=("flow-one-scalar",),
)
def units_apart(trial: FlowTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _factors(trial)
    return correlation_of(trial, z[:, :, 0], z[:, :, 1], "the noise behind the factors of two units")


@of_flow(
    "examples-apart",
    "Every example has factors of its own.",
    catches=("flow-shared-across-batch",),
)
def examples_apart(trial: FlowTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _factors(trial)
    return correlation_of(trial, z[:, ::2], z[:, 1::2], "the noise behind the factors of two examples")


@of_flow(
    "noise-variance",
    "The noise of the outputs has the variance that the scales of the weights give it.",
    catches=("no-noise", "scale-exp-for-softplus"),
)
def noise_variance(trial: FlowTrial) -> Finding:
    """Exact law, chi-square."""
    return variance_by_column(trial, _flat(_outputs(trial)), "the noise of the outputs, standardised,")


@of_flow(
    "noise-tails",
    "The noise of the outputs is as often far from 0 as normal noise.",
    catches=("no-noise", "uniform-noise"),
)
def noise_tails(trial: FlowTrial) -> Finding:
    """Exact law, binomial."""
    return tails_of(trial, _outputs(trial).ravel(), "the noise of the outputs")


@of_flow(
    "factors-tails",
    "The noise behind the factors is as often far from 0 as normal noise.",
    catches=("no-noise", "uniform-noise"),
)
def factors_tails(trial: FlowTrial) -> Finding:
    """Exact law, binomial."""
    return tails_of(trial, _factors(trial).ravel(), "the noise behind the factors")


@of_flow(
    "noise-apart",
    "Every example has noise of its own around its outputs.",
    catches=("zeta-shared-across-batch",),
)
def noise_apart(trial: FlowTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    z = _outputs(trial)
    return correlation_of(trial, z[:, ::2], z[:, 1::2], "the noise of the outputs of two examples")


@of_flow(
    "outputs-apart",
    "The noise of two outputs of an example is independent.",
    catches=("zeta-shared-across-outputs",),
)
def outputs_apart(trial: FlowTrial) -> Finding:
    """Correlation of sizes, of iid pairs of normal numbers."""
    z = _outputs(trial)
    return apart_of(trial, z[:, :, 0].ravel(), z[:, :, 1].ravel(), "two outputs")


CLAIMS = (
    factors_variance,
    factors_shape,
    factors_tails,
    units_apart,
    examples_apart,
    noise_variance,
    noise_tails,
    noise_apart,
    outputs_apart,
)
