"""Weights whose law has a structure: the law behind the outputs, undone to independent standard normal numbers."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

from bayesnoise_reference import radial, statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged, standard_normal
from bayesnoise_reference.claims.pictured import BINS, binned
from bayesnoise_reference.claims.readings import apart_of, coin_of, mean_of, tails_of
from bayesnoise_reference.families._columns import correlation_of, variance_by_column
from bayesnoise_reference.families.posterior import PosteriorTrial, of_posterior, scale

_ROWS = 8  # examples of a call whose outputs are drawn


def _away(trial: PosteriorTrial, held: dict[str, Array], calls: int) -> Array:
    """(calls, inputs, outputs): draws of the weights less their means; under flipout, up to signs."""
    eye = np.eye(trial.description.inputs)
    return np.stack([trial.guard.sample(eye) - held["mu"] for _ in range(calls)])


def _lower(covariance: Array, away: Array) -> Array:
    """Vectors of this covariance, made independent and of variance 1."""
    return np.asarray(np.linalg.solve(np.linalg.cholesky(covariance), away[..., None])[..., 0])


def _outputs(trial: PosteriorTrial, held: dict[str, Array], x: Array) -> Array:
    """(n, outputs): the numbers behind the outputs of examples under a factor, whose noise is their own."""
    along = np.einsum("ni,kio->nko", x, held["factor"])
    covariance = np.einsum("nko,nkp->nop", along, along)
    covariance = covariance + (x**2 @ np.exp(2.0 * held["log_sigma"]))[:, :, None] * np.eye(trial.description.outputs)
    return _lower(covariance, trial.guard.sample(x) - x @ held["mu"])


def numbers(trial: PosteriorTrial) -> Array:
    """(draws, rows, columns): standard normal and independent, if the law of the weights is what it should be.

    A direction that is uniform becomes such numbers at a random distance with the law of theirs.
    """
    held, d = trial.load(), trial.description
    if d.kind == "low_rank" and d.draws == "local":
        return np.stack([_outputs(trial, held, trial.rows(_ROWS)) for _ in range(trial.calls)])
    away = _away(trial, held, 4 * trial.calls)
    if d.kind == "low_rank":
        columns = held["factor"].reshape(d.rank, -1)
        covariance = np.diag(np.exp(2.0 * held["log_sigma"]).ravel()) + columns.T @ columns
        return _lower(covariance, away.reshape(len(away), -1)).reshape(away.shape)
    z = away / scale(d.kind, held)
    if d.kind == "radial":
        far = np.sqrt(trial.rng.chisquare(d.inputs * d.outputs, (len(z), 1, 1)))
        z = z / np.maximum(np.linalg.norm(z, axis=(1, 2), keepdims=True), 1e-300) * far
    return z


@of_posterior(
    "law-mean",
    "The weights have their means.",
    catches=("mean-shrunk",),
)
def law_mean(trial: PosteriorTrial) -> Finding:
    """The mean of iid standard normal numbers, times the signs of the means of the weights where there is one each."""
    held, d = trial.load(), trial.description
    if d.kind == "low_rank":
        held = trial.load(factor=0.0)
    away = _away(trial, held, 4 * trial.calls) / scale(d.kind, held) * np.sign(held["mu"])
    if d.kind == "radial":  # one number a call: the noise along its mean
        away, n = np.sum(away * np.abs(held["mu"]), axis=(1, 2)) / np.linalg.norm(held["mu"]), held["mu"].size
        verdict = statistics.catoni(away, 0.0, 1.0 / n, alpha=trial.alpha)
        edges = np.linspace(-5.0, 5.0, BINS + 1) / np.sqrt(n)
        picture = binned(away, lambda v: radial.probability_along(v, n), edges, "scales, along the mean")
        return judged(verdict, f"the noise averages {np.mean(away):+.3f} along the mean; 0 is right", picture)
    return mean_of(trial, away.ravel(), "a weight")


@of_posterior(
    "law-variance",
    "The noise of the weights, with its law undone, has variance 1 in every weight.",
    kinds=("k_tied", "matrix_gaussian", "low_rank"),
    catches=(
        "no-noise",
        "k-tied-first-product",
        "k-tied-product",
        "k-tied-as-variance",
        "matrix-variance-as-deviation",
        "matrix-row-only",
        "matrix-column-only",
        "low-rank-factor-missing",
        "low-rank-diagonal-missing",
        "low-rank-number-per-weight",
    ),
)
def law_variance(trial: PosteriorTrial) -> Finding:
    """The sum of squares, chi-square: of all numbers, and of each weight, or output, where it is furthest off."""
    z = numbers(trial)
    by_output = trial.description.kind == "low_rank" and trial.description.draws == "local"
    columns = z.reshape(-1, z.shape[-1]) if by_output else z.reshape(len(z), -1)
    return variance_by_column(trial, columns, "the noise of the weights, with its law undone,")


@of_posterior(
    "law-shape",
    "The noise of the weights, with its law undone, is Gaussian.",
    catches=("no-noise", "matrix-noise-of-rank-one"),
)
def law_shape(trial: PosteriorTrial) -> Finding:
    """Kolmogorov's test of the standard normal law."""
    z = numbers(trial).ravel()
    fourth = float(np.mean(z**4)) / max(float(np.mean(z**2)) ** 2, 1e-300)
    said = f"the noise, with its law undone, has kurtosis {fourth:.3g}; Gaussian, 3, is right"
    return judged(standard_normal(z, trial.alpha), said, z)


@of_posterior(
    "law-tails",
    "The noise of the weights, with its law undone, is as often far from 0 as it should be.",
    catches=("no-noise", "uniform-noise"),
)
def law_tails(trial: PosteriorTrial) -> Finding:
    """Exact law, binomial: a uniform law of variance 1 has nothing beyond the root of 3."""
    return tails_of(trial, numbers(trial).ravel(), "the noise, with its law undone,")


@of_posterior(
    "outputs-apart",
    "The noise of two outputs, with its law undone, is independent.",
    catches=("eps-shared-across-outputs", "matrix-noise-of-rank-one", "radial-radius-per-row"),
)
def outputs_apart(trial: PosteriorTrial) -> Finding:
    """Correlation of sizes, of iid pairs of standard normal numbers."""
    z = numbers(trial)
    return apart_of(trial, z[:, :, 0].ravel(), z[:, :, 1].ravel(), "the weights of two outputs")


@of_posterior(
    "inputs-apart",
    "The noise of the weights of two inputs, with its law undone, is independent.",
    when=lambda d: d.independent or d.draws == "call",
    catches=("eps-shared-across-inputs",),
)
def inputs_apart(trial: PosteriorTrial) -> Finding:
    """Correlation of sizes, of iid pairs of standard normal numbers."""
    z = numbers(trial)
    return apart_of(trial, z[:, 0].ravel(), z[:, 1].ravel(), "the weights of two inputs")


def _twice(trial: PosteriorTrial) -> tuple[Array, Array]:
    """The numbers behind the outputs of pairs of equal examples, each pair of one law."""
    held, d = trial.load(), trial.description
    if d.kind == "low_rank":
        z = np.concatenate([_outputs(trial, held, np.repeat(trial.rows(_ROWS), 2, axis=0)) for _ in range(trial.calls)])
        return z[::2].ravel(), z[1::2].ravel()
    x = np.repeat(np.eye(d.inputs), 2, axis=0)
    scales = np.repeat(scale(d.kind, held), 2, axis=0)  # the correlation is of iid pairs: no weight may count for more
    z = np.stack([(trial.guard.sample(x) - x @ held["mu"]) / scales for _ in range(trial.calls)])
    return z[:, ::2].ravel(), z[:, 1::2].ravel()


@of_posterior(
    "examples-apart",
    "Every example has noise of its own.",
    when=lambda d: d.draws == "local",
    catches=("zeta-shared-across-batch", "low-rank-shared-across-batch"),
)
def examples_apart(trial: PosteriorTrial) -> Finding:
    """Correlation of iid pairs of independent normal numbers."""
    return correlation_of(trial, *_twice(trial), "the noise of two examples")


@of_posterior(
    "signs-apart",
    "Every example has signs of its own.",
    kinds=("k_tied", "matrix_gaussian"),
    when=lambda d: d.draws == "flipout",
    catches=("signs-shared-across-batch",),
)
def signs_apart(trial: PosteriorTrial) -> Finding:
    """A coin for every input, that of one output."""
    trial.load(mu=0.0)
    eye = np.eye(trial.description.inputs)
    y = np.stack([trial.guard.sample(np.repeat(eye, 2, axis=0)) for _ in range(4 * trial.calls)])
    inputs = trial.rng.integers(len(eye), size=len(y))  # the sign of an output is common to all inputs of an example
    pairs = y.reshape(len(y), len(eye), 2, -1)[np.arange(len(y)), inputs, :, 0]
    return coin_of(trial, pairs[:, 0] * pairs[:, 1], "two equal examples have noise of one sign")


def _distances(trial: PosteriorTrial) -> Array:
    held = trial.load()
    return np.asarray(np.linalg.norm(_away(trial, held, 4 * trial.calls) / scale("radial", held), axis=(1, 2)))


@of_posterior(
    "radius-law",
    "The distance of the weights from their mean, in scales, is the size of one standard normal number.",
    kinds=("radial",),
    catches=(
        "no-noise",
        "radial-not-normalised",
        "radial-normalised-per-row",
        "radial-normalised-per-column",
        "radial-unit-variance",
        "radial-without-radius",
        "radial-radius-of-all",
        "radial-radius-per-row",
        "radial-radius-per-weight",
    ),
)
def radius_law(trial: PosteriorTrial) -> Finding:
    """Kolmogorov's test of the half-normal law."""
    far = _distances(trial)

    def cdf(r: Array) -> Array:
        return np.asarray(erf(np.maximum(r, 0.0) / np.sqrt(2.0)))

    verdict = statistics.law(far, cdf, alpha=trial.alpha)
    said = f"the weights are {np.median(far):.3g} scales from their mean, in the median; 0.674 is right"
    return judged(verdict, said, binned(far, cdf, np.linspace(0.0, 5.0, BINS + 1), "scales from the mean"))


CAUSES = {
    "matrix-noise-of-rank-one": "the noise is a number a row times a number a column: every weight has its own",
    "low-rank-number-per-weight": "the factor's number is drawn for each weight, or output: the correlation is lost",
    "low-rank-shared-across-batch": "all examples share the numbers of the factor, and not the rest of their noise",
    "radial-radius-per-weight": "every weight has a radius of its own: there is one for all",
    "radial-radius-per-row": "every input has a radius of its own: there is one for all",
    "radial-radius-of-all": "the radius is the length of as many normal numbers as weights: it is that of one",
}

CLAIMS = (
    law_mean,
    law_variance,
    law_shape,
    law_tails,
    outputs_apart,
    inputs_apart,
    examples_apart,
    signs_apart,
    radius_law,
)
