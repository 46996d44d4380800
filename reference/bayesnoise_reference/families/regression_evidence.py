"""Exact claims about the evidence of a linear regression, its bound, the gap between the two, and the divergence."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.families.regression import RegressionTrial, of_regression, on_grid
from bayesnoise_reference.families.regression_mistakes import WRONG_VARIANCE

_EVIDENCE = (
    "regression-evidence-constant",
    "regression-evidence-no-determinant",
    "regression-evidence-at-mean",
    "regression-evidence-averaged",
    "regression-evidence-one-target",
    "regression-evidence-prior-constant",
)
_ELBO = ("regression-elbo-no-spread", "regression-elbo-without-kl", "regression-elbo-is-evidence")
_GAP = (
    "regression-gap-not-halved",
    "regression-gap-sign",
    "regression-gap-reversed",
    "regression-gap-to-prior",
)
_KL = (
    "regression-kl-mean-missing",
    "regression-kl-averaged",
    "regression-kl-reversed",
    "regression-kl-constant",
)


@of_regression(
    "evidence",
    "The log evidence is the log density of the data with the weights integrated out, over all targets.",
    needs=("log_evidence",),
    catches=_EVIDENCE,
)
def evidence(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms, against the marginal law of the data in fractions."""
    held, true = trial.load()
    return trial.equal(trial.number("log_evidence"), true.log_evidence, held, "the log evidence")


@of_regression(
    "evidence-without-data",
    "No data have the evidence 1, whose logarithm is 0.",
    needs=("log_evidence",),
    catches=("regression-evidence-prior-constant",),
)
def evidence_without_data(trial: RegressionTrial) -> Finding:
    """Exact, to rounding."""
    held, _ = trial.load(0)
    return trial.equal(trial.number("log_evidence"), 0.0, held, "without data the log evidence")


@of_regression(
    "evidence-ahead",
    "The log evidence is the sum of the log densities of each target, predicted from those before it.",
    needs=("evaluate", "predictive_variance", "log_evidence"),
    kinds=("exact",),
    catches=(
        *_EVIDENCE,
        *WRONG_VARIANCE,
        "regression-examples-averaged",
        "regression-rows-weighted",
        "regression-targets-centered",
        "regression-targets-pooled",
        "regression-independent",
        "regression-evaluation-noisy",
    ),
)
def evidence_ahead(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms: the layer against itself, by the rule of products."""
    held, _ = trial.load()
    right = 0.0
    for n in range(len(held["y"])):
        trial.guard.load(held | {"x": held["x"][:n], "y": held["y"][:n]})
        at = held["x"][n : n + 1]
        square = (held["y"][n] - trial.guard.evaluate(at)[0]) ** 2
        variance = trial.guard.ask("predictive_variance", x=at)[0]
        right -= 0.5 * float(np.sum(square / variance + np.log(2.0 * np.pi * variance)))
    trial.guard.load(held)
    return trial.equal(trial.number("log_evidence"), right, held, "beside the sum of its predictions the log evidence")


@of_regression(
    "elbo",
    "The bound is the expected log-likelihood less the divergence to the prior.",
    needs=("elbo",),
    catches=_ELBO,
)
def elbo(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms, by the moments of the law in fractions."""
    held, true = trial.load()
    return trial.equal(trial.number("elbo"), true.elbo, held, "the bound")


@of_regression(
    "elbo-tight",
    "The bound of the posterior is the log evidence.",
    needs=("elbo", "log_evidence"),
    kinds=("exact",),
    catches=(*_ELBO, *_EVIDENCE),
)
def elbo_tight(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms: the layer against itself."""
    held, _ = trial.load()
    return trial.equal(trial.number("elbo"), trial.number("log_evidence"), held, "beside the log evidence the bound")


@of_regression(
    "elbo-and-gap",
    "The log evidence less the gap is the bound of the best independent law.",
    needs=("elbo", "log_evidence", "gap"),
    kinds=("mean_field",),
    catches=(*_ELBO, *_EVIDENCE, *_GAP),
)
def elbo_and_gap(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms: the layer against itself."""
    held, _ = trial.load()
    right = trial.number("log_evidence") - trial.number("gap")
    return trial.equal(trial.number("elbo"), right, held, "beside the evidence less the gap the bound")


@of_regression(
    "gap",
    "The gap is the divergence from the independent law to the posterior, which is not below 0.",
    needs=("gap",),
    kinds=("mean_field",),
    catches=_GAP,
)
def gap(trial: RegressionTrial) -> Finding:
    """Exact, to rounding, from the determinants in fractions."""
    _, true = trial.load()
    pairs = {"divergence": (np.array([trial.number("gap")]), np.array([true.gap]))}
    return trial.agree(pairs, true, "from the independent law to the posterior the")


@of_regression(
    "gap-orthogonal",
    "With orthogonal columns the posterior is independent, and there is no gap.",
    needs=("gap",),
    kinds=("mean_field",),
    catches=("regression-gap-to-prior",),
)
def gap_orthogonal(trial: RegressionTrial) -> Finding:
    """Exact, to rounding: each row has one number that is not zero."""
    d = trial.description
    one_each = np.tile(np.eye(d.inputs), (3, 1))
    held, _ = trial.load(x=on_grid(one_each * trial.rng.uniform(0.5, 1.5, one_each.shape)))
    return trial.equal(trial.number("gap"), 0.0, held, "with orthogonal columns the gap")


@of_regression(
    "kl",
    "The divergence to the prior is that of the whole law, summed over weights and targets.",
    needs=("kl",),
    catches=_KL,
)
def kl(trial: RegressionTrial) -> Finding:
    """Exact, to the rounding of its terms, by the moments of the law in fractions."""
    held, true = trial.load()
    return trial.equal(trial.guard.kl(), true.kl, held, "the divergence to the prior")


@of_regression(
    "kl-without-data",
    "Without data the divergence to the prior is 0.",
    needs=("kl",),
    catches=("regression-kl-constant",),
)
def kl_without_data(trial: RegressionTrial) -> Finding:
    """Exact, to rounding."""
    held, _ = trial.load(0)
    return trial.equal(trial.guard.kl(), 0.0, held, "without data the divergence to the prior")


CLAIMS = (
    evidence,
    evidence_without_data,
    evidence_ahead,
    elbo,
    elbo_tight,
    elbo_and_gap,
    gap,
    gap_orthogonal,
    kl,
    kl_without_data,
)
