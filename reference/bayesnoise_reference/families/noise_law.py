"""The law of factors: what values they take and how often, and which of them are independent of which."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, standard_normal
from bayesnoise_reference.claims.pictured import outcomes, sides
from bayesnoise_reference.families.noise import MASKS, NORMAL, NoiseTrial, of_noise, worst
from bayesnoise_reference.families.noise_blocks import coincidence

_SHARED = "noise-shared-across-batch"


@of_noise(
    "values",
    "A factor is 0 or 1 / (1 - rate).",
    kinds=MASKS,
    catches=("noise-missing", "noise-not-inverted", "noise-scale-by-rate", "noise-scale-root", "noise-additive"),
)
def values(trial: NoiseTrial) -> Finding:
    """Exact."""
    trial.load()
    kept = 1.0 / (1.0 - trial.description.rate)
    found = trial.factors()
    off = found[(found != 0.0) & (np.abs(found - kept) > trial.rounding(kept))]
    said = f"a factor is {off[0]:.6g}" if off.size else "every factor is one of its two values"
    return exact(bool(off.size), f"{said}; 0 and {kept:.6g} are right", found.size)


@of_noise(
    "rate",
    "A factor is 0 with the probability that is declared.",
    kinds=MASKS,
    catches=("noise-missing", "noise-rate-as-keep", "noise-additive"),
)
def rate(trial: NoiseTrial) -> Finding:
    """Exact law, binomial: one position of a unit, for the others may share its factor."""
    trial.load()
    dropped = trial.factors()[..., 0] == 0.0
    right = trial.description.rate
    verdict = statistics.binomial(int(np.sum(dropped)), dropped.size, right, alpha=trial.alpha)
    said = f"{np.mean(dropped):.4f} of the factors are 0; {right:.4f} is right"
    return judged(verdict, said, outcomes(dropped, right, ("dropped", "kept")))


@of_noise(
    "normal",
    "A factor is normal, with mean 1 and the variance alpha of its unit.",
    kinds=NORMAL,
    catches=(
        "noise-missing",
        "noise-alpha-as-deviation",
        "noise-mean-zero",
        "noise-factor-clipped",
        "noise-additive",
        "uniform-noise",
        "rademacher-noise",
        "noise-alpha-averaged",
        "noise-alpha-from-rate",
        "noise-log-alpha-as-alpha",
    ),
)
def normal(trial: NoiseTrial) -> Finding:
    """Exact law, Kolmogorov's."""
    z = np.ravel(trial.standard())
    return judged(standard_normal(z, trial.alpha), f"standardised factors average {np.mean(z):+.3f}", z)


@of_noise(
    "variance",
    "The variance of a factor is the alpha of its unit.",
    kinds=NORMAL,
    catches=(
        "noise-missing",
        "noise-alpha-as-deviation",
        "noise-alpha-from-rate",
        "noise-alpha-averaged",
        "noise-log-alpha-as-alpha",
        "noise-additive",
        "noise-across-calls",
    ),
)
def variance(trial: NoiseTrial) -> Finding:
    """Exact law, chi-square, unit by unit."""
    z = trial.standard()
    by_unit = [np.ravel(z[:, :, u]) for u in range(z.shape[2])]
    tests = [statistics.normal_variance(draws, 1.0, alpha=trial.alpha / len(by_unit)) for draws in by_unit]
    verdict, at = worst(tests)
    ratios = [float(np.var(draws)) for draws in by_unit]
    said = f"variances are {min(ratios):.3f} to {max(ratios):.3f} of those declared; 1 is right"
    return judged(verdict, said, by_unit[at])


def _comparable(trial: NoiseTrial) -> Array:
    """Factors of one law: the normal ones standardised."""
    if trial.description.kind in NORMAL:
        return trial.standard()
    trial.load()
    return trial.factors()


def _apart(trial: NoiseTrial, first: Array, second: Array, what: str) -> Finding:
    """Whether pairs of factors, the same position of two of something, are independent."""
    d = trial.description
    if d.kind in NORMAL:
        verdict = statistics.correlation(np.ravel(first), np.ravel(second), alpha=trial.alpha)
        r = float(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]) if np.var(first) * np.var(second) > 0 else 1.0
        return judged(verdict, f"factors of two {what} have correlation {r:+.3f}; 0 is right", sides(first, second))
    if d.kind == "drop_block":
        same, right = np.all((first == 0.0) == (second == 0.0), axis=-1), coincidence(d)
    else:
        same, right = (first == 0.0) == (second == 0.0), d.rate**2 + (1.0 - d.rate) ** 2
        same = same[..., 0] if d.kind == "spatial" else same
    verdict = statistics.binomial(int(np.sum(same)), same.size, right, alpha=trial.alpha)
    said = f"masks of two {what} agree in {np.mean(same):.4f} of pairs; {right:.4f} is right"
    return judged(verdict, said, outcomes(same, right))


@of_noise(
    "examples-apart",
    "Factors of neighbouring examples are independent.",
    catches=(_SHARED, "noise-missing"),
)
def examples_apart(trial: NoiseTrial) -> Finding:
    """Exact law, of disjoint pairs: binomial for masks, Fisher's for normal factors."""
    found = _comparable(trial)
    return _apart(trial, found[:, 0::2], found[:, 1::2], "examples")


@of_noise(
    "units-apart",
    "Factors of neighbouring units are independent.",
    catches=("noise-shared-across-units", "noise-missing", "noise-stratified"),
)
def units_apart(trial: NoiseTrial) -> Finding:
    """Exact law, of disjoint pairs."""
    found = _comparable(trial)
    even = found.shape[2] // 2 * 2
    return _apart(trial, found[:, :, 0:even:2], found[:, :, 1:even:2], "units")


@of_noise(
    "positions-apart",
    "Factors of the first two positions are independent.",
    kinds=("bernoulli", "gaussian", "learned"),
    when=lambda d: np.prod(d.space) > 1,
    catches=("noise-shared-across-positions", "noise-missing"),
)
def positions_apart(trial: NoiseTrial) -> Finding:
    """Exact law, of the first two positions."""
    found = _comparable(trial)
    return _apart(trial, found[..., :1], found[..., 1:2], "positions")


@of_noise(
    "channel-whole",
    "All positions of a channel have one factor.",
    kinds=("spatial",),
    when=lambda d: np.prod(d.space) > 1,
    catches=("noise-per-position",),
)
def channel_whole(trial: NoiseTrial) -> Finding:
    """Exact."""
    trial.load()
    found = trial.factors()
    wrong = bool(np.any(np.abs(found - found[..., :1]) > trial.rounding(found)))
    return exact(wrong, f"a channel has {'several factors' if wrong else 'one factor'}; it should have one", found.size)


CLAIMS = (values, rate, normal, variance, examples_apart, units_apart, positions_apart, channel_whole)
