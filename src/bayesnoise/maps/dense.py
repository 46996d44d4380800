"""The dense map: `y = x @ w`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.maps.bias import Bias
from bayesnoise.maps.map import Unit


@dataclass(frozen=True)
class Dense:
    """`(n, ..., i), (i, o) -> (n, ..., o)`. Axes between the first and the last are positions that share the weights.

    Raises ValueError unless both sizes are positive integers.
    """

    in_features: int
    out_features: int

    def __post_init__(self) -> None:
        _checks.positive_integer("in_features", self.in_features)
        _checks.positive_integer("out_features", self.out_features)

    @property
    def weight_shape(self) -> Shape:
        return (self.in_features, self.out_features)

    @property
    def initial_sd(self) -> float:
        return 1.0 / sqrt(self.in_features)

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2 or x_shape[-1] != self.in_features:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, ..., {self.in_features}) for {self}")
        return (*x_shape[:-1], self.out_features)

    def unit_shape(self, unit: Unit) -> Shape:
        _checks.one_of("unit", unit, ("weight", "input", "output"))
        return {"weight": self.weight_shape, "input": (self.in_features, 1), "output": (1, self.out_features)}[unit]

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        shared = (1,) * (len(x_shape) - 2)
        return (x_shape[0], *shared, self.in_features), (x_shape[0], *shared, self.out_features)

    def bias(self) -> Bias:
        return Bias(self.out_features, axis=-1)

    def apply(self, x: Array, w: Array) -> Array:
        return array_namespace(x, w).matmul(x, w)

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        return array_namespace(g, w).matmul(g, w.T)

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        xp = array_namespace(g, x)
        rows = prod(x.shape[:-1])
        x2, g2 = xp.reshape(x, (rows, self.in_features)), xp.reshape(g, (rows, self.out_features))
        return xp.matmul(x2.T, g2)
