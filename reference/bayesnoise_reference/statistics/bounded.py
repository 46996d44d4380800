"""The mean of bounded draws, of any law: Hoeffding's and Bennett's inequalities as p-values.

Hoeffding (JASA 58, 1963), theorem 1, for draws between 0 and 1 of mean m:
`P(mean >= a) <= exp(-n kl(a, m))`, `kl(a, m) = a log(a/m) + (1 - a) log((1 - a)/(1 - m))`.
Bennett (JASA 57, 1962), with a variance of at most v and `|X - m| <= b`:
`P(mean - m >= t) <= exp(-n v h(b t / v) / b^2)`, `h(u) = (1 + u) log(1 + u) - u`; it implies Bernstein's inequality.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import xlogy

from bayesnoise_reference.statistics import _checks
from bayesnoise_reference.statistics.verdict import MISS, Verdict, at_least


def bounded_mean(samples: Any, mean: float, lower: float, upper: float, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws between `lower` and `upper` with this mean.

    Raises ValueError for draws outside the bounds, which refute the assumption and not the null.
    """
    x = _within(samples, lower, upper)
    _checks.positive("upper - lower", upper - lower)
    if not lower <= mean <= upper:
        raise ValueError(f"mean is {mean}, expected a number between lower {lower} and upper {upper}")
    width = upper - lower
    share, null = min(max(float(np.mean((x - lower) / width)), 0.0), 1.0), (mean - lower) / width
    p = min(1.0, 2.0 * math.exp(-x.size * _kl(share, null)))
    effects = [e for e in detectable_bounded_shifts(x.size, null, alpha) if e is not None]
    phrase = f"a mean off by {at_least(max(effects) * width)}" if len(effects) == 2 else "nothing at this n"
    if len(effects) == 1:
        phrase = f"a mean off by {at_least(effects[0] * width)} to one side, nothing at this n to the other"
    return Verdict(p, None, x.size, phrase)


def bennett_mean(samples: Any, mean: float, variance: float, bound: float, *, alpha: float = 1e-6) -> Verdict:
    """Null: independent draws with this mean, a variance of at most `variance`, and `|X - mean| <= bound`.

    Raises ValueError for draws beyond the bound, which refute the assumption and not the null.
    """
    _checks.positive("variance", variance)
    _checks.positive("bound", bound)
    x = _within(samples, mean - bound, mean + bound)
    p = min(1.0, 2.0 * math.exp(-x.size * _bennett(abs(float(np.mean(x)) - mean), variance, bound)))
    effect = detectable_bennett_shift(x.size, variance, bound, alpha)
    return Verdict(p, None, x.size, f"a mean off by {at_least(effect)}")


def detectable_bounded_shifts(
    n: int, mean: float, alpha: float, miss: float = MISS
) -> tuple[float | None, float | None]:
    """For draws in [0, 1]: the shifts of the mean, down and up, missed with probability at most `miss`, by the same
    inequality under the alternative; None where there is none."""
    _checks.level(alpha)
    return _shift_up(n, 1.0 - mean, alpha, miss), _shift_up(n, mean, alpha, miss)


def detectable_bennett_shift(n: int, variance: float, bound: float, alpha: float, miss: float = MISS) -> float:
    """The shift missed with probability at most `miss`, where the moved law too has this variance and this bound around
    its own mean."""
    _checks.level(alpha)
    return sum(_bennett_distance(n, variance, bound, chance) for chance in (alpha / 2.0, miss))


def _shift_up(n: int, mean: float, alpha: float, miss: float) -> float | None:
    if mean >= 1.0:
        return None
    target = math.log(2.0 / alpha) / n
    if _kl(1.0, mean) < target:
        return None
    critical = _root(lambda a: _kl(a, mean) - target, mean, 1.0)
    target = -math.log(miss) / n
    found = _root(lambda m: _kl(critical, m) - target, critical, 1.0 - 1e-15)
    return found - mean


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The point where an increasing function reaches 0, never below it by more than rounding; `high` if it does not."""
    if function(high) <= 0:
        return high
    found: Any = brentq(function, low, high, xtol=1e-14)
    return float(found)


def _bennett_distance(n: int, variance: float, bound: float, chance: float) -> float:
    """The t at which Bennett's bound is `chance`."""
    target = -math.log(chance) / n
    top = bound
    while _bennett(top, variance, bound) < target:
        top *= 2.0
    return _root(lambda t: _bennett(t, variance, bound) - target, 0.0, top)


def _kl(a: float, m: float) -> float:
    if (m <= 0 and a > 0) or (m >= 1 and a < 1):
        return math.inf
    return float(xlogy(a, a / m if m > 0 else 1.0) + xlogy(1.0 - a, (1.0 - a) / (1.0 - m) if m < 1 else 1.0))


def _bennett(t: float, variance: float, bound: float) -> float:
    u = bound * t / variance
    return variance * ((1.0 + u) * math.log1p(u) - u) / bound**2


def _within(samples: Any, lower: float, upper: float) -> Any:
    x = _checks.sample("samples", samples)
    slack = 1e-12 * max(abs(lower), abs(upper))
    if np.min(x) < lower - slack or np.max(x) > upper + slack:
        raise ValueError(
            f"samples lie between {np.min(x):g} and {np.max(x):g}, expected between {lower:g} and {upper:g} as stated"
        )
    return x
