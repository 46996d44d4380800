"""The rules shared by laws with parameters (location, raw scale): only the function of the raw scale differs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates
from bayesnoise.special import dlog_softplus, log_softplus, sigmoid, softplus


class Positive(NamedTuple):
    """A positive function of a raw parameter, elementwise: itself, its logarithm, and the derivatives of both."""

    value: Callable[[Array], Array]
    log: Callable[[Array], Array]
    dvalue: Callable[[Array], Array]
    dlog: Callable[[Array], Array]


def _exp(raw: Array) -> Array:
    return array_namespace(raw).exp(raw)


def _exp_half(raw: Array) -> Array:
    return array_namespace(raw).exp(0.5 * raw)


SOFTPLUS = Positive(softplus, log_softplus, sigmoid, dlog_softplus)
EXP = Positive(_exp, lambda raw: raw, _exp, lambda raw: array_namespace(raw).ones_like(raw))
EXP_HALF = Positive(
    _exp_half,
    lambda raw: 0.5 * raw,
    lambda raw: 0.5 * _exp_half(raw),
    lambda raw: array_namespace(raw).full_like(raw, 0.5),
)


def log_alpha(mean: Array, log_scale: Array) -> Array:
    """`2 log_scale - log mean^2`: +inf where the mean is 0."""
    xp = array_namespace(mean)
    positive = xp.where(mean == 0, xp.ones_like(mean), xp.abs(mean))
    return xp.where(mean == 0, xp.full_like(mean, math.inf), 2.0 * (log_scale - xp.log(positive)))


def pullback(mean: Array, raw: Array, scale: Positive, grad: Coordinates) -> tuple[Array, Array]:
    """Gradients of the mean and of the raw parameter of the scale."""
    xp = array_namespace(mean)
    grad_mean = xp.zeros_like(mean) if grad.mean is None else grad.mean
    grad_raw = xp.zeros_like(raw) if grad.scale is None else grad.scale * scale.dvalue(raw)
    if grad.log_scale is not None:
        grad_raw = grad_raw + grad.log_scale * scale.dlog(raw)
    if grad.log_alpha is not None and grad.inverse_alpha is not None:
        grad_raw = grad_raw + 2.0 * grad.log_alpha * scale.dlog(raw)
        grad_mean = grad_mean + _by_mean(mean, scale.log(raw), grad.log_alpha, grad.inverse_alpha)
    return grad_mean, grad_raw


def _by_mean(mean: Array, log_scale: Array, by_log_alpha: Array, by_inverse_alpha: Array) -> Array:
    """The gradient of the mean through alpha.

    `-2 slope / mean` is 0/0 at mean 0, and `mean / scale^2` is inf * 0 at scale 0: each is used where it is finite.
    """
    xp = array_namespace(mean)
    below_noise = log_alpha(mean, log_scale) > 0
    limit = xp.full_like(mean, 0.5 * math.log(float(xp.finfo(mean.dtype).max)) - 0.5)
    inverse_scale = xp.exp(xp.minimum(-log_scale, limit))
    by_variance = 2.0 * by_inverse_alpha * (mean * inverse_scale) * inverse_scale
    return xp.where(below_noise, by_variance, -2.0 * by_log_alpha / xp.where(below_noise, xp.ones_like(mean), mean))
