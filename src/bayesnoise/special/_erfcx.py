"""The scaled complement of the error function, `erfcx(x) = exp(x^2) erfc(x)`, for x of at least 0.

Below 1/2 one minus the series of `erf`; above, the trapezoidal rule for the integral over t of `x / pi` times
`exp(-t^2) / (x^2 + t^2)`, with the residue at its pole (Chiarella and Reichel 1968), which vanishes beyond `pi / h`.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from bayesnoise._typing import Array

_SPLIT = 0.5
_FACTORS = 15
_STEP, _NODES = 0.5, 13
_POLE = math.pi / _STEP


def scaled_rule(x: Array) -> Array:
    """`exp(x^2)` times the trapezoidal rule, without its residue."""
    inverse = 1.0 / x
    total = inverse
    for n in range(1, _NODES + 1):
        node = (n * _STEP) ** 2
        total = total + 2.0 * math.exp(-node) / (x + node * inverse)  # the square of x may overflow
    return (_STEP / math.pi) * total


def residue(x: Array) -> Array:
    """What the pole adds to `erfc(x)`: to be subtracted from the rule."""
    return 2.0 / array_namespace(x).expm1((2.0 * _POLE) * x)


def erf_series(x: Array, factors: int) -> Array:
    """`sqrt(pi) / 2 * exp(x^2) erf(x) = x (1 + 2x^2/3 (1 + 2x^2/5 (...)))`, all terms of one sign (DLMF 7.6.2)."""
    square, total = x * x, 1.0
    for k in range(factors, 0, -1):
        total = 1.0 + (2.0 / (2 * k + 1)) * square * total
    return x * total


def erfcx(x: Array) -> Array:
    """`exp(x^2) erfc(x)`: 1 at 0, `1 / (sqrt(pi) x)` far out. Relative error 2e-15 in float64."""
    xp = array_namespace(x)
    near, split, pole = x < _SPLIT, xp.full_like(x, _SPLIT), xp.full_like(x, _POLE)
    inner = xp.where(near, x, xp.zeros_like(x))
    below = xp.exp(inner * inner) - (2.0 / math.sqrt(math.pi)) * erf_series(inner, _FACTORS)
    outer = xp.maximum(x, split)
    inside = xp.minimum(outer, pole)
    pole_term = xp.where(outer < _POLE, xp.exp(inside * inside) * residue(inside), xp.zeros_like(x))
    return xp.where(near, below, scaled_rule(outer) - pole_term)
