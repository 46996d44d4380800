"""`(x - mean) / sqrt(variance + epsilon)`, with mean and variance of the values at hand, and its backward rule."""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Shape


class Standardised(NamedTuple):
    values: Array  # like x: mean 0, and variance 1 but for epsilon, over the axes
    mean: Array  # like x, of size 1 along the axes
    variance: Array  # like the mean: the mean square of what is left, not an estimate for a population
    inverse_sd: Array  # like the mean


def standardise(x: Array, axes: Shape, epsilon: float) -> Standardised:
    """The values standardised over the axes."""
    xp = array_namespace(x)
    rough = xp.mean(x, axis=axes, keepdims=True)
    centred = x - rough
    missed = xp.mean(centred, axis=axes, keepdims=True)  # where the mean is large its own rounding is
    mean, centred = rough + missed, centred - missed
    variance = xp.mean(centred * centred, axis=axes, keepdims=True)
    inverse_sd = 1.0 / xp.sqrt(variance + epsilon)
    return Standardised(centred * inverse_sd, mean, variance, inverse_sd)


def standardise_backward(standardised: Standardised, grad: Array, axes: Shape) -> Array:
    """The gradient of `x` from that of the values: its parts along 1 and along the values are taken out."""
    xp = array_namespace(grad)
    values, _, _, inverse_sd = standardised
    along_one = xp.mean(grad, axis=axes, keepdims=True)
    along_values = xp.mean(grad * values, axis=axes, keepdims=True)
    return inverse_sd * (grad - along_one - values * along_values)
