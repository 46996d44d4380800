"""The bias as a map: `y = x * b`, for an input that is constantly one.

The input has one element an example and the output one an example and feature, so both broadcast over positions: noise
drawn in the shape of `y` is constant over the positions of one example, as a bias is.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.maps.map import Unit


@dataclass(frozen=True)
class Bias:
    """`(n, 1, ..., 1), (o,) -> (n, o, 1, ...)` with `axis=1` (channels), or `(n, 1, ..., o)` with `axis=-1`."""

    features: int
    axis: int

    def __post_init__(self) -> None:
        _checks.positive_integer("features", self.features)
        if self.axis not in (1, -1):
            raise ValueError(f"axis is {self.axis}, expected 1 (channels first) or -1 (features last)")

    @property
    def weight_shape(self) -> Shape:
        return (self.features,)

    @property
    def initial_sd(self) -> float:
        return 0.0

    def _row(self, ndim: int) -> Shape:
        ones = (1,) * (ndim - 2)
        return (1, *ones, self.features) if self.axis == -1 else (1, self.features, *ones)

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2 or any(n != 1 for n in x_shape[1:]):
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, 1, ...), one element an example, for {self}")
        return (x_shape[0], *self._row(len(x_shape))[1:])

    def unit_shape(self, unit: Unit) -> Shape:
        _checks.one_of("unit", unit, ("weight", "input", "output"))
        return (1,) if unit == "input" else (self.features,)

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        return tuple(x_shape), self.output_shape(x_shape)

    def bias(self) -> Bias:
        return self

    def apply(self, x: Array, w: Array) -> Array:
        return x * array_namespace(x, w).reshape(w, self._row(x.ndim))

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        xp = array_namespace(g, w)
        return xp.sum(g * xp.reshape(w, self._row(g.ndim)), axis=self.axis, keepdims=True)

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        axis = self.axis % g.ndim
        return array_namespace(g, x).sum(g * x, axis=tuple(a for a in range(g.ndim) if a != axis))
