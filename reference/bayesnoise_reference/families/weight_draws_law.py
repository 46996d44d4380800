"""Claims about the law of drawn weights: its mean, its scales, its directions, its shape, and what is drawn anew.

Draws that are whitened by the exact covariance are independent standard normal numbers, whatever the kind.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged, standard_normal
from bayesnoise_reference.claims.pictured import sides
from bayesnoise_reference.families.weight_draws import DrawsTrial, covariance, of_weight_draws

_SCALES = (
    "draws-variance-as-scale",
    "draws-examples-forgotten",
    "draws-prior-unscaled",
    "draws-no-low-rank",
    "draws-no-diagonal",
    "draws-factor-in-covariance",
    "draws-root-missing",
    "draws-full-diagonal",
    "draws-full-low-rank",
    "draws-second-moment",
)


def _spread(z: Array, alpha: float, what: str) -> Finding:
    """Standard normal numbers by the sum of their squares."""
    verdict = statistics.normal_variance(z.ravel(), 1.0, mean=0.0, alpha=alpha)
    seen = float(np.sqrt(np.mean(z**2)))
    return judged(verdict, f"{what} have {seen:.4g} times the standard deviation that is right", z.ravel())


@of_weight_draws(
    "mean",
    "The mean of the draws is that of the law.",
    catches=("draws-mean-missing", "draws-mean-shrunk"),
)
def mean(trial: DrawsTrial) -> Finding:
    """Along the direction in which a shrunken mean would move the whitened draws: normal, of mean 0 and variance 1."""
    held = trial.load()
    way = trial.whitened(held, 2.0 * held["mean"][None, :])[0]
    along = trial.whitened(held, trial.draws()) @ (way / np.linalg.norm(way))
    verdict = statistics.normal_mean(along, 0.0, 1.0, alpha=trial.alpha)
    share = 1.0 + float(np.mean(along)) / float(np.linalg.norm(way))
    return judged(verdict, f"the mean of the draws is {share:.4g} times that of the law", along)


@of_weight_draws(
    "scale",
    "The draws are as wide as the law.",
    catches=(*_SCALES, "draws-too-wide", "draws-reversed"),
)
def scale(trial: DrawsTrial) -> Finding:
    """The squares of the whitened draws: chi-square, with as many degrees of freedom as there are numbers."""
    held = trial.load()
    return _spread(trial.whitened(held, trial.draws()), trial.alpha, "the draws")


@of_weight_draws(
    "directions",
    "Weights vary together as the covariance says.",
    kinds=("slang", "swag"),
    catches=("draws-marginals-only", "draws-no-low-rank"),
)
def directions(trial: DrawsTrial) -> Finding:
    """Along the directions that the correlations make narrowest and widest, variances are eigenvalues: chi-square."""
    held = trial.load()
    matrix = covariance(trial.description, held)
    sd = np.sqrt(np.diag(matrix))
    values, vectors = np.linalg.eigh(matrix / np.outer(sd, sd))
    ends = [0, -1]
    along = (trial.draws() - held["mean"]) / sd @ vectors[:, ends] / np.sqrt(values[ends])
    return _spread(along, trial.alpha, "along the narrowest and the widest direction the draws")


@of_weight_draws(
    "law",
    "The draws are normal.",
    catches=("draws-heavy-tailed",),
)
def law(trial: DrawsTrial) -> Finding:
    """Kolmogorov's test of all whitened numbers."""
    held = trial.load()
    z = trial.whitened(held, trial.draws()).ravel()
    return judged(standard_normal(z, trial.alpha), "whitened draws against the standard normal law", z)


@of_weight_draws(
    "apart",
    "Every weight has a number of its own.",
    kinds=("diagonal",),
    catches=("draws-shared-by-parameters",),
)
def apart(trial: DrawsTrial) -> Finding:
    """The sum of the whitened numbers of a draw has as many times the variance of one: chi-square."""
    held = trial.load()
    z = trial.whitened(held, trial.draws())
    total = np.sum(z, axis=1) / np.sqrt(trial.description.size)
    return _spread(total, trial.alpha, "sums over the weights of a draw")


@of_weight_draws(
    "rows",
    "The draws of one call are draws of their own.",
    catches=("draws-shared-by-rows",),
)
def rows(trial: DrawsTrial) -> Finding:
    """The correlation of whitened draws that are neighbours."""
    held = trial.load()
    z = trial.whitened(held, trial.draws())
    first, second = z[0::2].ravel(), z[1::2].ravel()
    verdict = statistics.correlation(first, second, alpha=trial.alpha)
    seen = float(np.corrcoef(first, second)[0, 1])
    said = f"neighbouring draws of one call have a correlation of {seen:.3g}; 0 is right"
    return judged(verdict, said, sides(first, second))


@of_weight_draws(
    "follows",
    "The draws are those of the parameters that were loaded last.",
    catches=("draws-stale",),
)
def follows(trial: DrawsTrial) -> Finding:
    """Two sets of parameters, the second with a wider law; then the scale as above."""
    wide = {"diagonal": "curvature", "slang": "diagonal", "swag": "variance"}[trial.description.kind]
    trial.load()
    trial.guard.sample(np.zeros((1, 1)))
    held = trial.load(**{wide: 5.0 if wide == "variance" else 1e-3})
    return _spread(trial.whitened(held, trial.draws()), trial.alpha, "after another load the draws")


@of_weight_draws(
    "prior-share",
    "A weight of which the data say nothing has the law of its prior.",
    kinds=("diagonal",),
    catches=("draws-prior-forgotten", "draws-prior-twice", "draws-prior-as-variance", "draws-prior-unscaled"),
)
def prior_share(trial: DrawsTrial) -> Finding:
    """With a curvature that is nothing beside the prior's share the standard deviation is the prior's: chi-square."""
    d = trial.description
    held = trial.load(curvature=1e-3 / (d.examples * d.prior**2))
    return _spread(trial.whitened(held, trial.draws()), trial.alpha, "without curvature the draws")


CLAIMS = (mean, scale, directions, law, apart, rows, follows, prior_share)
