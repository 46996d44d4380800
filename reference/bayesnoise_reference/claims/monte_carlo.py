"""A KL that is drawn: `log q(w) - log p(w)` at one draw of the weights, for a Gaussian prior.

With `w = mean + scale eps`, each weight adds `log(s0 / scale) - eps^2 / 2 + (scale eps + mean - m0)^2 / (2 s0^2)`: its
mean is the closed form, its variance is `2 a^2 + b^2` with `a = (scale^2 / s0^2 - 1) / 2` and
`b = scale (mean - m0) / s0^2`, and where posterior and prior are the same law it is 0 whatever was drawn.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.divergence import parts, rounding, value
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.pictured import chi_squares
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial, sigma

_WIDE = 2.0  # times the prior's scale


def _drawn(d: Description) -> bool:
    return d.prior is not None and d.kl_kind == "monte_carlo"


def _variance(d: Description, held: Loaded) -> float:
    """Of one estimate."""
    total = 0.0
    for mean, rho in parts(d, held):
        a = 0.5 * (sigma(d, rho) ** 2 / d.prior_scale**2 - 1.0)
        b = sigma(d, rho) * (mean - d.prior_mean) / d.prior_scale**2
        total += float(np.sum(2.0 * a * a + b * b))
    return total


def _estimates(trial: WeightTrial) -> Array:
    return np.asarray([trial.guard.kl() for _ in range(trial.calls)])


@of_weights(
    "kl-draws-zero-at-prior",
    "Where the posterior is the prior, every estimate of the KL is zero.",
    needs=("kl",),
    when=_drawn,
    catches=("kl-draw-of-another", "kl-prior-variance-as-scale", "kl-prior-mean-ignored"),
)
def kl_draws_zero_at_prior(trial: WeightTrial) -> Finding:
    """Exact: both densities are taken at one and the same draw."""
    d = trial.description
    held = trial.load(mean=d.prior_mean, scale=d.prior_scale, bias=d.prior_mean, bias_scale=d.prior_scale)
    seen = max((trial.guard.kl() for _ in range(4)), key=abs)
    wrong = not abs(seen) <= 64.0 * rounding(trial, held)
    return exact(wrong, f"an estimate of the KL from a posterior to itself is {seen:.4g}; 0 is right", 4)


@of_weights(
    "kl-draws-fresh",
    "Every estimate of the KL has a draw of its own.",
    needs=("kl",),
    when=_drawn,
    catches=("kl-draw-fixed", "kl-draw-at-mean"),
)
def kl_draws_fresh(trial: WeightTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    same = trial.guard.kl() == trial.guard.kl()
    return exact(same, f"two estimates of the KL {'are the same' if same else 'differ'}; they should differ", 2)


@of_weights(
    "kl-draws-mean",
    "Estimates of the KL are unbiased for the closed form.",
    needs=("kl",),
    when=_drawn,
    catches=("kl-sign", "kl-mean", "kl-draw-at-mean", "kl-draw-doubled", "kl-prior-variance-as-scale"),
)
def kl_draws_mean(trial: WeightTrial) -> Finding:
    """Catoni's e-value: the law has heavy tails, and its variance is known exactly."""
    d = trial.description
    held = trial.load()
    seen, right, variance = _estimates(trial), value(d, held), _variance(d, held)
    verdict = statistics.catoni(seen, right, variance, alpha=trial.alpha)
    off = (np.mean(seen) - right) / np.sqrt(variance)
    return judged(verdict, f"estimates of the KL average {off:+.3f} of their deviations from {right:.6g}; 0 is right")


def _chi_square(trial: WeightTrial, n: int) -> Finding:
    """With n scales r times the prior's and everything else at it, an estimate is `(r^2 - 1)/2 chi^2 - n log r`."""
    chi = (_estimates(trial) + n * np.log(_WIDE)) / (0.5 * (_WIDE**2 - 1.0))
    verdict = statistics.law(chi, lambda v: chdtr(n, np.maximum(v, 0.0)), alpha=trial.alpha)
    said = f"estimates of the KL make {np.mean(chi):.4g} of a chi-square law whose mean is {n}"
    return judged(verdict, said, chi_squares(chi, n))


@of_weights(
    "kl-draws-law",
    "About the prior's mean, estimates of the KL have a chi-square law, one degree a weight.",
    needs=("kl",),
    when=_drawn,
    catches=("kl-draw-fixed", "kl-draw-at-mean", "kl-draw-doubled", "kl-mean", "kl-sign", "kl-prior-variance-as-scale"),
)
def kl_draws_law(trial: WeightTrial) -> Finding:
    """Exact law: the weights are wide, the bias is at its prior and adds nothing."""
    d = trial.description
    held = trial.load(mean=d.prior_mean, scale=_WIDE * d.prior_scale, bias=d.prior_mean, bias_scale=d.prior_scale)
    return _chi_square(trial, held.mean.size)


@of_weights(
    "kl-draws-bias",
    "Estimates of the KL have the terms of a random bias.",
    needs=("kl",),
    when=lambda d: _drawn(d) and d.bias == "random",
    catches=(
        "kl-no-bias",
        "kl-draw-fixed",
        "kl-draw-at-mean",
        "kl-draw-doubled",
        "kl-sign",
        "kl-mean",
        "kl-prior-variance-as-scale",
    ),
)
def kl_draws_bias(trial: WeightTrial) -> Finding:
    """Exact law: the bias is wide, the weights are at their prior and add nothing."""
    d = trial.description
    held = trial.load(mean=d.prior_mean, scale=d.prior_scale, bias=d.prior_mean, bias_scale=_WIDE * d.prior_scale)
    return _chi_square(trial, held.bias.size)


CLAIMS = (kl_draws_zero_at_prior, kl_draws_fresh, kl_draws_mean, kl_draws_law, kl_draws_bias)
