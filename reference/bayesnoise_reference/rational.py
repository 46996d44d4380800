"""Linear algebra in fractions: what floats mean, without any rounding, however badly conditioned.

Arrays are NumPy's, of objects. They are small: a fraction takes as long as its digits are many.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array


def fractions(values: Any) -> Array:
    """The numbers that floats stand for, of the same shape."""
    values = np.asarray(values, dtype=np.float64)
    return np.array([Fraction(float(v)) for v in values.ravel()], dtype=object).reshape(values.shape)


def floats(values: Array) -> Array:
    """The nearest floats."""
    return np.array([float(v) for v in values.ravel()], dtype=np.float64).reshape(values.shape)


def product(one: Array, other: Array) -> Array:
    """Of two matrices, also where nothing is summed."""
    rows, columns = one.shape[0], other.shape[1]
    sums = [sum(one[i] * other[:, j], Fraction(0)) for i in range(rows) for j in range(columns)]
    return np.array(sums, dtype=object).reshape(rows, columns)


def solved(matrix: Array, right: Array) -> tuple[Array, Fraction]:
    """X of `matrix X = right`, and the determinant, by elimination; the matrix is positive definite."""
    n, determinant = len(matrix), Fraction(1)
    rows = np.concatenate([matrix, right], axis=1)
    for i in range(n):
        determinant *= rows[i, i]
        rows[i] = rows[i] / rows[i, i]
        for j in range(n):
            if j != i and rows[j, i]:
                rows[j] = rows[j] - rows[j, i] * rows[i]
    return rows[:, n:], determinant


def inverse(matrix: Array) -> tuple[Array, Fraction]:
    """And the determinant."""
    return solved(matrix, fractions(np.eye(len(matrix))))


def diagonal(values: Array) -> Array:
    """The matrix with these numbers on its diagonal."""
    matrix = fractions(np.zeros((len(values), len(values))))
    np.fill_diagonal(matrix, values)
    return matrix


def log(value: Any) -> float:
    """Of a fraction above 0."""
    return math.log(float(value))
