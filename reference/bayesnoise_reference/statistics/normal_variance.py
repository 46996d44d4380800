"""The variance of independent normal draws: `sum (X - m)^2 / sd^2` is chi-square with n degrees of freedom, exactly.

With the sample mean in the place of m the degrees of freedom are n - 1. The test has two sides of alpha/2 each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import chdtr, chdtrc, chdtri, gammaincinv

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least, at_most


def normal_variance(samples: Any, variance: float, *, mean: float | None = None, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws of `N(mean, variance)`, with any mean where `mean` is None. Raises ValueError."""
    _checks.positive("variance", variance)
    x = _checks.sample("samples", samples, 2 if mean is None else 1)
    degrees = x.size - 1 if mean is None else x.size
    center = float(np.mean(x)) if mean is None else mean
    statistic = float(np.sum((x - center) ** 2)) / variance
    p = min(1.0, 2.0 * min(float(chdtr(degrees, statistic)), float(chdtrc(degrees, statistic))))
    low, high = detectable_sd_ratios(degrees, alpha)
    phrase = f"a standard deviation {at_least(high)} times as large, or {at_most(low)} times"
    return Verdict(p, None, x.size, phrase)


def detectable_sd_ratios(degrees: int, alpha: float, miss: float = MISS) -> tuple[float, float]:
    """The ratios of standard deviations, below and above 1, that are missed with probability at most `miss`."""
    _checks.level(alpha)
    low_critical, high_critical = 2.0 * gammaincinv(0.5 * degrees, alpha / 2.0), chdtri(degrees, alpha / 2.0)
    low_law, high_law = 2.0 * gammaincinv(0.5 * degrees, miss), chdtri(degrees, miss)
    return math.sqrt(low_critical / high_law), math.sqrt(high_critical / low_law)
