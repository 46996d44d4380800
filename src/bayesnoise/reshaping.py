"""Changing the shape of an array, or leaving out a part of it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.fixed import Fixed

__all__ = ["flatten", "select"]


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


class SelectResiduals(NamedTuple):
    x: Array


@dataclass(frozen=True)
class Select:
    indices: tuple[int, ...]
    features: int

    def __post_init__(self) -> None:
        _checks.positive_integer("features", self.features)
        _checks.integers("indices", self.indices)
        if not all(0 <= i < self.features for i in self.indices) or len(set(self.indices)) < max(1, len(self.indices)):
            raise ValueError(
                f"indices is {self.indices}, expected at least one of 0 to {self.features - 1}, and none twice"
            )

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2 or x_shape[-1] != self.features:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, ..., {self.features})")
        return (*x_shape[:-1], len(self.indices))

    def forward(self, x: Array) -> tuple[Array, SelectResiduals]:
        return taken(x, self.indices, -1), SelectResiduals(x)

    def backward(self, residuals: SelectResiduals, grad_y: Array) -> Array:
        # The adjoint of a gather, as a gather: what was left out finds the column of zeros behind the others.
        xp, last = array_namespace(grad_y), len(self.indices)
        places = {i: place for place, i in enumerate(self.indices)}
        padded = xp.concat([grad_y, xp.zeros_like(residuals.x[..., :1])], axis=-1)
        return taken(padded, tuple(places.get(i, last) for i in range(self.features)), -1)


def taken(x: Array, indices: tuple[int, ...], axis: int) -> Array:
    """The entries of `x` at those indices of an axis."""
    xp = array_namespace(x)
    indexing = xp.__array_namespace_info__().default_dtypes(device=device(x))["indexing"]
    return xp.take(x, xp.asarray(indices, dtype=indexing, device=device(x)), axis=axis)


def select(indices: tuple[int, ...], features: int) -> Fixed:
    """`(n, ..., features) -> (n, ..., len(indices))`: those features, in that order.

    ValueError for no index, one out of range or twice the same; TypeError for what are no integers.
    """
    return Fixed(Select(tuple(indices) if isinstance(indices, list | range) else indices, features))
