"""A chain of Householder reflections, `U = H_T ... H_1` with `H_t = I - 2 u_t u_t'` for unit vectors `u_t`.

Householder 1958, "Unitary Triangularization of a Nonsymmetric Matrix". U is orthogonal with determinant `(-1)^T`. It is
not formed to be applied: T reflections of n rows of length k cost `O(T n k)`.

There is one backward rule. Where a reflection takes the rows X to `X - 2 (X u) u'` and G is the gradient of the result,
the loss changes with u as `-2 (G'X + X'G) u`. `rotate` has X and G as arrays; the variances of a rotated noise have
them as products of reflections and diagonals, which are applied to u and never formed.
"""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array


def unit_vector(v: Array) -> tuple[Array, Array]:
    """`v / |v|` (k,) and `|v|` (); for `v = 0`, which has no direction, zeros and 1: then nothing is reflected."""
    xp = array_namespace(v)
    size = xp.max(xp.abs(v))
    scale = xp.where(size > 0, size, xp.ones_like(size))  # squares of v itself may underflow
    scaled = v / scale
    length = xp.where(size > 0, xp.sqrt(xp.sum(scaled * scaled)), xp.ones_like(size))
    return scaled / length, scale * length


def unit_vector_backward(unit: Array, length: Array, grad_unit: Array) -> Array:
    """The gradient of v: orthogonal to v, because its length does not matter."""
    return (grad_unit - array_namespace(unit).sum(unit * grad_unit) * unit) / length


def reflect(unit: Array, rows: Array) -> Array:
    """`H row` for each row: (k,), (..., k) -> (..., k). It is its own inverse."""
    xp = array_namespace(unit, rows)
    return rows - 2.0 * xp.expand_dims(xp.matmul(rows, unit), axis=-1) * unit


def rotate(units: Sequence[Array], rows: Array) -> Array:
    """`U row` for each row; with the unit vectors in reverse, `U' row`."""
    for unit in units:
        rows = reflect(unit, rows)
    return rows


def _unit_grad(product: Array, transposed: Array) -> Array:
    """The gradient of u, from `G'X u` and `X'G u`."""
    return -2.0 * (product + transposed)


def rotate_backward(units: Sequence[Array], rotated: Array, grad: Array) -> tuple[Array, list[Array]]:
    """The gradients of the rows and of the unit vectors; `rotated` is what `rotate` returned, (n, k)."""
    xp = array_namespace(rotated, grad)
    rows, grads = rotated, []
    for unit in reversed(units):
        rows = reflect(unit, rows)  # what went in, from what came out
        product = xp.matmul(xp.matmul(rows, unit), grad)
        transposed = xp.matmul(xp.matmul(grad, unit), rows)
        grads.append(_unit_grad(product, transposed))
        grad = reflect(unit, grad)
    return grad, grads[::-1]


def _one_reflection(unit: Array, alpha: Array) -> Array:
    """The variances for T = 1 in O(k): `alpha_i (1 - 2 u_i^2)^2 + 4 u_i^2 sum_{j != i} alpha_j u_j^2`.

    The sum over the others is that of those before and those after: what is left of the whole sum would be rounding.
    """
    xp = array_namespace(unit, alpha)
    share = unit * unit
    parts = alpha * share
    before = xp.cumulative_sum(parts, include_initial=True)[:-1]
    after = xp.flip(xp.cumulative_sum(xp.flip(parts), include_initial=True)[:-1])
    return alpha * (1.0 - 2.0 * share) ** 2 + 4.0 * share * (before + after)


def variances(units: Sequence[Array], alpha: Array) -> Array:
    """The diagonal of `U diag(alpha) U'`, those of `U (sqrt(alpha) eps)`: (k,), each a sum of positive terms."""
    if len(units) == 1:
        return _one_reflection(units[0], alpha)
    xp = array_namespace(alpha)
    columns = rotate(units, xp.eye(alpha.shape[0], dtype=alpha.dtype, device=device(alpha)))
    return xp.matmul(alpha, columns * columns)


def variances_backward(units: Sequence[Array], alpha: Array, grad: Array) -> tuple[Array, list[Array]]:
    """The gradients of alpha and of the unit vectors; for the second, in O(T^2 k), nothing of the size of U is formed.

    With W the diagonal of `grad`, the rows that enter reflection t are `X = U_{t-1}'`, and the gradient of what leaves
    it is `G = 2 diag(alpha) U' W H_T ... H_{t+1}`.
    """
    backwards = units[::-1]
    grads = []
    for t, unit in enumerate(units):
        before, after = units[:t], units[t + 1 :]
        right = alpha * rotate(before[::-1], unit)
        product = rotate(after[::-1], 2.0 * grad * rotate(units, right))
        left = 2.0 * grad * rotate(after, unit)
        transposed = rotate(before, alpha * rotate(backwards, left))
        grads.append(_unit_grad(product, transposed))
    return variances(backwards, grad), grads
