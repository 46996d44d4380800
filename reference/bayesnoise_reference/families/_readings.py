"""Findings about draws that were read off an output: standard normal ones, and signs that agree or do not."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, size
from bayesnoise_reference.claims.trial import Trial

_TAIL = 1.7320508  # beyond it a uniform law of variance 1 has nothing, and so has a sign


def _unreadable(z: Array) -> Finding | None:
    if np.all(np.isfinite(z)):
        return None
    return exact(True, "an output is one that no draw of the weights gives", z.size)


def mean_of(trial: Trial, z: Array, what: str) -> Finding:
    """Whether iid standard normal draws have mean 0."""
    verdict = statistics.normal_mean(np.nan_to_num(z), 0.0, 1.0, alpha=trial.alpha)
    said = f"{what} averages {np.mean(z):+.3f} standard deviations from its mean; 0 is right"
    return _unreadable(z) or judged(verdict, said, z)


def variance_of(trial: Trial, z: Array, what: str) -> Finding:
    """Whether iid standard normal draws have variance 1."""
    verdict = statistics.normal_variance(np.nan_to_num(z), 1.0, mean=0.0, alpha=trial.alpha)
    said = f"{what} has {np.mean(z**2):.4g} times the variance that it should have; 1 is right"
    return _unreadable(z) or judged(verdict, said, z)


def tails_of(trial: Trial, z: Array, what: str) -> Finding:
    """Whether iid standard normal draws are as often far from 0 as they should be."""
    beyond, right = int(np.sum(np.abs(z) > _TAIL)), 2.0 * float(ndtr(-_TAIL))
    verdict = statistics.binomial(beyond, z.size, right, alpha=trial.alpha)
    said = f"{what} is beyond {_TAIL:.3f} standard deviations in {beyond / z.size:.1%} of draws; {right:.1%} is right"
    return _unreadable(z) or judged(verdict, said, z)


def apart_of(trial: Trial, one: Array, other: Array, what: str) -> Finding:
    """Whether the sizes of two standard normal draws are uncorrelated, over iid pairs."""
    wrong = _unreadable(one) or _unreadable(other)
    if wrong is not None:
        return wrong
    one, other = size(one), size(other)
    verdict = statistics.correlation(one, other, alpha=trial.alpha)
    seen = np.corrcoef(one, other)[0, 1]
    return judged(verdict, f"{what} have noise whose sizes have correlation {seen:+.3f}; 0 is right")


def coin_of(trial: Trial, products: Array, what: str) -> Finding:
    """Whether products of signs, iid, are fair."""
    agree = int(np.sum(products > 0))
    verdict = statistics.coin(agree, products.size, alpha=trial.alpha)
    return judged(verdict, f"{what} in {agree / products.size:.1%} of draws; 50 % is right")
