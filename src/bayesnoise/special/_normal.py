"""The standard normal law in its tails: `log Phi`, and its inverse from the logarithm of a probability.

With Mills' ratio `M(x) = Phi(x) / phi(x)` everything is a difference from a reference point c: for `c + d <= 0`

    log(Phi(c + d) / phi(c)) = log M(c + d) - c d - d^2 / 2

holds no large number but that of the answer. The inverse is found from the rational start of Abramowitz and Stegun
(1964), formula 26.2.23, whose error is below 4.5e-4, by two steps of Halley's method, each of which cubes the error.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.special._erfcx import erfcx

LOG_ROOT_TAU = 0.5 * math.log(2.0 * math.pi)
_STEPS = 2


def mills(x: Array) -> Array:
    """`Phi(x) / phi(x)` for x of at most 0, about `-1 / x` far out. Relative error 1e-15 in float64."""
    return math.sqrt(0.5 * math.pi) * erfcx(-math.sqrt(0.5) * x)


def _tail(x: Array) -> Array:
    """`Phi(x)` for x of at most 0."""
    return math.exp(-LOG_ROOT_TAU) * array_namespace(x).exp(-0.5 * x * x) * mills(x)


def ndtr(x: Array) -> Array:
    """`Phi(x)`, the normal distribution function. Its error grows as that of `exp(-x^2 / 2)`: 1e-14 at -8."""
    xp = array_namespace(x)
    tail = _tail(-xp.abs(x))
    return xp.where(x < 0, tail, 1.0 - tail)


def log_ndtr(x: Array) -> Array:
    """`log Phi(x)`: about `-x^2 / 2` at -inf, 0 at +inf. Relative error 1e-15 up to 4 in float64, as `ndtr` beyond."""
    xp = array_namespace(x)
    below = xp.minimum(x, xp.zeros_like(x))
    ratio = xp.maximum(mills(below), xp.full_like(x, float(xp.finfo(x.dtype).smallest_normal)))  # 0 at -inf
    left = xp.log(ratio) - 0.5 * below * below - LOG_ROOT_TAU
    tail = _tail(-xp.abs(x))
    right = xp.where(x < 1.0, xp.log(1.0 - tail), xp.log1p(-tail))  # XLA loses 7 bits of log1p below -0.3
    return xp.where(x < 0, left, right)


def offset(reference: Array, target: Array) -> Array:
    """The `d <= 0` at which `log(Phi(c + d) / phi(c))` is the target, for references c of at most 0.

    The target must not exceed the value at `d = 0`; there rounding may make it so, and 0 is returned.
    """
    xp = array_namespace(reference, target)
    top = xp.full_like(target, -math.log(2.0))
    log_p = xp.minimum(target - 0.5 * reference * reference - LOG_ROOT_TAU, top)
    d = xp.minimum(_start(log_p) - reference, xp.zeros_like(log_p))
    for _ in range(_STEPS):
        ratio = mills(reference + d)
        excess = (xp.log(ratio) - (reference + 0.5 * d) * d) - target
        step = excess * ratio / (1.0 + 0.5 * excess * ((reference + d) * ratio + 1.0))
        d = xp.minimum(d - step, xp.zeros_like(d))
    return d


def _start(log_p: Array) -> Array:
    xp = array_namespace(log_p)
    t = xp.sqrt(-2.0 * log_p)
    near = xp.minimum(t, xp.full_like(t, 1e6))  # beyond, nothing is left of the fraction; its cubes would overflow
    top = 2.515517 + near * (0.802853 + near * 0.010328)
    return top / (1.0 + near * (1.432788 + near * (0.189269 + near * 0.001308))) - t


def ndtri_exp(log_p: Array) -> Array:
    """The x with `log Phi(x) = log_p`, for log probabilities of at most 0: the inverse normal distribution function.

    Errors of 1e-15, relative to x in the tails and absolute between them, and to the change by rounding of `log_p`.
    +inf at 0, -inf at -inf, NaN above 0.
    """
    xp = array_namespace(log_p)
    zero, half = xp.zeros_like(log_p), xp.full_like(log_p, -math.log(2.0))
    within = (log_p < 0) & xp.isfinite(log_p)
    safe = xp.where(within, log_p, half)
    right = safe > -math.log(2.0)
    tail = xp.where(right, xp.log(-xp.expm1(xp.where(right, safe, half))), safe)
    x = offset(zero, tail + LOG_ROOT_TAU)
    x = xp.where(right, -x, x)
    edge = xp.where(log_p == 0, xp.full_like(x, math.inf), xp.full_like(x, -math.inf))
    edge = xp.where((log_p > 0) | xp.isnan(log_p), xp.full_like(x, math.nan), edge)
    return xp.where(within, x, edge)
