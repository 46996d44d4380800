"""Weights whose law has a structure: what a draw with given noise is, and what it is between calls."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.posterior import NARROW, PosteriorTrial, of_posterior, output

SCALES = (
    "k-tied-first-product",
    "k-tied-product",
    "k-tied-averaged",
    "k-tied-as-variance",
    "k-tied-variances-added",
    "k-tied-logarithms",
    "matrix-variance-as-deviation",
    "matrix-variances-added",
    "matrix-row-only",
    "matrix-column-only",
    "low-rank-divided-by-root",
    "low-rank-factor-missing",
    "low-rank-diagonal-missing",
    "low-rank-sigma-as-variance",
    "low-rank-one-number",
    "radial-not-normalised",
    "radial-normalised-per-row",
    "radial-normalised-per-column",
    "radial-unit-variance",
    "radial-without-radius",
    "scale-exp-for-softplus",
)  # what is wrong with the size of the noise, in any draw


@of_posterior(
    "replay",
    "With given noise the output is that of the definition.",
    needs=("sample_with_noise",),
    catches=("mean-shrunk", "low-rank-shared-across-batch", *SCALES),
)
def replay(trial: PosteriorTrial) -> Finding:
    """Exact."""
    held, x = trial.load(), trial.rows(3)
    noise = trial.noise(3)
    want = output(trial.description, held, x, noise)
    return compared(trial, {"y": (trial.guard.sample_with_noise(x, noise), want)}, 2e3, "for given noise the output")


@of_posterior(
    "evaluation",
    "Without noise the weights are their means, and the output is the same every time.",
    needs=("evaluate",),
    catches=("evaluation-noisy", "evaluation-scaled", "mean-shrunk"),
)
def evaluation(trial: PosteriorTrial) -> Finding:
    """Exact, twice."""
    held, x = trial.load(), trial.rows(3)
    want = x @ held["mu"]
    first, second = (trial.guard.evaluate(x) for _ in range(2))
    return compared(trial, {"y": (first, want), "y, again,": (second, want)}, 2e3, "without noise the output")


@of_posterior(
    "examples-together",
    "All examples of a call see one draw of the weights, up to signs under flipout.",
    when=lambda d: d.draws != "local",
    catches=("noise-per-example",),
)
def examples_together(trial: PosteriorTrial) -> Finding:
    """Exact: each weight alone, read off two equal examples."""
    held, d = trial.load(), trial.description
    x, worst = np.repeat(np.eye(d.inputs), 2, axis=0), 0.0
    for _ in range(4):
        away = trial.guard.sample(x) - x @ held["mu"]
        away = np.abs(away) if d.draws == "flipout" else away
        size = np.max(np.abs(away)) + np.max(np.abs(held["mu"]))
        worst = max(worst, float(np.max(np.abs(away[::2] - away[1::2]))) / size)
    wrong = worst > 64.0 * trial.guard.eps
    return exact(
        wrong, f"equal examples of a call see weights that differ by {worst:.2g} of the largest; 0 is right", 4
    )


@of_posterior(
    "narrow",
    "Scales that are nothing beside any rounding leave the weights at their means.",
    catches=("mean-shrunk", "scale-floor", "k-tied-logarithms"),
)
def narrow(trial: PosteriorTrial) -> Finding:
    """Exact."""
    nothing = {"log_u": NARROW, "log_v": NARROW, "log_sigma": NARROW, "factor": 0.0, "rho": NARROW}
    held, x = trial.load(**nothing), trial.rows(3)
    return compared(trial, {"y": (trial.guard.sample(x), x @ held["mu"])}, 64.0, "with scales of almost 0 the output")


CAUSES = {
    "k-tied-first-product": "only the first of the products makes the scale: it is their sum",
    "k-tied-product": "the products of all ranks are multiplied: they are added",
    "k-tied-averaged": "the products are averaged over the ranks: they are added",
    "k-tied-as-variance": "the sum of the products is used as a variance: it is a standard deviation",
    "k-tied-variances-added": "the squares of the products are added: the scale is the sum of the products",
    "k-tied-logarithms": "the stored logarithms are multiplied without being exponentiated",
    "matrix-variance-as-deviation": "the product of row and column is used as a standard deviation: it is a variance",
    "matrix-variances-added": "the variances of row and column are added: they are multiplied",
    "matrix-row-only": "the variances of the columns are not used",
    "matrix-column-only": "the variances of the rows are not used",
    "low-rank-divided-by-root": "the factor is divided by the root of the rank, and is not stored so",
    "low-rank-factor-missing": "the factor adds nothing: the weights are independent",
    "low-rank-diagonal-missing": "the diagonal adds nothing: all noise is the factor's",
    "low-rank-sigma-as-variance": "the diagonal's scale is used as a variance",
    "low-rank-one-number": "all ranks of the factor share one number",
    "radial-not-normalised": "the direction is not divided by its length: the law is a Gaussian times a radius",
    "radial-normalised-per-row": "the direction is divided by the length of each row: it is that of all weights",
    "radial-normalised-per-column": "the direction is divided by the length of each column: it is that of all weights",
    "radial-unit-variance": "the direction is multiplied by the root of the number of weights",
    "radial-without-radius": "every draw is at distance 1: the radius is missing",
}


def _ready(trial: PosteriorTrial) -> Array:
    trial.load()
    return trial.rows(3)


CLAIMS = (
    replay,
    evaluation,
    *claims_on_calls(of_posterior, _ready, fresh=("no-noise", "eps-across-calls")),
    examples_together,
    narrow,
)
