"""No correlation in pairs of normals: `1 - r^2` has the beta law ((n - 2)/2, 1/2), exactly.

Fisher, Biometrika 10, 1915. It is enough that the pairs are independent of each other and one of the two variables is
normal and independent of the other. The power is the integral of the density of r under a correlation rho, in closed
form (Hotelling, J. R. Statist. Soc. B 15, 1953, equation 25).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, gammaln, hyp2f1

from bayesnoise_reference.numerics import gauss_legendre
from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least


def correlation(x: Any, y: Any, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent pairs of independent normals, of any means and variances, `(n,), (n,)`.

    A constant variable has probability 0 under the null: p is 0. Raises ValueError for fewer than 3 pairs.
    """
    a, b = _checks.sample("x", x, 3), _checks.sample("y", y, 3)
    if a.size != b.size:
        raise ValueError(f"x has {a.size} values and y {b.size}, expected pairs")
    n = a.size
    a, b = a - np.mean(a), b - np.mean(b)
    norms = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    r = float(np.dot(a, b)) / norms if norms > 0 else 1.0
    p = float(betainc(0.5 * (n - 2), 0.5, max(0.0, 1.0 - r * r)))
    return Verdict(p, None, n, f"a correlation of {at_least(detectable_correlation(n, alpha))}")


def missed_correlation(n: int, rho: float, alpha: float) -> float:
    """The probability that the test of level alpha does not reject normal pairs of correlation rho."""
    rest = float(betaincinv(0.5 * (n - 2), 0.5, alpha))  # 1 - r^2 at the critical r
    critical = math.sqrt(1.0 - rest)
    finest = min(rest / (1.0 + critical), rest / math.sqrt(n))  # the density may rise as fast as that towards the end
    distances = np.append(0.0, 0.25 * finest * 2.0 ** np.arange(60))
    r, weights = gauss_legendre(np.append(-critical, critical - distances[distances < 2.0 * critical]))
    return float(weights @ np.exp(_log_density(r, n, rho)))


def _log_density(r: Any, n: int, rho: float) -> Any:
    gammas = gammaln(n - 1) - gammaln(n - 0.5) + math.log(n - 2) - 0.5 * math.log(2.0 * math.pi)
    powers = 0.5 * (n - 1) * math.log1p(-rho * rho) + 0.5 * (n - 4) * np.log1p(-r * r) - (n - 1.5) * np.log1p(-rho * r)
    return gammas + powers + np.log(hyp2f1(0.5, 0.5, n - 0.5, 0.5 * (1.0 + rho * r)))


@lru_cache(maxsize=256)
def detectable_correlation(n: int, alpha: float, miss: float = MISS) -> float:
    """The correlation that is missed with probability at most `miss`."""
    _checks.level(alpha)

    def excess(z: float) -> float:
        return math.log(max(missed_correlation(n, math.tanh(z), alpha), 1e-300) / miss)

    top = 1.0
    while excess(top) > 0 and top < 18:
        top += 1.0
    if excess(top) > 0:
        return 1.0
    found: Any = brentq(excess, 0.0, top, xtol=1e-9)
    return math.tanh(float(found))
