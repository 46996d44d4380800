"""The mean of independent normal draws: exact with the standard deviation known (z) and unknown (Student's t).

`sqrt(n) (mean of X - m) / sd` is standard normal at every n, and with the sample's own standard deviation it is
Student's t with n - 1 degrees of freedom ("The probable error of a mean", Biometrika 6, 1908).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics._chi import chi_nodes
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least


def normal_mean(samples: Any, mean: float, sd: float | None = None, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws of `N(mean, sd^2)`, with any sd where `sd` is None. Raises ValueError for bad numbers."""
    _checks.finite("mean", mean)
    x = _checks.sample("samples", samples, 1 if sd is not None else 2)
    centered = x - mean
    if sd is not None:
        _checks.positive("sd", sd)
        z = math.sqrt(x.size) * float(np.mean(centered)) / sd
        p = 2.0 * float(ndtr(-abs(z)))
    else:
        spread = float(np.std(x, ddof=1))
        shift = abs(float(np.mean(centered)))
        # equal draws have probability 0 under any normal law
        p = 2.0 * float(stdtr(x.size - 1, -math.sqrt(x.size) * shift / spread)) if spread > 0 else 0.0
    effect = detectable_mean_shift(x.size, alpha, known_sd=sd is not None)
    return Verdict(p, None, x.size, f"a mean off by {at_least(effect)} standard deviations")


def detectable_mean_shift(n: int, alpha: float, miss: float = MISS, *, known_sd: bool = True) -> float:
    """The shift of the mean, in standard deviations, that is missed with probability at most `miss`."""
    _checks.level(alpha)
    if known_sd:
        return -float(ndtri(alpha / 2.0) + ndtri(miss)) / math.sqrt(n)
    u, weights = chi_nodes(n - 1)
    critical = -float(stdtrit(n - 1, alpha / 2.0)) / math.sqrt(n - 1)

    def missed(noncentrality: float) -> float:
        return float(np.sum(weights * (ndtr(critical * u - noncentrality) - ndtr(-critical * u - noncentrality))))

    top = 1.0
    while missed(top) > miss:
        top *= 2.0
    found: Any = brentq(lambda d: math.log(max(missed(d), 1e-300) / miss), 0.0, top, xtol=1e-9)
    return float(found) / math.sqrt(n)
