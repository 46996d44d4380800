"""A normal law cut to an interval: its mass, its moments about a reference, its quantiles and their derivatives.

The reference r is the point of `[low, high]` nearest to the mean m, where the density is largest. With
`c = (r - m) / s`, `w = (t - m) / s = c + e` and the density `exp(-e^2 / 2 - c e)` about it, no number of the size of
`c^2` is left of another: the law holds as far in a tail as it is cut. Sums over it are Gauss-Legendre sums over where
it exceeds e^-37. Ranks are held to rounding, times `c^2` where the mean lies outside, and over the mass that is left
where the scale is much wider than the interval.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from array_api_compat import array_namespace, device
from numpy.polynomial.legendre import leggauss

from bayesnoise._typing import Array
from bayesnoise.special._normal import LOG_ROOT_TAU, mills, ndtr, offset

_POINTS, _WEIGHTS = ([float(v) for v in part] for part in leggauss(64))
_REACH = 74.0  # twice the logarithm at which the density is left out
_STEEP = 1e4


class Spread(NamedTuple):
    """The law on 64 nodes a number of the parameters, along a last axis."""

    reference: Array  # (...), r
    shift: Array  # (...), c
    nodes: Array  # (..., 64), e
    energy: Array  # (..., 64), minus the logarithm of the density about r: (w^2 - c^2) / 2
    weights: Array  # (..., 64), they sum to 1
    log_mass: Array  # (...), the logarithm of the integral of the density about r over e


class Quantile(NamedTuple):
    """A value of the law, and its derivatives at a fixed rank."""

    value: Array
    by_mean: Array
    by_log_scale: Array


def _clip(x: Array, low: float, high: float) -> Array:
    xp = array_namespace(x)
    return xp.minimum(xp.maximum(x, xp.full_like(x, low)), xp.full_like(x, high))


def spread(mean: Array, scale: Array, low: float, high: float) -> Spread:
    """Where the law has its mass, and how much."""
    xp = array_namespace(mean, scale)
    reference = _clip(mean, low, high)
    shift = (reference - mean) / scale
    steep = xp.abs(shift)
    root = xp.where(steep > _STEEP, steep, xp.sqrt(xp.minimum(steep, xp.full_like(steep, _STEEP)) ** 2 + _REACH))
    reach = _REACH / (steep + root)
    start = xp.maximum((low - reference) / scale, -reach)
    width = xp.minimum((high - reference) / scale, reach) - start
    points, weights = (xp.asarray(v, dtype=mean.dtype, device=device(mean)) for v in (_POINTS, _WEIGHTS))
    nodes = start[..., None] + (0.5 * width)[..., None] * (1.0 + points)
    energy = nodes * (0.5 * nodes + shift[..., None])
    density = xp.exp(-energy) * weights
    total = xp.sum(density, axis=-1)
    return Spread(reference, shift, nodes, energy, density / total[..., None], xp.log(total) + xp.log(0.5 * width))


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


def transport(mean: Array, scale: Array, low: float, high: float, eps: Array) -> Quantile:
    """The value t with as much of the law below it as the normal law has below `eps`: `mean + scale eps` if nothing is
    cut off. `eps` broadcasts against the parameters.

    With `u = Phi(eps)`, solved from the side on which there is less, so that neither tail loses digits. By the mean, t
    changes as `1 - A - B` with `A = (1 - u) phi(l) / phi(w)`, `B = u phi(h) / phi(w)` for the standardised ends l and
    h, and by the logarithm of the scale as `s (w - l A - h B)`.
    """
    xp = array_namespace(mean, scale, eps)
    share_below, share_above = ndtr(eps), ndtr(-eps)
    below, above = (low - mean) / scale, (high - mean) / scale
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
    by_low = share_above * xp.exp(0.5 * (w - below) * (w + below))
    by_high = share_below * xp.exp(0.5 * (w - above) * (w + above))
    by_mean = 1.0 - by_low - by_high
    by_log_scale = scale * (w * by_mean + (w - below) * by_low + (w - above) * by_high)
    return Quantile(_clip(_clip(mean, low, high) + sign * scale * d, low, high), by_mean, by_log_scale)
