"""From a statistic to what a claim found."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.statistics import Verdict


def exact(refuted: bool, sentence: str, n: int, detects: str = "any difference beyond rounding") -> Finding:
    """A claim without an error of the first kind, but for rounding."""
    return Finding(refuted, sentence, "exact", n=n, detects=detects)


def not_run(why: str) -> Finding:
    """A claim that could not be put."""
    return Finding(False, why, "none")


def standard_normal(draws: Array, alpha: float) -> Verdict:
    """Kolmogorov's test of the standard normal law."""
    return statistics.law(draws, ndtr, alpha=alpha)


def judged(verdict: Verdict, sentence: str, draws: Array | None = None) -> Finding:
    """A claim decided by a p-value or an e-value, which the run compares with the claim's share of the error."""
    seen, expected = (None, None) if draws is None else histogram(draws)
    evidence: Any = "e-value" if verdict.p is None else "exact law"
    return Finding(False, sentence, evidence, verdict.p, verdict.e, verdict.n, verdict.detects, seen, expected)


def histogram(draws: Array) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Shares of the draws in 40 bins from -5 to 5, the outer ones open, and those of a standard normal."""
    edges = np.linspace(-5.0, 5.0, 41)
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    counts = np.histogram(np.clip(draws, -4.999, 4.999), edges)[0]
    bins = edges.tolist()
    return (
        {"edges": bins, "shares": (counts / max(1, draws.size)).tolist()},
        {"edges": bins, "shares": np.diff(ndtr(inner)).tolist()},
    )


def size(z: Array) -> Array:
    """The size of standard normal draws, as standard normal draws: to see two that differ in sign alone."""
    return np.asarray(ndtri(np.clip(2.0 * ndtr(np.abs(z)) - 1.0, 1e-300, 1.0 - 1e-16)))
