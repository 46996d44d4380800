"""Which axis of an input counts its units, and the shape of one number an example and unit."""

from __future__ import annotations

from bayesnoise._typing import Shape


def unit_axis(x_shape: Shape, units: int, positions: int, layer: object) -> int:
    """The axis of the units, with `positions` axes behind it; ValueError unless there are as many as the layer has."""
    axis = len(x_shape) - 1 - positions
    if axis < 1 or x_shape[axis] != units:
        after = f" with {positions} axes behind it" if positions else " on the last axis"
        raise ValueError(f"x has shape {tuple(x_shape)}, expected {units} units{after} for {layer}")
    return axis


def per_unit(x_shape: Shape, units: int, positions: int, layer: object) -> Shape:
    """`(n, 1, ..., units, 1, ...)`: one number an example and unit, the same at every position."""
    axis = unit_axis(x_shape, units, positions, layer)
    return (x_shape[0], *(1,) * (axis - 1), units, *(1,) * positions)
