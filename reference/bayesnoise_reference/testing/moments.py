"""Assertions about means, probabilities and variances. What must be true of the draws stands in the argument names.

    if_normal=True              independent draws of a normal law, of any variance
    if_normal_with_sd=s         the same, with this standard deviation
    if_between=(a, b)           independent draws of any law between two numbers (Hoeffding)
    if_variance_at_most=v       independent draws of any law with at most this variance (Catoni)
      with if_within=b          which moreover are at most b away from the expected mean (Bennett)

Each draws on the current error budget unless `alpha` is given, raises AssertionError with its power when the null is
refuted, ValueError when an assumption is missing or plainly false, and returns the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference.statistics import Verdict
from bayesnoise_reference.statistics._checks import sample
from bayesnoise_reference.testing._decide import decide

_CHOICES = "if_normal, if_normal_with_sd, if_between or if_variance_at_most"


def assert_mean(
    samples: Any,
    mean: float,
    *,
    if_normal: bool = False,
    if_normal_with_sd: float | None = None,
    if_between: tuple[float, float] | None = None,
    if_variance_at_most: float | None = None,
    if_within: float | None = None,
    alpha: float | None = None,
) -> Verdict:
    """The mean of the law of the samples `(n,)` is `mean`, under one of the assumptions above."""
    x = sample("samples", samples)
    assumption, test = _mean_test(if_normal, if_normal_with_sd, if_between, if_variance_at_most, if_within)
    seen = f"the sample mean is {np.mean(x):.6g}"
    return decide("mean", seen, f"{mean:.6g}", assumption, lambda own: test(x, mean, own), alpha)


def assert_unbiased(
    estimates: Any,
    truth: Any,
    *,
    if_normal: bool = False,
    if_normal_with_sd: float | None = None,
    if_between: tuple[float, float] | None = None,
    if_variance_at_most: float | None = None,
    if_within: float | None = None,
    alpha: float | None = None,
) -> Verdict:
    """The expectation of each coordinate of the estimates `(n, *shape)` is the truth `(*shape)`, say a gradient.

    The error is divided among the coordinates. The verdict is that of the coordinate with the strongest evidence.
    """
    x, expected = np.asarray(estimates, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.ndim < 1 or x.shape[1:] != expected.shape or expected.size == 0:
        raise ValueError(f"estimates has shape {x.shape}, expected (n, ...) with the shape {expected.shape} of truth")
    flat, truths = x.reshape(len(x), -1), expected.reshape(-1)
    for draws in flat.T:
        sample("estimates", draws)
    assumption, test = _mean_test(if_normal, if_normal_with_sd, if_between, if_variance_at_most, if_within)
    count = truths.size

    def every_coordinate(own: float) -> Verdict:
        verdicts = [test(flat[:, j], float(truths[j]), own / count) for j in range(count)]
        worst = min(verdicts, key=lambda v: v.p if v.p is not None else -(v.e or 0.0))
        p = None if worst.p is None else min(1.0, count * worst.p)
        e = None if worst.e is None else float(worst.e / count)
        return Verdict(p, e, worst.n, worst.detects)

    errors = np.abs(np.mean(flat, axis=0) - truths)
    if if_normal:  # as the test sees them
        errors = errors / np.maximum(np.std(flat, axis=0), np.finfo(np.float64).tiny)
    j = int(np.argmax(errors))
    index = f" at {tuple(int(i) for i in np.unravel_index(j, expected.shape))}" if expected.shape else ""
    seen = f"the mean of the estimates{index} is {np.mean(flat[:, j]):.6g}"
    what = "unbiased" if count == 1 else f"unbiased in {count} coordinates"
    return decide(what, seen, f"{truths[j]:.6g}", assumption, every_coordinate, alpha)


def assert_probability(outcomes: Any, probability: float, *, alpha: float | None = None) -> Verdict:
    """Independent outcomes `(n,)`, each False or True, are True with this probability. Needs no other assumption."""
    x = sample("outcomes", outcomes)
    if not np.all((x == 0) | (x == 1)):
        raise ValueError("outcomes has values other than 0 and 1, expected booleans: compare before, as in `x > 0`")
    k, n = int(np.sum(x)), x.size
    seen, expected = f"{k} of {n} outcomes are true", f"a probability of {probability:.6g}"
    assumption = "independent outcomes"
    return decide(
        "probability",
        seen,
        expected,
        assumption,
        lambda own: statistics.binomial(k, n, probability, alpha=own),
        alpha,
    )


def assert_variance(
    samples: Any,
    variance: float,
    *,
    if_normal: bool = False,
    if_mean: float | None = None,
    if_between: tuple[float, float] | None = None,
    alpha: float | None = None,
) -> Verdict:
    """The variance of the law of the samples `(n,)` is `variance`, for normal draws, or for bounded ones of known mean.

    `if_normal=True`, with `if_mean=m` where the mean is known as well; or `if_between=(a, b)` together with `if_mean`.
    """
    x = sample("samples", samples)
    center = float(np.mean(x)) if if_mean is None else if_mean
    squares = (x - center) ** 2
    seen = f"the sample variance is {np.sum(squares) / max(1, x.size - (if_mean is None)):.6g}"

    def normal(own: float) -> Verdict:
        return statistics.normal_variance(x, variance, mean=if_mean, alpha=own)

    def bounded(own: float) -> Verdict:
        assert if_between is not None
        largest = max((if_between[0] - center) ** 2, (if_between[1] - center) ** 2)
        return statistics.bounded_mean(squares, variance, 0.0, largest, alpha=own)

    if if_normal and if_between is None:
        about = "" if if_mean is None else f" of mean {if_mean:g}"
        return decide("variance", seen, f"{variance:.6g}", f"independent normal draws{about}", normal, alpha)
    if if_between is None or if_mean is None or if_normal:
        raise ValueError("if_normal is False, expected if_normal=True, or if_between=(a, b) together with if_mean=m")
    if np.min(x) < if_between[0] or np.max(x) > if_between[1]:
        raise ValueError(f"samples lie between {np.min(x):g} and {np.max(x):g}, expected if_between={if_between}")
    assumption = f"independent draws between {if_between[0]:g} and {if_between[1]:g} of mean {if_mean:g}"
    return decide("variance", seen, f"{variance:.6g}", assumption, bounded, alpha)


def _mean_test(
    normal: bool,
    sd: float | None,
    between: tuple[float, float] | None,
    variance: float | None,
    within: float | None,
) -> tuple[str, Callable[[Any, float, float], Verdict]]:
    """The one assumption in words, and the test of `(samples, mean, alpha)` that it allows."""
    given = [normal, sd is not None, between is not None, variance is not None]
    if sum(given) != 1 or (within is not None and variance is None):
        raise ValueError(f"{sum(given)} assumptions were given, expected one of {_CHOICES} (the last with if_within)")
    if normal:
        return "independent normal draws", lambda x, m, a: statistics.normal_mean(x, m, alpha=a)
    if sd is not None:
        words = f"independent normal draws of standard deviation {sd:g}"
        return words, lambda x, m, a: statistics.normal_mean(x, m, sd, alpha=a)
    if between is not None:
        words = f"independent draws between {between[0]:g} and {between[1]:g}"
        return words, lambda x, m, a: statistics.bounded_mean(x, m, between[0], between[1], alpha=a)
    assert variance is not None
    words = f"independent draws of variance at most {variance:g}"
    if within is not None:
        words += f" within {within:g} of the mean"
        return words, lambda x, m, a: statistics.bennett_mean(x, m, variance, within, alpha=a)
    return words, lambda x, m, a: statistics.catoni(x, m, variance, a)
