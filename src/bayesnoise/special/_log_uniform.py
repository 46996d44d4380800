"""The exact divergence from `N(theta, alpha theta^2)` to the log-uniform prior `p(w) ~ 1 / |w|`.

With `u = 1 / (2 alpha)` and the free constant set so that the divergence is 0 at alpha = inf,

    KL = 2 * integral_0^sqrt(u) D(s) ds = u 2F2(1, 1; 3/2, 2; -u),    dKL/du = D(sqrt u) / sqrt u

with Dawson's D. Kingma, Salimans, Welling 2015 (arXiv 1506.02557) pose it; Hron, Matthews, Ghahramani 2018 (arXiv
1807.01969) give the derivative. The functions are elementwise, in log alpha: exact from -1e4 to 1e4 and at +inf.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.special._dawson import dawson, dawson_ratio, far_product
from bayesnoise.special._log_uniform_series import FAR, MIDDLE, NEAR

_LIMIT = 0.9817550130107118  # euler/2 + log 2
_TO_MIDDLE, _TO_FAR = -math.log(6.0), -math.log(24.0)  # log alpha at u = 3 and at u = 12
_ASYMPTOTIC = -7.2  # log alpha at u = 670: below, Dawson's function is its asymptotic series


def _chebyshev(coefficients: tuple[float, ...], t: Array) -> Array:
    """The series at `t` in [-1, 1], by Clenshaw's recurrence."""
    last = array_namespace(t).zeros_like(t)
    before = last
    for c in reversed(coefficients[1:]):
        last, before = c + 2.0 * t * last - before, last
    return coefficients[0] + t * last - before


def log_uniform_kl(log_alpha: Array) -> Array:
    """The divergence of each weight: about `-log_alpha / 2` at -inf, 0 at +inf. Relative error 4e-16 in float64."""
    xp = array_namespace(log_alpha)
    to_middle, to_far = xp.full_like(log_alpha, _TO_MIDDLE), xp.full_like(log_alpha, _TO_FAR)
    u = 0.5 * xp.exp(-xp.maximum(log_alpha, to_middle))
    near = u * _chebyshev(NEAR, u * (2.0 / 3.0) - 1.0)
    half_log_u = -0.5 * (log_alpha + math.log(2.0))
    u = 0.5 * xp.exp(-xp.minimum(xp.maximum(log_alpha, to_far), to_middle))
    middle = half_log_u + _chebyshev(MIDDLE, (u - 7.5) / 4.5)
    w = 24.0 * xp.exp(xp.minimum(log_alpha, to_far))  # 12 / u
    far = half_log_u + _LIMIT + w * _chebyshev(FAR, 2.0 * w - 1.0)
    return xp.where(log_alpha > _TO_MIDDLE, near, xp.where(log_alpha > _TO_FAR, middle, far))


def _root_u(log_alpha: Array) -> tuple[Array, Array, Array]:
    """Whether u is large, `sqrt(u)` where it is not and alpha where it is, each safe elsewhere."""
    xp = array_namespace(log_alpha)
    far, edge = log_alpha < _ASYMPTOTIC, xp.full_like(log_alpha, _ASYMPTOTIC)
    root = math.sqrt(0.5) * xp.exp(-0.5 * xp.where(far, edge, log_alpha))
    return far, root, xp.exp(xp.where(far, log_alpha, edge))


def log_uniform_slope(log_alpha: Array) -> Array:
    """The derivative by log alpha, `-sqrt(u) D(sqrt u)`: -1/2 at -inf, -0.642 at -1.51, 0 at +inf."""
    far, root, alpha = _root_u(log_alpha)
    return array_namespace(log_alpha).where(far, -0.5 * far_product(alpha), -root * dawson(root))


def log_uniform_slope_by_inverse_alpha(log_alpha: Array) -> Array:
    """The derivative by 1/alpha, `D(sqrt u) / (2 sqrt u)`: 0 at -inf, 1/2 at +inf."""
    far, root, alpha = _root_u(log_alpha)
    return array_namespace(log_alpha).where(far, 0.5 * alpha * far_product(alpha), 0.5 * dawson_ratio(root))
