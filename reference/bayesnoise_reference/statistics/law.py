"""A whole law against a sample: Kolmogorov-Smirnov, from the exact one-sided law at finite n.

`D+ = sup (F_n - F)` and `D- = sup (F - F_n)` have the same law for every continuous F, known exactly (Birnbaum and
Tingey, Ann. Math. Statist. 22, 1951). Twice its tail bounds that of the greater of the two; the difference is about
2e-4 at p = 0.2 and falls like p^4. Where F has jumps the empirical law is held against both of its limits, and the
bound still holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr, smirnov, smirnovi

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least

_EXACT = 10_000  # above, the sum of n terms costs seconds, and the bound is at most 1.03 times the tail down to 1e-15


def law(
    samples: Any, cdf: Callable[[Any], Any], *, cdf_below: Callable[[Any], Any] | None = None, alpha: float = 1e-6
) -> Verdict:
    """Null: independent draws of the law with this cumulative distribution function, `(n,) -> (n,)`.

    Where the law has jumps, `cdf_below(x)` is `P(X < x)`; without it the law must be continuous. Raises ValueError for
    values of the function outside [0, 1] or that decrease.
    """
    x = np.sort(_checks.sample("samples", samples))
    n = x.size
    at, below = _values("cdf", cdf, x), _values("cdf_below", cdf_below or cdf, x)
    steps = np.arange(1, n + 1) / n
    statistic = max(float(np.max(steps - at)), float(np.max(below - steps + 1.0 / n)), 0.0)
    p = min(1.0, 2.0 * one_sided_tail(n, statistic))
    effect = detectable_distance(n, alpha)
    phrase = f"a distribution function that is {at_least(effect)} off anywhere" if effect <= 1 else "nothing at this n"
    return Verdict(p, None, n, phrase)


def normal_law(samples: Any, mean: float = 0.0, sd: float = 1.0, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws of `N(mean, sd^2)`. Raises ValueError for bad numbers."""
    _checks.finite("mean", mean)
    _checks.positive("sd", sd)
    return law(samples, lambda x: ndtr((x - mean) / sd), alpha=alpha)


def uniform_law(samples: Any, low: float = 0.0, high: float = 1.0, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws, uniform between two numbers. Raises ValueError for bad numbers."""
    _checks.positive("high - low", high - low)
    return law(samples, lambda x: np.clip((x - low) / (high - low), 0.0, 1.0), alpha=alpha)


def one_sided_tail(n: int, distance: float) -> float:
    """`P(D+ >= distance)`, exactly up to n = 10,000, and beyond by Massart's bound `exp(-2 n d^2)`.

    The bound holds for every n where it is at most 1/2 (Ann. Probab. 18, 1990), and twice it is 1 elsewhere.
    """
    if n <= _EXACT:
        return float(smirnov(n, min(distance, 1.0)))
    return math.exp(-2.0 * n * distance**2)


def critical_distance(n: int, alpha: float) -> float:
    """The statistic whose p-value is alpha."""
    return float(smirnovi(n, alpha / 2.0)) if n <= _EXACT else math.sqrt(0.5 * math.log(2.0 / alpha) / n)


def detectable_distance(n: int, alpha: float, miss: float = MISS) -> float:
    """The distance of distribution functions that is missed with probability at most `miss`; above 1 there is none.

    At a point where they differ by d, the test misses only if the sample's share is d minus the critical value away
    from its expectation, which has probability at most `exp(-2 n (..)^2)` (Hoeffding 1963).
    """
    _checks.level(alpha)
    return critical_distance(n, alpha) + math.sqrt(-math.log(miss) / (2.0 * n))


def _values(name: str, cdf: Callable[[Any], Any], x: Any) -> Any:
    values = np.asarray(cdf(x), dtype=np.float64)
    if values.shape != x.shape:
        raise ValueError(f"{name} gave shape {values.shape} for values of shape {x.shape}, expected the same shape")
    if not (np.all((values >= 0) & (values <= 1)) and np.all(np.diff(values) >= -1e-12)):
        raise ValueError(f"{name} gave numbers outside [0, 1] or that decrease, expected a distribution function")
    return values
