"""Weights of any shape seen as one matrix: a row for each index of their first axis, a column for each of the rest.

A dense weight `(i, o)` is its own matrix. A convolution's `(o, c, *kernel)` has a row an output channel and a column an
input channel and offset; a transposed convolution's `(c, o, *kernel)` a row an input channel; a bias one column.
"""

from __future__ import annotations

from math import prod

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape


def matrix_shape(weight_shape: Shape) -> tuple[int, int]:
    """The rows and the columns."""
    return weight_shape[0], prod(weight_shape[1:])


def as_matrix(x: Array) -> Array:
    """`(rows, ...) -> (rows, columns)`."""
    return array_namespace(x).reshape(x, matrix_shape(tuple(x.shape)))


def check_rank(rank: int, largest: int, of: object) -> None:
    """Raise TypeError or ValueError unless the rank is an integer from 1 to the largest."""
    _checks.positive_integer("rank", rank)
    if rank > largest:
        raise ValueError(f"rank is {rank}, expected at most {largest}, the largest rank for {of}")
