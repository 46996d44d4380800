"""The divergence between two Gaussians of any covariance, from their Cholesky factors: `S = L L'`.

    KL(N(m0, S0) || N(m1, S1)) = (|L1^-1 L0|^2 + |L1^-1 (m0 - m1)|^2 - k) / 2 + sum log L1_ii - sum log L0_ii

No determinant and no inverse is formed. Only the lower triangles are read. For diagonal covariances, `GaussianKL` with
arrays as its prior is the same divergence.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._linalg import diagonal, eye, solve_lower, solve_lower_transposed
from bayesnoise._typing import Array


class MultivariateGaussianGrad(NamedTuple):
    mean: Array  # (k,)
    cholesky: Array  # (k, k), lower triangular


def _check(mean0: Array, cholesky0: Array, mean1: Array, cholesky1: Array) -> None:
    _checks.floating("mean0", mean0)
    if mean0.ndim != 1 or mean0.shape[0] == 0:
        raise ValueError(f"mean0 has shape {tuple(mean0.shape)}, expected one axis with at least one number")
    k = mean0.shape[0]
    for name, x, shape in (("cholesky0", cholesky0, (k, k)), ("mean1", mean1, (k,)), ("cholesky1", cholesky1, (k, k))):
        _checks.floating(name, x)
        _checks.same_kind(name, x, "mean0", mean0)
        _checks.shape(name, x, shape)


def _whitened(mean0: Array, cholesky0: Array, mean1: Array, cholesky1: Array) -> Array:
    """`L1^-1 (L0 | m0 - m1)`: (k, k + 1)."""
    xp = array_namespace(mean0)
    columns = xp.concat([xp.tril(cholesky0), (mean0 - mean1)[:, None]], axis=1)
    return solve_lower(cholesky1, columns)


def multivariate_gaussian_kl(mean0: Array, cholesky0: Array, mean1: Array, cholesky1: Array) -> Array:
    """`KL(N(mean0, L0 L0') || N(mean1, L1 L1'))`: (k,), (k, k), (k,), (k, k) -> ().

    TypeError or ValueError, naming the argument, for a wrong dtype or shape.
    """
    _check(mean0, cholesky0, mean1, cholesky1)
    xp = array_namespace(mean0)
    white = _whitened(mean0, cholesky0, mean1, cholesky1)
    log_ratio = xp.log(xp.abs(diagonal(cholesky1))) - xp.log(xp.abs(diagonal(cholesky0)))
    return 0.5 * (xp.sum(white * white) - mean0.shape[0]) + xp.sum(log_ratio)


def multivariate_gaussian_kl_grad(
    mean0: Array, cholesky0: Array, mean1: Array, cholesky1: Array
) -> MultivariateGaussianGrad:
    """The gradient of the divergence by `mean0` and `cholesky0`; arguments as for the value."""
    _check(mean0, cholesky0, mean1, cholesky1)
    xp, k = array_namespace(mean0), mean0.shape[0]
    solved = solve_lower_transposed(cholesky1, _whitened(mean0, cholesky0, mean1, cholesky1))
    inverse_diagonal = eye(cholesky0) / diagonal(cholesky0)[:, None]
    return MultivariateGaussianGrad(solved[:, k], xp.tril(solved[:, :k]) - inverse_diagonal)
