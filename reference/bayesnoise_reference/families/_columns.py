"""Findings about tables of numbers that should be standard normal and independent, a column for each weight or unit."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged, least_likely, standard_normal
from bayesnoise_reference.claims.pictured import sides
from bayesnoise_reference.claims.trial import Trial


def variance_by_column(trial: Trial, z: Array, what: str) -> Finding:
    """The sum of squares, chi-square, of `(draws, columns)`, all and each column, where it is furthest off."""
    groups = [z.ravel(), *z.T]
    verdicts = [statistics.normal_variance(g, 1.0, mean=0.0, alpha=trial.alpha / len(groups)) for g in groups]
    verdict, worst = least_likely(verdicts)
    where = "" if worst == 0 else f" in column {worst}"
    said = f"{what} has variance {np.mean(groups[worst] ** 2):.4g}{where}; 1 is right"
    return judged(verdict, said, groups[worst])


def shape_of(trial: Trial, z: Array, what: str) -> Finding:
    """Kolmogorov's test of the standard normal law."""
    z = z.ravel()
    said = f"{what} averages {np.mean(z):+.3g}, and its squares {np.mean(z**2):.3g}; 0 and 1 are right"
    return judged(standard_normal(z, trial.alpha), said, z)


def correlation_of(trial: Trial, one: Array, other: Array, what: str) -> Finding:
    """Of iid pairs of independent normal numbers."""
    one, other = one.ravel(), other.ravel()
    verdict = statistics.correlation(one, other, alpha=trial.alpha)
    with np.errstate(all="ignore"):
        seen = float(np.corrcoef(one, other)[0, 1])
    return judged(verdict, f"{what} has correlation {seen:+.3f}; 0 is right", sides(one, other))
