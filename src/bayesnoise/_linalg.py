"""Linear algebra of small matrices in k steps of array operations: the standard has it as an extension only."""

from __future__ import annotations

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array


def eye(like: Array) -> Array:
    """The identity with as many rows as an array."""
    return array_namespace(like).eye(like.shape[0], dtype=like.dtype, device=device(like))


def diagonal(x: Array) -> Array:
    """The diagonal `(k,)` of a square array."""
    xp = array_namespace(x)
    return xp.sum(xp.where(eye(x) > 0, x, xp.zeros_like(x)), axis=1)


def cholesky_factor(s: Array) -> Array:
    """The lower triangular `L` of a positive definite `S = L L'`: (k, k) -> (k, k), in k steps, NaN if S is not."""
    xp = array_namespace(s)
    columns: list[Array] = []
    for j in range(s.shape[0]):
        column = s[:, j]
        if columns:
            earlier = xp.stack(columns, axis=1)
            column = column - xp.matmul(earlier, earlier[j, :])
        columns.append(column / xp.sqrt(column[j]))
    return xp.tril(xp.stack(columns, axis=1))


def solve_lower(cholesky: Array, b: Array) -> Array:
    """`L^-1 b`: (k, k), (k, n) -> (k, n)."""
    xp = array_namespace(cholesky, b)
    rows: list[Array] = []
    for i in range(cholesky.shape[0]):
        row = b[i, :]
        if rows:
            row = row - xp.matmul(cholesky[i, :i], xp.stack(rows))
        rows.append(row / cholesky[i, i])
    return xp.stack(rows)


def solve_lower_transposed(cholesky: Array, b: Array) -> Array:
    """`L'^-1 b`: (k, k), (k, n) -> (k, n)."""
    xp = array_namespace(cholesky, b)
    rows: list[Array] = []
    for i in range(cholesky.shape[0] - 1, -1, -1):
        row = b[i, :]
        if rows:
            row = row - xp.matmul(cholesky[i + 1 :, i], xp.stack(rows))
        rows.insert(0, row / cholesky[i, i])
    return xp.stack(rows)
