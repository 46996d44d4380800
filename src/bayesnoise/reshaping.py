"""Changing the shape of an array and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Shape
from bayesnoise.fixed import Fixed

__all__ = ["flatten"]


class FlattenResiduals(NamedTuple):
    x: Array


@dataclass(frozen=True)
class Flatten:
    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, ...) with at least two axes")
        return (x_shape[0], prod(x_shape[1:]))

    def forward(self, x: Array) -> tuple[Array, FlattenResiduals]:
        return array_namespace(x).reshape(x, self.output_shape(x.shape)), FlattenResiduals(x)

    def backward(self, residuals: FlattenResiduals, grad_y: Array) -> Array:
        return array_namespace(grad_y).reshape(grad_y, tuple(residuals.x.shape))


def flatten() -> Fixed:
    """`(n, ...) -> (n, features)`: all axes but the first, in row order. ValueError for fewer than two axes."""
    return Fixed(Flatten())
