"""A normal law cut to an interval: its mass, its moments about a reference, its quantiles and their derivatives.

The reference r is the point of `[low, high]` nearest to the mean m, where the density is largest. With
`c = (r - m) / s`, `w = (t - m) / s = c + e` and the density `exp(-e^2 / 2 - c e)` about it, no number of the size of
`c^2` is left of another: the law holds as far in a tail as it is cut. Sums over it are Gauss-Legendre sums over where
it exceeds e^-37. Ranks are held to rounding, times `c^2` where the mean lies outside. Where `c^2` or the scale itself
leaves the numbers of its dtype, the law is that of the nearest scale at which they do not: it is the same to rounding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from array_api_compat import array_namespace, device
from numpy.polynomial.legendre import leggauss

from bayesnoise._typing import Array
from bayesnoise.special._normal import LOG_ROOT_TAU, mills, ndtr, offset

_POINTS, _WEIGHTS = ([float(v) for v in part] for part in leggauss(64))
_FEW_POINTS, _FEW_WEIGHTS = ([float(v) for v in part] for part in leggauss(8))
_STEPS = 4  # of Newton's method, from an error of 1/8: they leave less than 1e-16
_REACH = 74.0  # twice the logarithm at which the density is left out
_STEEP = 1e4


class Spread(NamedTuple):
    """The law on 64 nodes a number of the parameters, along a last axis."""

    reference: Array  # (...), r
    shift: Array  # (...), c
    nodes: Array  # (..., 64), e
    energy: Array  # (..., 64), minus the logarithm of the density about r: (w^2 - c^2) / 2
    weights: Array  # (..., 64), they sum to 1
    uniform: Array  # (64,), the weights of the uniform law on the same range of e
    log_mass: Array  # (...), the logarithm of the integral of the density about r over e
    width: Array  # (...), of the range of e
    whole: Array  # (...), whether that is the whole interval
    scale: Array  # (...), s as it is held


class Quantile(NamedTuple):
    """A value of the law, and its derivatives at a fixed rank."""

    value: Array
    by_mean: Array
    by_log_scale: Array


def expm1_excess(x: Array) -> Array:
    """`exp(x) - 1 - x`, all of whose digits hold where it is small: there by its series."""
    xp = array_namespace(x)
    near = xp.abs(x) < 0.5
    small, total = xp.where(near, x, xp.zeros_like(x)), 1.0
    for k in range(14, 2, -1):
        total = 1.0 + small / k * total
    return xp.where(near, 0.5 * small * small * total, xp.expm1(x) - x)


def _clip(x: Array, low: float, high: float) -> Array:
    xp = array_namespace(x)
    return xp.minimum(xp.maximum(x, xp.full_like(x, low)), xp.full_like(x, high))


def largest_scale(like: Array) -> float:
    """Whose square is finite: 1e18 in float32."""
    return math.sqrt(float(array_namespace(like).finfo(like.dtype).max)) / 16.0


def held(mean: Array, scale: Array, low: float, high: float) -> Array:
    """The nearest scale with which squares of c and quotients by the scale are finite: in float32 from 1e-36 to 1e18,
    and at least 1e-18 of the distance of the mean from the interval."""
    xp = array_namespace(mean, scale)
    largest = largest_scale(scale)
    least = 4.0 * float(xp.finfo(scale.dtype).smallest_normal) * max(1.0, high - low)
    outside = xp.abs(mean - _clip(mean, low, high)) / largest
    return xp.maximum(_clip(scale, least, largest), outside)


def spread(mean: Array, scale: Array, low: float, high: float) -> Spread:
    """Where the law has its mass, and how much."""
    xp = array_namespace(mean, scale)
    reference, scale = _clip(mean, low, high), held(mean, scale, low, high)
    shift = (reference - mean) / scale
    steep = xp.abs(shift)
    root = xp.where(steep > _STEEP, steep, xp.sqrt(xp.minimum(steep, xp.full_like(steep, _STEEP)) ** 2 + _REACH))
    reach = _REACH / (steep + root)
    first, last = (low - reference) / scale, (high - reference) / scale
    whole = (first >= -reach) & (last <= reach)
    start, stop = xp.maximum(first, -reach), xp.minimum(last, reach)
    width, centre = stop - start, 0.5 * (start + stop)
    points, weights = _rule(_POINTS, mean), _rule(_WEIGHTS, mean)
    nodes = centre[..., None] + (0.5 * width)[..., None] * points
    energy = nodes * (0.5 * nodes + shift[..., None])
    density = xp.exp(-energy) * weights
    total = xp.sum(density, axis=-1)
    log_mass = xp.log(total) + xp.log(0.5 * width)
    return Spread(
        reference, shift, nodes, energy, density / total[..., None], 0.5 * weights, log_mass, width, whole, scale
    )


def _rule(values: list[float], like: Array) -> Array:
    return array_namespace(like).asarray(values, dtype=like.dtype, device=device(like))


def _log_moment(law: Spread, mean: Array, scale: Array, low: float, high: float, power: float) -> Array:
    """`log E exp(power t)`: tilted so, the law is again a cut normal law, its mean further up by `power scale^2`."""
    tilted = spread(mean + power * scale * scale, scale, low, high)
    step = (tilted.reference - law.reference) / scale
    # The exponents of the two densities about their references, `power t - w^2 / 2`, differ by this.
    raised = power * tilted.reference - step * (0.5 * step + law.shift)
    return raised + tilted.log_mass - law.log_mass


def log_moments(mean: Array, scale: Array, low: float, high: float) -> tuple[Array, Array]:
    """`log E z` and `log(E z^2 / (E z)^2)` of `z = exp(t)`, the second at least the smallest normal number."""
    xp = array_namespace(mean, scale)
    law = spread(mean, scale, low, high)
    scale = law.scale
    first, second = (_log_moment(law, mean, scale, low, high, power) for power in (1.0, 2.0))
    excess = second - 2.0 * first
    return first, xp.maximum(excess, xp.full_like(excess, float(xp.finfo(excess.dtype).smallest_normal)))


def _scaled_mass(x: Array, reference: Array) -> Array:
    """`Phi(x) / phi(c)` for c of at most 0 and x of at most c, or of any sign where c is 0."""
    xp = array_namespace(x)
    below = xp.minimum(x, xp.zeros_like(x))
    left = mills(below) * xp.exp(0.5 * (reference - below) * (reference + below))
    above = xp.maximum(x, xp.zeros_like(x))
    right = math.exp(LOG_ROOT_TAU) - mills(-above) * xp.exp(-0.5 * above * above)
    return xp.where(x < 0, left, right)


def _nearly_even(tilt: Array, ratio: Array, share_below: Array, share_above: Array) -> Array:
    """The share of the interval below the value: `u` where the law is uniform, for `exp(-tilt x - (ratio x)^2 / 2)`."""
    xp = array_namespace(tilt, share_below)
    points, weights = _rule(_FEW_POINTS, tilt), _rule(_FEW_WEIGHTS, tilt)

    def mass(start: Array, width: Array) -> Array:
        x = start[..., None] + (0.5 * width)[..., None] * (1.0 + points)
        return 0.5 * width * xp.sum(weights * xp.exp(-x * (tilt[..., None] + 0.5 * ratio[..., None] ** 2 * x)), axis=-1)

    x = share_below + xp.zeros_like(tilt)
    for _ in range(_STEPS):
        missed = share_above * mass(xp.zeros_like(x), x) - share_below * mass(x, 1.0 - x)
        x = _clip(x - missed * xp.exp(x * (tilt + 0.5 * ratio**2 * x)), 0.0, 1.0)
    return x


def transport(mean: Array, scale: Array, low: float, high: float, eps: Array) -> Quantile:
    """The value t with as much of the law below it as the normal law has below `eps`: `mean + scale eps` if nothing is
    cut off. `eps` broadcasts against the parameters.

    With `u = Phi(eps)`, solved from the side on which there is less, so that neither tail loses digits; where the law
    is nearly uniform, from its shares of the interval. By the mean, t changes as `1 - A - B` with
    `A = (1 - u) phi(l) / phi(w)`, `B = u phi(h) / phi(w)` for the standardised ends l and h, and by the logarithm of
    the scale as `s (w - l A - h B)`.
    """
    xp = array_namespace(mean, scale, eps)
    scale = held(mean, scale, low, high)
    share_below, share_above = ndtr(eps), ndtr(-eps)
    far = largest_scale(scale)
    below, above = (_clip((end - mean) / scale, -far, far) for end in (low, high))
    zero = xp.zeros_like(mean)
    left_c, right_c = xp.minimum(above, zero), xp.minimum(-below, zero)
    least = xp.full_like(eps, float(xp.finfo(eps.dtype).smallest_normal))
    from_left = share_above * _scaled_mass(below, left_c) + share_below * _scaled_mass(above, left_c)
    from_right = share_above * _scaled_mass(-below, right_c) + share_below * _scaled_mass(-above, right_c)
    left = (left_c < 0) | ((right_c == 0) & (from_left <= from_right))
    c = xp.where(left, left_c, right_c)
    d = offset(c, xp.log(xp.maximum(xp.where(left, from_left, from_right), least)))
    sign = xp.where(left, xp.ones_like(d), -xp.ones_like(d))
    w = sign * (c + d)
    ratio = (high - low) / scale
    even = (ratio < 0.25) & (xp.abs(below) < 0.5 / ratio)
    ratio = xp.where(even, ratio, zero)
    tilt = xp.where(even, below, zero) * ratio
    x = _nearly_even(tilt, ratio, share_below, share_above)
    from_low = xp.where(even, ratio * x, xp.where(below > 0, -d, w - below))
    from_high = xp.where(even, -ratio * (1.0 - x), xp.where(above < 0, d, w - above))
    raised_low = 0.5 * from_low * (from_low + 2.0 * below)
    raised_high = 0.5 * from_high * (from_high + 2.0 * above)
    by_mean = -(share_above * xp.expm1(raised_low) + share_below * xp.expm1(raised_high))
    near = _clip(mean, low, high) + sign * scale * d
    value = _clip(xp.where(even, low + (high - low) * x, near), low, high)
    at_ends = from_low * share_above * xp.exp(raised_low) + from_high * share_below * xp.exp(raised_high)
    return Quantile(value, by_mean, (value - mean) * by_mean + scale * at_ends)
