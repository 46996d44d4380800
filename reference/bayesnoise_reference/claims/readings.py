"""Findings about draws that were read off an output: standard normal ones, and signs that agree or do not."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import among, exact, judged, size
from bayesnoise_reference.claims.pictured import correlations, outcomes, sides, tosses
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
    said = f"{what} have noise whose sizes have correlation {seen:+.3f}; 0 is right"
    return judged(verdict, said, sides(one, other))


def coin_of(trial: Trial, products: Array, what: str) -> Finding:
    """Whether products of signs, iid, are fair."""
    agree = int(np.sum(products > 0))
    verdict = statistics.coin(agree, products.size, alpha=trial.alpha)
    said = f"{what} in {agree / products.size:.1%} of draws; 50 % is right"
    return judged(verdict, said, outcomes(products > 0, 0.5))


def pairs_apart_of(trial: Trial, draws: Array, what: str, first: int = 0) -> Finding:
    """Whether no two columns of standard normal draws, `(calls, k)`, have sizes that go together.

    The pair that goes together most is judged, with a share of the error for each pair that there is; if `first` is
    given, one of each pair is among the first so many, the other behind them.
    """
    wrong = _unreadable(draws)
    if wrong is not None:
        return wrong
    sizes, k = size(draws), draws.shape[1]
    with np.errstate(all="ignore"):
        seen = np.nan_to_num(np.corrcoef(sizes, rowvar=False), nan=1.0)
    one, other = np.triu_indices(k, 1)
    asked = (one < first) & (other >= first) if first else one < other
    one, other = one[asked], other[asked]
    picture = correlations(seen[one, other], len(sizes))
    worst = np.argmax(np.abs(seen[one, other]))
    one, other = one[worst], other[worst]
    verdict = statistics.correlation(sizes[:, one], sizes[:, other], alpha=trial.alpha / _pairs(k))
    said = f"of all pairs of {what} two have noise whose sizes have correlation {seen[one, other]:+.3f}, the most"
    return judged(among(verdict, _pairs(k)), said, picture)


def pairs_coin_of(trial: Trial, signs: Array, what: str) -> Finding:
    """Whether no two columns of signs, `(calls, k)`, agree more or less often than fair coins: the worst pair."""
    calls, k = signs.shape
    tossed = np.where(signs > 0, 1.0, -1.0)
    agree = ((calls + tossed.T @ tossed) / 2.0)[np.triu_indices(k, 1)]
    seen = round(float(agree[np.argmax(np.abs(agree - calls / 2.0))]))
    verdict = statistics.coin(seen, calls, alpha=trial.alpha / _pairs(k))
    said = f"two of {what} flip together in {seen / calls:.1%} of calls, of all pairs farthest off 50 %"
    return judged(among(verdict, _pairs(k)), said, tosses(agree, calls))


def _pairs(k: int) -> int:
    """Of k columns."""
    return k * (k - 1) // 2
