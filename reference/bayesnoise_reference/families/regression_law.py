"""Claims about the law of drawn weights: its mean, its widths, its directions, its shape, and what is drawn anew.

One call draws the weights once; with each weight alone for an input it shows them. Draws that are whitened by the exact
covariance are independent standard normal numbers.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.families._columns import correlation_of, shape_of, variance_by_column
from bayesnoise_reference.families.regression import RegressionTrial, Truth, of_regression
from bayesnoise_reference.families.regression_mistakes import WRONG_COVARIANCE

_MORE = 4  # draws for each call that the tier has


def _away(trial: RegressionTrial, true: Truth, more: int = _MORE) -> Array:
    """Draws less their mean, `(draws, inputs, outputs)`."""
    return np.stack([trial.weights() for _ in range(more * trial.calls)]) - true.mean


def _white(trial: RegressionTrial, true: Truth, more: int = _MORE) -> Array:
    """Standard normal numbers, `(draws, inputs, outputs)`."""
    return np.asarray(np.linalg.solve(np.linalg.cholesky(true.covariance), _away(trial, true, more)))


def _by_weight(numbers: Array) -> Array:
    """A column for each weight, a row for each draw of each target."""
    return np.moveaxis(numbers, 1, 2).reshape(-1, numbers.shape[1])


@of_regression(
    "law-mean",
    "The mean of the draws is that of the law.",
    catches=(
        "regression-draws-mean-missing",
        "regression-noise-not-in-mean",
        "regression-one-by-one",
    ),
)
def law_mean(trial: RegressionTrial) -> Finding:
    """Along the directions of each target in which the mean itself lies: normal, of mean 0 and variance 1."""
    _, true = trial.load()
    way = np.linalg.solve(np.linalg.cholesky(true.covariance), true.mean)
    along = np.sum(_white(trial, true) * way, axis=(1, 2)) / np.linalg.norm(way)
    verdict = statistics.normal_mean(along, 0.0, 1.0, alpha=trial.alpha)
    share = 1.0 + float(np.mean(along)) / float(np.linalg.norm(way))
    return judged(verdict, f"the mean of the draws is {share:.4g} times that of the law", along)


@of_regression(
    "law-width",
    "The draws are as wide as the law.",
    catches=(
        *WRONG_COVARIANCE,
        "regression-examples-averaged",
        "regression-noise-as-variance",
        "regression-noise-as-precision",
        "regression-root-missing",
        "regression-root-transposed",
        "regression-draws-with-noise",
    ),
)
def law_width(trial: RegressionTrial) -> Finding:
    """The squares of whitened draws: chi-square, all together and column by column."""
    _, true = trial.load()
    return variance_by_column(trial, _by_weight(_white(trial, true)), "whitened noise")


@of_regression(
    "law-directions",
    "Weights vary together as the law says: as in the posterior, or not at all in an independent law.",
    catches=("regression-independent", "regression-correlated", "regression-root-transposed"),
)
def law_directions(trial: RegressionTrial) -> Finding:
    """Along the principal directions of the posterior's correlations: chi-square, a variance for each."""
    _, true = trial.load()
    sd, own = np.sqrt(np.diag(true.posterior)), np.sqrt(np.diag(true.covariance))
    _, vectors = np.linalg.eigh(true.posterior / np.outer(sd, sd))
    widths = np.sqrt(np.diag(vectors.T @ (true.covariance / np.outer(own, own)) @ vectors))
    along = (_by_weight(_away(trial, true)) / own) @ vectors / widths
    return variance_by_column(trial, along, "noise along the directions of the posterior")


@of_regression(
    "law-normal",
    "The draws are normal.",
    catches=("regression-two-point",),
)
def law_normal(trial: RegressionTrial) -> Finding:
    """Kolmogorov's test of all whitened numbers, twice as many: another root than the layer's mixes its noise."""
    _, true = trial.load()
    return shape_of(trial, _white(trial, true, 2 * _MORE), "whitened noise")


@of_regression(
    "law-of-targets",
    "Targets have weights of their own, independent of each other.",
    when=lambda d: d.outputs > 1,
    catches=("regression-draws-shared-by-targets",),
)
def law_of_targets(trial: RegressionTrial) -> Finding:
    """The correlation of whitened draws of the first and the last target."""
    _, true = trial.load()
    z = _white(trial, true)
    return correlation_of(trial, z[:, :, 0], z[:, :, -1], "noise of two targets")


@of_regression(
    "law-of-calls",
    "A draw says nothing of the next.",
    catches=("regression-draws-remembered", "regression-draws-fixed"),
)
def law_of_calls(trial: RegressionTrial) -> Finding:
    """The correlation of whitened draws of calls that follow each other."""
    _, true = trial.load()
    z = _white(trial, true)
    return correlation_of(trial, z[0::2], z[1::2], "noise of two calls")


@of_regression(
    "law-without-data",
    "Without data the draws are those of the prior, whose widths are scales.",
    catches=(
        "regression-prior-as-variance",
        "regression-prior-as-precision",
        "regression-prior-forgotten",
        "regression-unseen-dropped",
        "regression-zero-column-dropped",
        "regression-one-prior",
        "regression-prior-reversed",
    ),
)
def law_without_data(trial: RegressionTrial) -> Finding:
    """The squares of draws in units of the prior's scales: chi-square, all together and weight by weight."""
    _, true = trial.load(0)
    return variance_by_column(trial, _by_weight(_white(trial, true)), "without data the noise")


@of_regression(
    "fresh",
    "Every call draws anew, and a seed repeats what it drew.",
    needs=("sample", "seed"),
    catches=("regression-draws-fixed", "seed-ignored"),
)
def fresh(trial: RegressionTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    trial.guard.seed(1)
    first, second = trial.weights(), trial.weights()
    trial.guard.seed(1)
    again = trial.weights()
    if np.array_equal(first, second):
        return exact(True, "two calls gave the same draw", 2)
    return exact(
        not np.array_equal(first, again), "two calls gave draws of their own; a seed should repeat the first", 3
    )


CLAIMS = (
    law_mean,
    law_width,
    law_directions,
    law_normal,
    law_of_targets,
    law_of_calls,
    law_without_data,
    fresh,
)
