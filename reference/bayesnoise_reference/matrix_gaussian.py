"""The matrix Gaussian `MN(M, U, V)`: `W = M + A E B'` with `U = A A'`, `V = B B'` and `E` of standard normal numbers.

Louizos, Welling 2016, "Structured and Efficient Variational Deep Learning with Matrix Gaussian Posteriors" (arXiv
1603.04733). Covariances are written out over all pairs of weights: `cov(W_ij, W_kl) = U_ik V_jl`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array


def law(mu: Array, log_u: Array, log_v: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each weight for diagonal `U = diag(exp(log_u))`, `V = diag(exp(log_v))`.

    The first index of a weight is its row; its other indices, in the order of memory, number its column.
    """
    rows, columns = len(log_u), len(log_v)
    left, right = np.diag(np.sqrt(np.exp(log_u))), np.diag(np.sqrt(np.exp(log_v)))
    scale = np.zeros((rows, columns), dtype=np.result_type(log_u, log_v))
    for i in range(rows):
        for j in range(columns):
            e = np.zeros((rows, columns))
            e[i, j] = 1.0
            scale[i, j] = (left @ e @ right.T)[i, j]
    return mu, scale.reshape(mu.shape)


def covariance(row_covariance: Array, column_covariance: Array) -> Array:
    """Of `vec W`, row after row: `(i o, i o)`."""
    rows, columns = len(row_covariance), len(column_covariance)
    full = np.zeros((rows * columns, rows * columns), dtype=np.result_type(row_covariance, column_covariance))
    for i in range(rows):
        for j in range(columns):
            for k in range(rows):
                for m in range(columns):
                    full[i * columns + j, k * columns + m] = row_covariance[i, k] * column_covariance[j, m]
    return full


def kl(mean: Any, row_covariance: Any, column_covariance: Any) -> Any:
    """To `MN(0, I, I)`: the paper's closed form, `(tr U tr V + |M|^2 - i o - o log|U| - i log|V|) / 2`."""
    i, o = np.shape(mean)
    log_det_rows = np.log(np.linalg.det(row_covariance))
    log_det_columns = np.log(np.linalg.det(column_covariance))
    traces = np.trace(row_covariance) * np.trace(column_covariance)
    return 0.5 * (traces + np.sum(mean * mean) - i * o - o * log_det_rows - i * log_det_columns)


def two_products(x: Array, mu: Array, log_u: Array, log_v: Array, zeta: Array) -> Array:
    """The output of a dense layer as the paper samples it: `x M + sqrt(x^2 u) sqrt(v)' zeta`, `zeta` like y."""
    row_variance = np.sqrt(np.sum(x * x * np.exp(log_u), axis=1))
    return np.asarray(x @ mu + np.outer(row_variance, np.sqrt(np.exp(log_v))) * zeta)
