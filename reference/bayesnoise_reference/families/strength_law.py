"""The law of noise of learned strength, what it is independent of, and what it does for given numbers."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from bayesnoise_reference import concrete_dropout, dense, information_dropout, statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, standard_normal
from bayesnoise_reference.claims.pictured import BINS, binned, outcomes, sides
from bayesnoise_reference.families.strength import INFORMATION, StrengthTrial, of_strength


@of_strength(
    "relaxed-law",
    "The relaxed mask has the law of the logistic noise behind it.",
    kinds=("concrete",),
    catches=(
        "strength-noise-missing",
        "strength-not-inverted",
        "strength-rate-of-keeping",
        "strength-temperature-missing",
        "strength-temperature-multiplied",
        "strength-mask-rounded",
        "strength-mask-reversed",
    ),
)
def relaxed_law(trial: StrengthTrial) -> Finding:
    """Exact law, Kolmogorov's: what is kept, `1 - z`, is below k where the logit of u is above one number."""
    d, held = trial.description, trial.load()
    p = trial.rate(held)
    kept = np.clip(np.ravel(trial.factors(held)) * (1.0 - p), 0.0, 2.0)
    slack = 8.0 * trial.guard.eps  # near 1 a rounded value stands for an interval of levels

    def below(k: Array) -> Array:
        inside = np.clip(1.0 - k, 1e-300, 1.0)
        return np.where(k >= 1.0, 1.0, expit(logit(p) - d.temperature * logit(inside)))

    verdict = statistics.law(kept, lambda k: below(k + slack), cdf_below=lambda k: below(k - slack), alpha=trial.alpha)
    said = f"a unit is dropped, by half and more, with frequency {np.mean(kept < 0.5):.4f}; {p:.4f} is right"
    return judged(verdict, said, binned(kept, below, np.linspace(0.0, 1.0, BINS + 1), "share of a unit that is kept"))


@of_strength(
    "log-normal-law",
    "The logarithm of the factor is normal with mean 0 and deviation alpha.",
    kinds=INFORMATION,
    catches=(
        "strength-noise-missing",
        "strength-factor-linear",
        "strength-noise-added",
        "strength-alpha-as-variance",
        "strength-alpha-unscaled",
        "strength-alpha-constant",
    ),
)
def log_normal_law(trial: StrengthTrial) -> Finding:
    """Exact law, Kolmogorov's."""
    zeta = np.ravel(trial.standard(trial.load()))
    said = f"standardised logarithms average {np.mean(zeta):+.3f}, with deviation {np.std(zeta):.3f}"
    return judged(standard_normal(zeta, trial.alpha), f"{said}; 0 and 1 are right", zeta)


def _apart(trial: StrengthTrial, what: str, axis: int) -> Finding:
    held = trial.load()
    found = trial.standard(held)
    first, second = (np.take(found, np.arange(start, found.shape[axis] // 2 * 2, 2), axis) for start in (0, 1))
    if trial.description.kind in INFORMATION:
        verdict = statistics.correlation(np.ravel(first), np.ravel(second), alpha=trial.alpha)
        return judged(verdict, f"the noise of two {what} is correlated; 0 is right", sides(first, second))
    p, same = trial.rate(held), first == second
    right = p**2 + (1.0 - p) ** 2
    verdict = statistics.binomial(int(np.sum(same)), same.size, right, alpha=trial.alpha)
    said = f"masks of two {what} agree in {np.mean(same):.4f} of pairs; {right:.4f} is right"
    return judged(verdict, said, outcomes(same, right))


@of_strength(
    "examples-apart",
    "The noise of different examples is independent.",
    catches=("strength-shared-across-batch",),
)
def examples_apart(trial: StrengthTrial) -> Finding:
    """Exact law, of disjoint pairs."""
    return _apart(trial, "examples", 1)


@of_strength(
    "units-apart",
    "The noise of different units is independent.",
    catches=("strength-shared-across-units",),
)
def units_apart(trial: StrengthTrial) -> Finding:
    """Exact law, of disjoint pairs."""
    return _apart(trial, "units", 2)


@of_strength(
    "replay",
    "Given its noise, the output is that of the definition.",
    needs=("sample_with_noise",),
    catches=(
        "strength-noise-missing",
        "strength-not-inverted",
        "strength-rate-of-keeping",
        "strength-temperature-missing",
        "strength-temperature-multiplied",
        "strength-mask-rounded",
        "strength-mask-reversed",
        "strength-factor-linear",
        "strength-noise-added",
        "strength-alpha-as-variance",
        "strength-alpha-unscaled",
        "strength-alpha-constant",
    ),
)
def replay(trial: StrengthTrial) -> Finding:
    """Exact, with weights of any kind."""
    d, held, x = trial.description, trial.load(diagonal=False), trial.x(6)
    if d.kind == "concrete":
        u = np.round(trial.rng.uniform(0.1, 0.9, x.shape) * 64.0) / 64.0
        masked = concrete_dropout.masked(x, held["logit"], u, d.temperature)
        right, size, noise = dense.output(masked, held["theta"]), np.abs(masked) @ np.abs(held["theta"]), {"u": u}
    else:
        zeta = np.round(trial.rng.standard_normal(x.shape) * 64.0) / 64.0
        h, s, _ = trial.maps(held, x)
        alpha = information_dropout.strength(s, d.least, d.span)
        right = information_dropout.activation(h, d.kind) * np.exp(alpha * zeta)
        size, noise = (np.abs(x) @ np.abs(held["theta"]) + 1.0) * np.exp(alpha * np.abs(zeta)), {"zeta": zeta}
    wrong = bool(np.any(np.abs(trial.guard.sample_with_noise(x, noise) - right) > 4.0 * trial.rounding(size + 1.0)))
    return exact(wrong, f"for given noise the output {'is another' if wrong else 'is right'}", 1)


CLAIMS = (relaxed_law, log_normal_law, examples_apart, units_apart, replay)
