"""Random factors of whole units: what they share, and the law behind them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, least_likely, standard_normal
from bayesnoise_reference.claims.pictured import sides
from bayesnoise_reference.families.factors import FactorsTrial, of_factors
from bayesnoise_reference.statistics import Verdict


def _square(e: Array) -> float:
    return float(np.mean(e**2))


def _worst_unit(
    trial: FactorsTrial, test: Callable[..., Verdict], verb: str, of: Callable[[Array], float], right: int
) -> Finding:
    """The least p-value of the units times their number, and what is seen there."""
    e = trial.whitened()
    verdicts = [test(column, alpha=trial.alpha / e.shape[1]) for column in e.T]
    verdict, worst = least_likely(verdicts)
    said = f"the noise behind the factors {verb} {of(e[:, worst]):.4g} in a unit; {right} is right"
    return judged(verdict, said, e[:, worst])


@of_factors(
    "positions",
    "The factor of an example and unit multiplies the input, and is the same at every position.",
    catches=("factors-per-position", "factors-added"),
)
def positions(trial: FactorsTrial) -> Finding:
    """Exact: y over x at one position is y over x at another."""
    trial.load()
    worst = 0.0
    for _ in range(4):
        x = trial.rows(3)
        z = trial.guard.sample(x) / x
        worst = max(worst, float(np.max(np.abs(z - z[:, :, :1]) / (np.abs(z) + np.abs(z[:, :, :1]) + 1e-30))))
    wrong = worst > 16.0 * trial.guard.eps
    said = "differ between positions of an example" if wrong else "are the same at all positions of an example"
    return exact(wrong, f"the factors y / x {said}: by {worst:.2g} of their size; 0 is right", 4)


@of_factors(
    "examples-differ",
    "Two equal rows of a batch have factors of their own.",
    catches=("factors-shared-across-batch", "factors-no-noise"),
)
def examples_differ(trial: FactorsTrial) -> Finding:
    """Exact but for a coincidence of every unit in four calls."""
    trial.load()
    x = np.repeat(trial.rows(1), 2, axis=0)
    calls = [trial.guard.sample(x) for _ in range(4)]
    same = all(np.array_equal(y[0], y[1]) for y in calls)
    return exact(same, f"two equal rows have {'always the same output' if same else 'outputs of their own'}", 4)


@of_factors(
    "law-mean",
    "The noise behind the factors, with its law undone, has mean 0.",
    catches=("structured-mean-zero", "truncated-mean-ignored"),
)
def law_mean(trial: FactorsTrial) -> Finding:
    """The mean of iid standard normal numbers, in the unit where it is furthest off."""
    return _worst_unit(trial, partial(statistics.normal_mean, mean=0.0, sd=1.0), "averages", np.mean, 0)


@of_factors(
    "law-variance",
    "The noise behind the factors, with its law undone, has variance 1 in every unit.",
    catches=(
        "factors-no-noise",
        "structured-alpha-as-sd",
        "structured-rotation-missing",
        "structured-rotation-transposed",
        "structured-not-normalised",
        "structured-one-fewer",
        "structured-shift-missing",
        "truncated-clipped",
        "truncated-scale-as-variance",
        "truncated-log-scale-as-scale",
    ),
)
def law_variance(trial: FactorsTrial) -> Finding:
    """The sum of squares, chi-square, in the unit where it is furthest off."""
    return _worst_unit(trial, partial(statistics.normal_variance, variance=1.0, mean=0.0), "has variance", _square, 1)


@of_factors(
    "law-shape",
    "The noise behind the factors, with its law undone, is Gaussian.",
    catches=("factors-across-calls", "factors-no-noise", "factors-uniform-noise"),
)
def law_shape(trial: FactorsTrial) -> Finding:
    """Kolmogorov's test of the standard normal law."""
    e = trial.whitened().ravel()
    fourth = float(np.mean(e**4)) / max(float(np.mean(e**2)) ** 2, 1e-300)
    said = f"the noise behind the factors has kurtosis {fourth:.3g}; Gaussian, 3, is right"
    return judged(standard_normal(e, trial.alpha), said, e)


@of_factors(
    "units-independent",
    "The noise behind the factors of two units is independent.",
    catches=("factors-one-scalar",),
)
def units_independent(trial: FactorsTrial) -> Finding:
    """Correlation of iid pairs of normal numbers."""
    e = trial.whitened()
    verdict = statistics.correlation(e[:, 0], e[:, 1], alpha=trial.alpha)
    with np.errstate(all="ignore"):
        seen = float(np.corrcoef(e[:, 0], e[:, 1])[0, 1])
    said = f"the noise behind the factors of two units has correlation {seen:.3f}; 0 is right"
    return judged(verdict, said, sides(e[:, 0], e[:, 1]))


@of_factors(
    "support",
    "A truncated factor lies between the exponentials of its bounds, wherever its parameters lie.",
    kinds=("truncated",),
    catches=("truncated-not-cut", "truncated-clipped", "truncated-one-tail"),
)
def support(trial: FactorsTrial) -> Finding:
    """Exact: means up to eight scales outside, and scales as wide as the interval."""
    d, worst = trial.description, 0.0
    bottom, top = np.exp(d.low), np.exp(d.high)
    width = d.high - d.low
    x = np.ones((20, d.units, d.positions))
    for mu, scale in ((d.high + 0.8 * width, 0.1 * width), (d.low - 0.8 * width, 0.1 * width), (d.high, width)):
        trial.load(mu=mu, log_sigma=np.log(scale))
        z = trial.guard.sample(x, finite=False)
        outside = np.where(np.isfinite(z), np.maximum(z / top, bottom / z), np.inf) - 1.0
        inside = np.std(np.log(np.abs(z[np.isfinite(z)]) + 1e-300)) if np.any(np.isfinite(z)) else 0.0
        worst = max(worst, float(np.max(outside)), 1.0 if inside == 0.0 else 0.0)
    wrong = worst > 32.0 * trial.guard.eps * (1.0 + abs(d.low) + abs(d.high))
    return exact(wrong, f"factors stray from [exp(low), exp(high)], or stick to its ends, by {max(worst, 0.0):.2g}", 3)


def _ready(trial: FactorsTrial) -> Array:
    trial.load()
    return trial.rows(8)


CLAIMS = (
    *claims_on_calls(of_factors, _ready, fresh=("factors-across-calls", "factors-no-noise")),
    positions,
    examples_differ,
    law_mean,
    law_variance,
    law_shape,
    units_independent,
    support,
)
