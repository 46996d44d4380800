"""From a statistic to what a claim found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.pictured import Picture, normals
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


def judged(verdict: Verdict, sentence: str, shown: Picture | Array | None = None) -> Finding:
    """A claim decided by a p-value or an e-value, which the run compares with the claim's share of the error.

    `shown` is what was judged, as a picture, or as draws that should be standard normal; none where the law is unknown.
    """
    seen, expected = (None, None) if shown is None else shown if isinstance(shown, Picture) else normals(shown)
    evidence: Any = "e-value" if verdict.p is None else "exact law"
    return Finding(False, sentence, evidence, verdict.p, verdict.e, verdict.n, verdict.detects, seen, expected)


def among(verdict: Verdict, tests: int) -> Verdict:
    """The verdict of the least likely of so many tests, each with its share of the error (Bonferroni)."""
    return verdict._replace(p=min(1.0, tests * (verdict.p or 0.0)))


def least_likely(verdicts: Sequence[Verdict]) -> tuple[Verdict, int]:
    """The verdict of the least p of several, and where it is."""
    at = int(np.argmin([1.0 if v.p is None else v.p for v in verdicts]))
    return among(verdicts[at], len(verdicts)), at


def size(z: Array) -> Array:
    """The size of standard normal draws, as standard normal draws: to see two that differ in sign alone."""
    return np.asarray(ndtri(np.clip(2.0 * ndtr(np.abs(z)) - 1.0, 1e-300, 1.0 - 1e-16)))
