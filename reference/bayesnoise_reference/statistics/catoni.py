"""The mean of a heavy-tailed law whose variance is known: Catoni's e-value, valid at every n and at any stopping time.

`phi(u) = log(1 + u + u^2/2)` for u >= 0, odd, satisfies `exp(phi(u)) <= 1 + u + u^2/2`. So, for a mean m and a
variance of at most v, `E_t = exp(sum phi(l (X - m)) - t l^2 v / 2)` has expectation at most 1 and is a supermartingale,
and so is the mean of it with its mirror image (Catoni, Ann. IHP 48, 2012; Wang and Ramdas, SPA 163, 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least


def influence(u: Any) -> Array:
    """`sign(u) log(1 + |u| + u^2/2)`."""
    size = np.abs(np.asarray(u, dtype=np.float64))
    return np.asarray(np.sign(u) * np.log1p(size + 0.5 * size * size))


def catoni(samples: Any, mean: float, variance: float, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws with this mean and a variance of at most `variance`, of any law. Raises ValueError."""
    x = _checks.sample("samples", samples)
    process = CatoniProcess.planned(x.size, mean, variance, alpha).after(x)
    effect = detectable_catoni_shift(x.size, alpha)
    if math.isinf(effect):
        return Verdict(None, process.e, x.size, "nothing at this n")
    phrase = f"a mean off by {at_least(effect)} standard deviations ({at_least(effect * math.sqrt(variance))})"
    return Verdict(None, process.e, x.size, phrase)


@dataclass(frozen=True)
class CatoniProcess:
    """The running product: stop when you like, and reject once `e >= 1/alpha` has been reached (Ville)."""

    mean: float
    variance: float
    rate: float  # l
    log_up: float = 0.0
    log_down: float = 0.0

    @classmethod
    def planned(cls, n: int, mean: float, variance: float, alpha: float) -> CatoniProcess:
        """With the rate that serves best at n draws: `l = sqrt(2 log(2/alpha) / (n v))`. It is valid at any other."""
        _checks.finite("mean", mean)
        _checks.positive("variance", variance)
        return cls(mean, variance, catoni_rate(n, alpha) / math.sqrt(variance))

    def after(self, samples: Any) -> CatoniProcess:
        """With more draws."""
        x = _checks.sample("samples", samples)
        total = float(np.sum(influence(self.rate * (x - self.mean))))
        cost = 0.5 * x.size * self.rate**2 * self.variance
        return CatoniProcess(
            self.mean, self.variance, self.rate, self.log_up + total - cost, self.log_down - total - cost
        )

    @property
    def e(self) -> float:
        """The e-value so far; infinite beyond the range of a float."""
        log_e = float(np.logaddexp(self.log_up, self.log_down)) - math.log(2.0)
        return math.exp(log_e) if log_e < 700 else math.inf


def catoni_rate(n: int, alpha: float) -> float:
    """`l` for a variance of 1."""
    _checks.level(alpha)
    return math.sqrt(2.0 * math.log(2.0 / alpha) / n)


def detectable_catoni_shift(n: int, alpha: float, miss: float = MISS) -> float:
    """The shift of the mean, in standard deviations, missed with probability at most `miss`; infinite where none is.

    Where the variance is no greater than stated: `E exp(-phi(l X)) <= b = 1 - l d + l^2 (1 + d^2) / 2` for a draw of
    mean d, so by Markov `sum phi >= log(miss) - n log b` but for a probability of miss. phi increases, so a greater
    shift is found as well.
    """
    rate = catoni_rate(n, alpha)
    needed = math.log(2.0 / alpha) + 0.5 * n * rate**2 - math.log(miss)
    # b = exp(-needed / n) at the lesser root of u^2 / 2 - u + gap = 0, where u = l d
    gap = 0.5 * rate**2 - math.expm1(-needed / n)
    return 2.0 * gap / (rate * (1.0 + math.sqrt(1.0 - 2.0 * gap))) if gap <= 0.5 else math.inf
