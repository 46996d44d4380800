"""Algebra of a matrix `P = U U' + diag(d)`, `U (n, r)` and `d (n,)` above 0, through one small eigenvalue problem.

With `V = diag(d)^-1/2 U` and `V' V = Q diag(e) Q'`,

    f(I + V V') = f(1) I + V Q diag((f(1 + e) - f(1)) / e) Q' V'

for any function f: so `P^-1 b`, a root of the inverse times a vector and `log det P` cost `O(n r^2)`. The matrices
are `(r, r)`, and their eigenvalues come from the namespace's extension `linalg`, which NumPy, CuPy, torch, JAX and
array-api-strict have. Nothing depends on the signs of eigenvectors, nor on a choice among equal ones.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from bayesnoise._typing import Array


def inverse_times(u: Array, d: Array, b: Array) -> Array:
    """`P^-1 b`, by Woodbury's identity: `(n, r), (n,), (n,) -> (n,)`."""
    w, e, root = _spectrum(u, d)
    z = b / root
    return (z - w @ ((w.T @ z) / (1.0 + e))) / root


def inverse_root_times(u: Array, d: Array, eps: Array) -> Array:
    """`A eps` with `A A' = P^-1`: `(n, r), (n,), (n,) -> (n,)`; `A = diag(d)^-1/2 (I + V V')^-1/2`.

    `(1 - (1 + e)^-1/2) / e` is written as `1 / (1 + e + sqrt(1 + e))`, which loses nothing where e is small or 0.
    """
    w, e, root = _spectrum(u, d)
    share = 1.0 / (1.0 + e + array_namespace(e).sqrt(1.0 + e))
    return (eps - w @ (share * (w.T @ eps))) / root


def log_determinant(u: Array, d: Array) -> Array:
    """`log det P`, shape ()."""
    xp = array_namespace(d)
    _, e, _ = _spectrum(u, d)
    return xp.sum(xp.log(d)) + xp.sum(xp.log1p(e))


def inverse_diagonal(u: Array, d: Array) -> Array:
    """The diagonal of `P^-1`, `(n,)`."""
    w, e, _ = _spectrum(u, d)
    return (1.0 - array_namespace(d).sum(w * w / (1.0 + e), axis=1)) / d


def truncated(r: Array, rank: int) -> tuple[Array, Array]:
    """The best `U U'` of that rank for `R R'`, and the diagonal of what is left: `(n, k) -> (n, rank), (n,)`.

    With `R' R = Q diag(e) Q'`, the columns of `R Q` are eigenvectors of `R R'` times the roots of their eigenvalues, so
    that nothing is divided by. The rest is a sum of squares, and no difference: it is never negative.
    """
    xp = array_namespace(r)
    _, q = _eigen(r.T @ r)
    turned = r @ q
    first = turned.shape[1] - rank
    rest = turned[:, :first]
    return turned[:, first:], xp.sum(rest * rest, axis=1)


def _spectrum(u: Array, d: Array) -> tuple[Array, Array, Array]:
    """`V Q (n, r)`, `e (r,)` and the root of d."""
    xp = array_namespace(d)
    root = xp.sqrt(d)
    v = u / root[:, None]
    e, q = _eigen(v.T @ v)
    return v @ q, xp.maximum(e, xp.zeros_like(e)), root


def _eigen(gram: Array) -> tuple[Array, Array]:
    """Eigenvalues in ascending order, and eigenvectors.

    Some libraries raise for what is not finite. Such numbers are left out here: they come out of the products with the
    matrix itself, and a fit then says that its loss is lost.
    """
    xp = array_namespace(gram)
    e, q = xp.linalg.eigh(xp.where(xp.isfinite(gram), gram, xp.zeros_like(gram)))
    return e, q
