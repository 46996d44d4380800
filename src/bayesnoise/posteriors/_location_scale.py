"""The rules shared by laws with parameters (location, raw scale): only the function of the raw scale differs."""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates


def log_alpha(mean: Array, log_scale: Array) -> Array:
    """`2 log_scale - log mean^2`: +inf where the mean is 0."""
    xp = array_namespace(mean)
    positive = xp.where(mean == 0, xp.ones_like(mean), xp.abs(mean))
    return xp.where(mean == 0, xp.full_like(mean, math.inf), 2.0 * (log_scale - xp.log(positive)))


def pullback(mean: Array, log_scale: Array, dscale: Array, dlog_scale: Array, grad: Coordinates) -> tuple[Array, Array]:
    """Gradients of the mean and of the raw scale, given the derivatives of scale and log scale by the raw scale."""
    xp = array_namespace(mean)
    grad_mean, grad_raw = xp.zeros_like(mean), xp.zeros_like(mean)
    if grad.mean is not None:
        grad_mean = grad_mean + grad.mean
    if grad.scale is not None:
        grad_raw = grad_raw + grad.scale * dscale
    if grad.log_scale is not None:
        grad_raw = grad_raw + grad.log_scale * dlog_scale
    if grad.log_alpha is not None and grad.inverse_alpha is not None:
        grad_raw = grad_raw + 2.0 * grad.log_alpha * dlog_scale
        # -2 slope / mean is 0/0 at mean 0, and mean / scale^2 is inf * 0 at scale 0: each where it is finite.
        below_noise = log_alpha(mean, log_scale) > 0
        limit = 0.5 * math.log(float(xp.finfo(mean.dtype).max)) - 0.5
        inverse_scale = xp.exp(xp.where(-log_scale > limit, xp.full_like(mean, limit), -log_scale))
        safe_mean = xp.where(below_noise, xp.ones_like(mean), mean)
        by_mean = -2.0 * grad.log_alpha / safe_mean
        by_variance = 2.0 * grad.inverse_alpha * (mean * inverse_scale) * inverse_scale
        grad_mean = grad_mean + xp.where(below_noise, by_variance, by_mean)
    return grad_mean, grad_raw
