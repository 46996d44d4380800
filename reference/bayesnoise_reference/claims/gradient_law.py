"""The law of the gradient of a scale under a loss linear in the output, `sum(g y)`: exactly normal in each design.

At an impulse it is `g eps` under every estimator, and independent across weights and calls. On a dense row it tells the
estimators apart: a drawn output carries less variance into it than drawn weights do.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.gradients import NEEDS, loss
from bayesnoise_reference.claims.judge import judged, standard_normal
from bayesnoise_reference.claims.weight_trial import WeightTrial, slope


def _scale_draws(trial: WeightTrial) -> Array:
    """(calls * m,): the standard normal behind the gradient of every scale that a reading sees."""
    d, draws = trial.description, []
    held = trial.without_bias()
    seen = designs.reading(d, trial.rng)
    chain = slope(d, held.rho).ravel()[seen.weight]
    for _ in range(trial.calls):
        g = np.abs(loss(trial, seen.x))  # of one sign, so that a gradient without its sign is seen
        only = np.zeros_like(g)
        only.flat[seen.at] = g.flat[seen.at]
        grad = trial.guard.gradients(seen.x, only)["rho"]
        draws.append(grad.ravel()[seen.weight] / (chain * only.ravel()[seen.at]))
    return np.concatenate(draws)


@of_weights(
    "gradient-scale-mean",
    "The gradient of a scale averages to zero under a linear loss.",
    needs=NEEDS,
    catches=("gradient-scale-sign",),
)
def gradient_scale_mean(trial: WeightTrial) -> Finding:
    """At impulses: iid standard normal draws, one a weight and call."""
    z = _scale_draws(trial)
    sentence = f"the gradient of a scale averages {np.mean(z):+.3f} standard deviations; 0 is right"
    return judged(statistics.normal_mean(z, 0.0, 1.0, alpha=trial.alpha), sentence, z)


@of_weights(
    "gradient-scale-variance",
    "The gradient of a scale has its exact variance.",
    needs=NEEDS,
    catches=(
        "no-noise",
        "gradient-scale-without-chain",
        "gradient-mean-averaged",
        "gradient-scale-zero",
        "signs-zero-one",
    ),
)
def gradient_scale_variance(trial: WeightTrial) -> Finding:
    """The same draws: chi-square."""
    z = _scale_draws(trial)
    sentence = f"the gradient of a scale has {np.mean(z**2):.4g} times the variance that it should have; 1 is right"
    return judged(statistics.normal_variance(z, 1.0, mean=0.0, alpha=trial.alpha), sentence, z)


@of_weights(
    "gradient-scale-law",
    "The gradient of a scale is Gaussian under a linear loss.",
    needs=NEEDS,
    catches=(
        "rademacher-noise",
        "no-noise",
        "gradient-scale-without-chain",
        "gradient-mean-averaged",
        "gradient-scale-zero",
        "gradient-scale-sign",
        "signs-zero-one",
    ),
)
def gradient_scale_law(trial: WeightTrial) -> Finding:
    """The same draws: Kolmogorov's distance."""
    z = _scale_draws(trial)
    sentence = f"the gradient of a scale has {np.mean(np.abs(z) < 1):.3f} of its draws within one sd; .683 is right"
    return judged(standard_normal(z, trial.alpha), sentence, z)


@of_weights(
    "gradient-sum-variance",
    "On a dense row the gradient of a scale has the variance of its estimator.",
    needs=NEEDS,
    families=("dense",),
    catches=(
        "no-noise",
        "gradient-scale-without-chain",
        "gradient-scale-zero",
        "signs-zero-one",
        "gradient-scale-as-shared",
    ),
)
def gradient_sum_variance(trial: WeightTrial) -> Finding:
    """Batch 1: `g x eps` when weights are drawn, and `g zeta x^2 scale / sd(y)`, which is less, when outputs are."""
    d, held, draws = trial.description, trial.without_bias(), []
    for _ in range(trial.calls):
        x = trial.rows(1)
        g = loss(trial, x)
        i = int(trial.rng.integers(d.inputs))
        chain = slope(d, held.rho)[i] * g[0]
        width = np.abs(x[0, i]) * np.ones(d.outputs)
        if d.estimator == "local":
            width = x[0, i] ** 2 * held.scale[i] / np.sqrt(trial.variance(x, held)[0])
        draws.append(trial.guard.gradients(x, g)["rho"][i] / (chain * width))
    z = np.concatenate(draws)
    sentence = f"on a dense row the gradient of a scale has {np.mean(z**2):.4g} times its variance; 1 is right"
    return judged(statistics.normal_variance(z, 1.0, mean=0.0, alpha=trial.alpha), sentence, z)


CLAIMS = (gradient_scale_mean, gradient_scale_variance, gradient_scale_law, gradient_sum_variance)
