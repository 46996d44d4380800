"""Exact claims about linear regression where there is little data, or much of one kind, and at scales far out."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.regression import RegressionTrial, of_regression, on_grid

_PREDICTS = ("evaluate", "predictive_variance")


@of_regression(
    "no-data",
    "Without data the law is the prior, whose widths are scales.",
    needs=_PREDICTS,
    catches=(
        "regression-prior-as-variance",
        "regression-prior-as-precision",
        "regression-prior-forgotten",
        "regression-one-prior",
        "regression-prior-reversed",
        "regression-jitter",
        "regression-unseen-dropped",
        "regression-zero-column-dropped",
    ),
)
def no_data(trial: RegressionTrial) -> Finding:
    """Exact, to rounding."""
    held, true = trial.load(0)
    return trial.predicted(true, held, "without data the")


@of_regression(
    "fewer-rows",
    "With fewer rows than weights the directions that no row has keep the prior.",
    needs=_PREDICTS,
    catches=("regression-prior-forgotten", "regression-unseen-dropped"),
)
def fewer_rows(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: with one row, with half as many as weights, and with one less."""
    d = trial.description.inputs
    counts = sorted({1, d // 2, d - 1})
    for rows in counts:
        held, true = trial.load(rows)
        found = trial.predicted(true, held, f"from {rows} rows the")
        if found.refuted:
            return found
    return exact(False, "with fewer rows than weights predictions agree to rounding", len(counts))


@of_regression(
    "zero-column",
    "A weight whose inputs are all zero keeps its prior.",
    needs=_PREDICTS,
    catches=("regression-prior-forgotten", "regression-unseen-dropped", "regression-zero-column-dropped"),
)
def zero_column(trial: RegressionTrial) -> Finding:
    """Exact, to rounding."""
    data = trial.data()
    at = trial.rng.integers(trial.description.inputs)
    held, true = trial.take(data | {"x": data["x"] * (np.arange(trial.description.inputs) != at)})
    return trial.predicted(true, held, "with a column of zeros the")


@of_regression(
    "near-collinear",
    "Columns that are nearly the same are told apart as far as the noise lets them be.",
    needs=_PREDICTS,
    catches=("regression-weak-directions-cut", "regression-noise-floored"),
)
def near_collinear(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding that the condition of the precision allows, which is low enough for that."""
    fine = trial.guard.eps < 1e-10
    apart, noise = (1.0 / 256.0, 1.0 / 1024.0) if fine else (1.0 / 16.0, 1.0 / 64.0)
    shape = (8, trial.description.inputs)
    column = on_grid(trial.rng.uniform(0.5, 1.5, (8, 1))) * trial.rng.choice([-1.0, 1.0], (8, 1))
    x = column + apart * trial.rng.choice([-2.0, -1.0, 1.0, 2.0], shape)
    held, true = trial.load(x=x, noise_scale=np.full(1, noise))
    return trial.predicted(true, held, "of columns that are nearly the same the")


@of_regression(
    "scales-far-out",
    "Scales of noise and prior from 1e-3 to 1e3 are taken as they are.",
    needs=_PREDICTS,
    catches=("regression-noise-floored", "regression-prior-capped", "regression-jitter"),
)
def scales_far_out(trial: RegressionTrial) -> Finding:
    """Exact, to rounding, at the four corners; the columns are far from collinear."""
    data = trial.data()
    for noise in (1e-3, 1e3):
        for prior in (1e-3, 1e3):
            scales = {"noise_scale": np.full(1, noise), "prior_scale": np.full(len(data["prior_scale"]), prior)}
            held, true = trial.take(data | scales)
            found = trial.predicted(true, held, f"with noise of {noise:g} and a prior of {prior:g} the")
            if found.refuted:
                return found
    return exact(False, "at scales far out predictions agree to rounding", 4)


CLAIMS = (no_data, fewer_rows, zero_column, near_collinear, scales_far_out)
