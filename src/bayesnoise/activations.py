"""Activations: one function of each element, with its slope. Each name below is called to get a layer: `relu()`.

Slopes are written as functions of `x`, so that a small one keeps its digits where `y` is near its limit, and no branch
that is not taken overflows: every rule is finite for |x| up to 1e4 in float32, and NaN stays NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, special
from bayesnoise._typing import Array, Shape
from bayesnoise.fixed import Fixed

__all__ = ["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "softplus", "tanh"]


class ElementwiseResiduals(NamedTuple):
    x: Array


@dataclass(frozen=True, repr=False)
class Elementwise:
    """`y = value(x, *constants)`, element by element, with `dy/dx = slope(x, *constants)`."""

    value: Callable[..., Array]
    slope: Callable[..., Array]
    constants: tuple[float, ...] = ()

    def __repr__(self) -> str:
        name = self.value.__name__.removesuffix("_value").lstrip("_")
        return f"{name}({', '.join(str(c) for c in self.constants)})"

    def output_shape(self, x_shape: Shape) -> Shape:
        return tuple(x_shape)

    def forward(self, x: Array) -> tuple[Array, ElementwiseResiduals]:
        return self.value(x, *self.constants), ElementwiseResiduals(x)

    def backward(self, residuals: ElementwiseResiduals, grad_y: Array) -> Array:
        return grad_y * self.slope(residuals.x, *self.constants)


def relu() -> Fixed:
    """`max(x, 0)`, with slope 0 at 0."""
    return Fixed(Elementwise(_relu_value, _relu_slope))


def _relu_value(x: Array) -> Array:
    xp = array_namespace(x)
    return xp.where(x < 0, xp.zeros_like(x), x)  # in this order, so that NaN stays NaN


def _relu_slope(x: Array) -> Array:
    xp = array_namespace(x)
    return xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x))


def leaky_relu(slope: float = 0.01) -> Fixed:
    """`x` above 0 and `slope * x` below it, with that slope at 0. ValueError unless the slope is finite."""
    _checks.finite("slope", slope)
    return Fixed(Elementwise(_leaky_relu_value, _leaky_relu_slope, (slope,)))


def _leaky_relu_value(x: Array, slope: float) -> Array:
    return array_namespace(x).where(x > 0, x, slope * x)


def _leaky_relu_slope(x: Array, slope: float) -> Array:
    xp = array_namespace(x)
    return xp.where(x > 0, xp.ones_like(x), xp.full_like(x, slope))


def elu(alpha: float = 1.0) -> Fixed:
    """`x` above 0 and `alpha * (exp(x) - 1)` below it, with slope `alpha` at 0. ValueError unless alpha is finite.

    Clevert, Unterthiner, Hochreiter 2016, "Fast and Accurate Deep Network Learning by Exponential Linear Units"
    (arXiv 1511.07289), equation 15.
    """
    _checks.finite("alpha", alpha)
    return Fixed(Elementwise(_elu_value, _elu_slope, (alpha,)))


def _not_positive(x: Array) -> Array:
    """`min(x, 0)`, for the branch of an exponential that overflows above."""
    xp = array_namespace(x)
    return xp.where(x > 0, xp.zeros_like(x), x)


def _elu_value(x: Array, alpha: float) -> Array:
    xp = array_namespace(x)
    return xp.where(x > 0, x, alpha * xp.expm1(_not_positive(x)))


def _elu_slope(x: Array, alpha: float) -> Array:
    xp = array_namespace(x)
    return xp.where(x > 0, xp.ones_like(x), alpha * xp.exp(_not_positive(x)))


def gelu(*, approximate: str = "none") -> Fixed:
    """`x Phi(x)`, with Phi the standard normal distribution function; with `approximate="tanh"`, its tanh fit.

    Hendrycks, Gimpel 2016, "Gaussian Error Linear Units" (arXiv 1606.08415), section 2. The fit is within 5e-4 of the
    function. ValueError for another name.
    """
    _checks.one_of("approximate", approximate, ("none", "tanh"))
    if approximate == "tanh":
        return Fixed(Elementwise(_gelu_tanh_value, _gelu_tanh_slope))
    return Fixed(Elementwise(_gelu_value, _gelu_slope))


def _phi(x: Array) -> Array:
    """The standard normal distribution function, to an absolute error of one rounding."""
    return 0.5 + 0.5 * special.erf(math.sqrt(0.5) * x)


def _gelu_value(x: Array) -> Array:
    return x * _phi(x)


def _gelu_slope(x: Array) -> Array:
    density = array_namespace(x).exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return _phi(x) + x * density


# 0.5 (1 + tanh(u)) is sigmoid(2 u), which keeps its accuracy for negative u.
_TANH_SCALE = 2.0 * math.sqrt(2.0 / math.pi)


def _gelu_tanh_argument(x: Array) -> Array:
    return _TANH_SCALE * x * (1.0 + 0.044715 * x * x)


def _gelu_tanh_value(x: Array) -> Array:
    return x * special.sigmoid(_gelu_tanh_argument(x))


def _gelu_tanh_slope(x: Array) -> Array:
    u = _gelu_tanh_argument(x)
    gate = special.sigmoid(u)
    return gate + gate * special.sigmoid(-u) * _TANH_SCALE * x * (1.0 + 3.0 * 0.044715 * x * x)


def silu() -> Fixed:
    """`x sigmoid(x)`. Elfwing, Uchibe, Doya 2018 (arXiv 1702.03118)."""
    return Fixed(Elementwise(_silu_value, _silu_slope))


def _silu_value(x: Array) -> Array:
    return x * special.sigmoid(x)


def _silu_slope(x: Array) -> Array:
    return special.sigmoid(x) * (1.0 + x * special.sigmoid(-x))


def tanh() -> Fixed:
    """`tanh(x)`."""
    return Fixed(Elementwise(_tanh_value, _tanh_slope))


def _tanh_value(x: Array) -> Array:
    return array_namespace(x).tanh(x)


def _tanh_slope(x: Array) -> Array:
    return 4.0 * _sigmoid_slope(2.0 * x)  # 1 - tanh(x)^2 loses its digits where tanh is near 1


def sigmoid() -> Fixed:
    """`1 / (1 + exp(-x))`."""
    return Fixed(Elementwise(_sigmoid_value, _sigmoid_slope))


def _sigmoid_value(x: Array) -> Array:
    return special.sigmoid(x)


def _sigmoid_slope(x: Array) -> Array:
    return special.sigmoid(x) * special.sigmoid(-x)


def softplus() -> Fixed:
    """`log(1 + exp(x))`."""
    return Fixed(Elementwise(_softplus_value, _softplus_slope))


def _softplus_value(x: Array) -> Array:
    return special.softplus(x)


def _softplus_slope(x: Array) -> Array:
    return special.sigmoid(x)
