"""The k-tied normal: independent Gaussian weights with standard deviations `sigma = U V'`, of rank k.

Swiatkowski et al. 2020, "The k-tied Normal Distribution: A Compact Parameterization of Gaussian Mean Field Posteriors
in Bayesian Neural Networks" (arXiv 2002.02655). Every standard deviation is written out as a sum of products.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def law(mu: Array, log_u: Array, log_v: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each weight; `U = exp(log_u)` is (rows, k), `V = exp(log_v)` (columns, k).

    The first index of a weight is its row; its other indices, in the order of memory with the last running fastest,
    number its column.
    """
    scale = np.zeros(mu.shape, dtype=np.result_type(log_u, log_v))
    for index in np.ndindex(*mu.shape):
        row, column = index[0], 0
        for size, i in zip(mu.shape[1:], index[1:], strict=True):
            column = column * size + i
        for k in range(log_u.shape[1]):
            scale[index] += np.exp(log_u[row, k]) * np.exp(log_v[column, k])
    return mu, scale
