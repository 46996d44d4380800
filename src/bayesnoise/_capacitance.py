"""The capacitance matrix of a covariance of low rank beside a diagonal, at scales of any size.

`capacitance` is about `C = I + A A'` with `A = L exp(-s)`, L (k, n) and s (n,), and forms no power of a scale. With
`v_d` the rows of `V = [I; L']` and w_d = 0 for those of I, -s_d for the others, `C = V' diag(exp(2 w)) V`. Let N be the
basis of `_basis`, `tau = V N`, of which the rows of I are N itself, p_j its pivots, and

    Y_jd = exp(2 w_d - 2 w_pj) tau_dj,   G = Y tau,   so that   N' C N = diag(exp(2 w_p)) G

    log det C = 2 sum_j w_pj - 2 log|det N| + log det G,   C^-1 exp(2 w_d) v_d = N G^-1 Y_d

An element of Y is at most `1 / |tau|`, so that nothing overflows, and G is a matrix of the order of 1. This is how
Peters and Wilkinson 1970, "The least squares problem and pseudo-inverses", factorise V, with its scales kept apart: the
errors are those of rounding the k numbers of each weight in L, however far the scales are from each other. Rows of L
that are parallel but for rounding are taken as parallel.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise._linalg import eye
from bayesnoise._typing import Array


class Capacitance(NamedTuple):
    """Of `C = I + A A'`."""

    log_det: Array  # ()
    solved: Array  # (k, n), C^-1 A exp(-s)
    leverage: Array  # (n,), the diagonal of A' C^-1 A


def capacitance(factor: Array, log_scale: Array) -> Capacitance:
    """`A = factor exp(-log_scale)`: (k, n) and (n,), finite; a scale itself may be anything."""
    xp, unit = array_namespace(factor), eye(factor)
    k = factor.shape[0]
    log_weights = xp.concat([xp.zeros_like(unit[0, :]), -log_scale])
    tau, y, log_pivots = _basis(xp.concat([unit, factor], axis=1), log_weights)
    inverse, log_det = _inverse(xp.matmul(y, tau.T))
    leverage = xp.sum(tau[:, k:] * xp.matmul(inverse, y[:, k:]), axis=0)
    solved = xp.matmul(xp.matmul(tau[:, :k].T, inverse), y[:, k:])
    return Capacitance(2.0 * log_pivots + log_det, solved, leverage)


def _basis(rows: Array, log_weights: Array) -> tuple[Array, Array, Array]:
    """`tau'` and Y, both (k, n), and `sum_j w_pj - log|det N|`, of `V' (k, n)` and `w (n,)`.

    Gaussian elimination by the largest `exp(w_d) |rest_jd|`, which is never formed: the weight of d is common to all
    that is subtracted there.
    """
    xp = array_namespace(rows)
    rest, taus, ys, log_pivots = rows, [], [], []
    for _ in range(rows.shape[0]):
        size = xp.abs(rest)
        p = _largest(log_weights + _log(xp.max(size, axis=0)))
        of_p, weight = xp.take(rest, p, axis=1), xp.take(log_weights, p)
        q = _largest(xp.abs(of_p[:, 0]))
        of_q, pivot = xp.take(rest, q, axis=0), xp.take(of_p, q, axis=0)
        tau = of_q / pivot
        log_tau = _log(xp.abs(of_q)) - xp.log(xp.abs(pivot))
        taus.append(tau)
        ys.append(xp.sign(tau) * xp.exp(2.0 * (log_weights - weight) + log_tau))
        log_pivots.append(weight + xp.log(xp.abs(pivot[0, :])))
        left = rest - (of_p / pivot) * of_q
        # What cancels but for rounding is nothing, whatever its weight: rows and columns of pivots, and parallel ones.
        rest = xp.where(xp.abs(left) > 8.0 * float(xp.finfo(rows.dtype).eps) * size, left, xp.zeros_like(rest))
    return xp.concat(taus), xp.concat(ys), xp.sum(xp.concat(log_pivots))


def _inverse(a: Array) -> tuple[Array, Array]:
    """`a^-1` and `log det a`, (k, k), where no pivot need be looked for."""
    xp, unit = array_namespace(a), eye(a)
    both, log_pivots = xp.concat([a, unit], axis=1), []
    for j in range(a.shape[0]):
        row = both[j : j + 1, :] / both[j, j]
        log_pivots.append(xp.log(both[j, j]))
        both = xp.where(unit[:, j : j + 1] > 0, row, both - both[:, j : j + 1] * row)
    return both[:, a.shape[0] :], xp.sum(xp.stack(log_pivots))


def _count(x: Array) -> Array:
    """`(n,) -> 0, ..., n - 1`, as indices."""
    xp = array_namespace(x)
    indexing = xp.__array_namespace_info__().default_dtypes(device=device(x))["indexing"]
    return xp.arange(x.shape[0], dtype=indexing, device=device(x))


def _largest(x: Array) -> Array:
    """`(n,) -> (1,)`, the index of the largest; that of `argmax` has a dtype that some devices lack."""
    xp, count = array_namespace(x), _count(x)
    others = xp.full_like(count, x.shape[0] - 1)
    return xp.min(xp.where(x == xp.max(x), count, others), keepdims=True)


def _log(x: Array) -> Array:
    """`log x`, which is -inf at 0 without a warning."""
    xp, none = array_namespace(x), x == 0
    return xp.where(none, xp.full_like(x, -inf), xp.log(xp.where(none, xp.ones_like(x), x)))
