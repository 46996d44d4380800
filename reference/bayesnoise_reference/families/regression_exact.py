"""Exact claims about linear regression: its mean, its covariance, its predictions, and draws from given noise."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.regression import RegressionTrial, of_regression, on_grid
from bayesnoise_reference.families.regression_mistakes import (
    WRONG_COVARIANCE,
    WRONG_DATA,
    WRONG_SCALES,
    WRONG_VARIANCE,
)

_PREDICTS = ("evaluate", "predictive_variance")


@of_regression(
    "mean",
    "The mean of a prediction is that of the joint normal law of weights and data, given the data.",
    needs=("evaluate",),
    catches=(
        *WRONG_SCALES,
        *WRONG_DATA,
        "regression-noise-not-in-mean",
        "regression-targets-centered",
        "regression-targets-pooled",
        "regression-one-by-one",
        "regression-evaluation-noisy",
    ),
)
def mean(trial: RegressionTrial) -> Finding:
    """Exact, to rounding, against conditioning in fractions: each weight alone, and mixtures of them."""
    _, true = trial.load()
    new = trial.new()
    return trial.agree({"mean": (trial.guard.evaluate(new), new @ true.mean)}, true, "of predictions the")


@of_regression(
    "covariance",
    "The covariance of the weights is that of the law: the posterior's, or one over the diagonal of its precision.",
    needs=("covariance",),
    catches=(*WRONG_SCALES, *WRONG_DATA, *WRONG_COVARIANCE, "regression-precision-as-covariance"),
)
def covariance(trial: RegressionTrial) -> Finding:
    """Exact, to rounding, against conditioning in fractions."""
    _, true = trial.load()
    pairs = {"covariance": (trial.guard.ask("covariance"), true.covariance)}
    return trial.agree(pairs, true, "of the weights the")


@of_regression(
    "predictive-variance",
    "The variance of a new target is that of x w under the law, and that of the noise once.",
    needs=("predictive_variance",),
    catches=(*WRONG_SCALES, *WRONG_DATA, *WRONG_COVARIANCE, *WRONG_VARIANCE),
)
def predictive_variance(trial: RegressionTrial) -> Finding:
    """Exact, to rounding."""
    held, true = trial.load()
    new = trial.new()
    right = np.sum(new @ true.covariance * new, axis=1) + held["noise_scale"][0] ** 2
    return trial.agree({"variance": (trial.guard.ask("predictive_variance", x=new), right)}, true, "of predictions the")


@of_regression(
    "noise-once",
    "Where the input is zero the variance of a new target is that of the noise alone.",
    needs=("predictive_variance",),
    catches=(*WRONG_VARIANCE, "regression-noise-as-variance", "regression-noise-as-precision"),
)
def noise_once(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: no law of the weights has a part in it."""
    held, _ = trial.load()
    square = float(held["noise_scale"][0]) ** 2
    seen = float(trial.guard.ask("predictive_variance", x=np.zeros((1, trial.description.inputs)))[0])
    wrong = not abs(seen - square) <= 8.0 * trial.guard.eps * square
    return exact(
        wrong, f"at an input of zero the variance is {seen / square:.4g} times that of the noise; 1 is right", 1
    )


@of_regression(
    "replay",
    "A draw is linear in its noise, from the mean, by a root of the covariance, with noise of its own for each target.",
    needs=("sample_with_noise",),
    catches=(
        *WRONG_SCALES,
        *WRONG_DATA,
        *WRONG_COVARIANCE,
        "regression-noise-ignored",
        "regression-draws-mean-missing",
        "regression-draws-with-noise",
        "regression-draws-shared-by-targets",
        "regression-root-missing",
        "regression-root-transposed",
    ),
)
def replay(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: noise of zero, then a unit vector after the other, which show the root for all targets."""
    d, (_, true) = trial.description, trial.load()
    units = np.eye(d.inputs * d.outputs).reshape(-1, d.outputs, d.inputs)
    drawn = [trial.guard.sample_with_noise(np.eye(d.inputs), {"eps": unit.T}) for unit in (0.0 * units[0], *units)]
    root = np.stack([(one - drawn[0]).T.ravel() for one in drawn[1:]], axis=1)
    pairs: dict[str, tuple[Array, Array]] = {
        "mean": (drawn[0], true.mean),
        "covariance": (root @ root.T, np.kron(np.eye(d.outputs), true.covariance)),
    }
    return trial.agree(pairs, true, "from given noise the")


@of_regression(
    "follows",
    "Predictions are those of the data that were loaded last.",
    needs=_PREDICTS,
    catches=("regression-stale",),
)
def follows(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: two sets of data, the second smaller."""
    trial.load()
    trial.guard.evaluate(trial.new())
    held, true = trial.load(5)
    return trial.predicted(true, held, "after another load the")


@of_regression(
    "targets-apart",
    "A target says nothing of the weights of another.",
    needs=("evaluate",),
    when=lambda d: d.outputs > 1,
    catches=("regression-targets-pooled",),
)
def targets_apart(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: with all targets but the first zero their means are zero, and the first is as it was."""
    held, true = trial.load()
    new = trial.new()
    only = held["y"] * (np.arange(trial.description.outputs) == 0)
    trial.guard.load(held | {"y": only})
    right = new @ true.mean * (np.arange(trial.description.outputs) == 0)
    return trial.agree({"mean": (trial.guard.evaluate(new), right)}, true, "of one target among zeros the")


@of_regression(
    "order-of-rows",
    "Predictions do not depend on the order of the data.",
    needs=_PREDICTS,
    catches=("regression-last-row-missing", "regression-rows-weighted"),
)
def order_of_rows(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: the rows reversed, the layer against itself."""
    held, true = trial.load()
    new = trial.new()
    first = trial.guard.evaluate(new), trial.guard.ask("predictive_variance", x=new)
    trial.guard.load(held | {"x": held["x"][::-1], "y": held["y"][::-1]})
    again = trial.guard.evaluate(new), trial.guard.ask("predictive_variance", x=new)
    pairs = {name: (again[i], first[i]) for i, name in enumerate(("mean", "variance"))}
    return trial.agree(pairs, true, "of the same data in another order the")


@of_regression(
    "units",
    "With targets and both scales in other units, predictions are the same in those units.",
    needs=_PREDICTS,
    catches=(
        "regression-prior-as-variance",
        "regression-prior-as-precision",
        "regression-noise-as-variance",
        "regression-noise-as-precision",
        "regression-noise-not-in-mean",
        "regression-noise-floored",
        "regression-noise-scale-added",
        "regression-jitter",
    ),
)
def units(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: 1/1024 of all, the layer against itself."""
    held, true = trial.load()
    new, unit = trial.new(), 2.0**-10
    mean, variance = trial.guard.evaluate(new), trial.guard.ask("predictive_variance", x=new)
    trial.guard.load(held | {name: unit * held[name] for name in ("y", "noise_scale", "prior_scale")})
    pairs = {
        "mean": (trial.guard.evaluate(new), unit * mean),
        "variance": (trial.guard.ask("predictive_variance", x=new), unit**2 * variance),
    }
    return trial.agree(pairs, true, "in units 1024 times as large the")


@of_regression(
    "linear",
    "One draw of the weights serves all rows of a call, and the noise of the targets is not in it.",
    catches=("regression-draws-by-row", "regression-draws-with-noise"),
)
def linear(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: the third row is the sum of the others, and so is what it gives."""
    trial.load()
    rows = on_grid(trial.rng.standard_normal((2, trial.description.inputs)))
    y = trial.guard.sample(np.concatenate([rows, rows.sum(axis=0, keepdims=True)]))
    off = float(np.max(np.abs(y[0] + y[1] - y[2])))
    wrong = not off <= 64.0 * trial.guard.eps * float(np.max(np.abs(y), initial=1.0))
    return exact(wrong, f"what a sum of rows gives is off the sum by {off:.2g}", 1)


CLAIMS = (
    mean,
    covariance,
    predictive_variance,
    noise_once,
    replay,
    follows,
    targets_apart,
    order_of_rows,
    units,
    linear,
)
