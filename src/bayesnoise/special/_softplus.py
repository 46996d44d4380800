"""The softplus family, `softplus(rho) = log(1 + exp(rho))`, finite wherever its value is.

Written plainly, `log(1 + exp(rho))` overflows for large rho and its logarithm is `-inf` for small rho. Here each
function holds from -1e4 to 1e4 in every precision; below `_TAIL` the logarithm is a series in `t = exp(rho)`.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array

_TAIL = -9.0  # t = 1.2e-4: the first dropped term of the series, t^4, is below the rounding of float64


def softplus(rho: Array) -> Array:
    """`log(1 + exp(rho))`."""
    xp = array_namespace(rho)
    return xp.maximum(rho, xp.zeros_like(rho)) + xp.log1p(xp.exp(-xp.abs(rho)))


def sigmoid(rho: Array) -> Array:
    """`1 / (1 + exp(-rho))`, the derivative of softplus."""
    xp = array_namespace(rho)
    e = xp.exp(-xp.abs(rho))
    return xp.where(rho < 0, e, xp.ones_like(rho)) / (1.0 + e)


def log_sigmoid(rho: Array) -> Array:
    """`-log(1 + exp(-rho))`."""
    return -softplus(-rho)


def log_softplus(rho: Array) -> Array:
    """`log log(1 + exp(rho))`, which tends to `rho` at -inf."""
    xp = array_namespace(rho)
    tail, edge = rho < _TAIL, xp.full_like(rho, _TAIL)
    below = xp.where(tail, rho, edge)
    t = xp.exp(below)
    series = below - t * (0.5 - t * (5.0 / 24.0 - t * 0.125))
    return xp.where(tail, series, xp.log(softplus(xp.where(tail, edge, rho))))


def dlog_softplus(rho: Array) -> Array:
    """`sigmoid(rho) / softplus(rho)`, the derivative of log_softplus, which tends to 1 at -inf."""
    xp = array_namespace(rho)
    tail, edge = rho < _TAIL, xp.full_like(rho, _TAIL)
    t = xp.exp(xp.where(tail, rho, edge))
    series = 1.0 - t * (0.5 - t * (5.0 / 12.0 - t * 0.375))
    above = xp.where(tail, edge, rho)
    return xp.where(tail, series, sigmoid(above) / softplus(above))


def inverse_softplus(value: float) -> float:
    """The `rho` whose softplus is a given Python number; ValueError unless that is finite and above 0."""
    _checks.positive("value", value)
    return value + math.log(-math.expm1(-value))
