"""Exact tools: derivatives by complex step, enumeration and quadrature.

A derivative by complex step, `Im f(x + ih) / h`, has no cancellation and so no best step: at h = 1e-30 it is exact to
rounding for any function written with analytic operations (no abs, max or conj on the path).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

Real: TypeAlias = NDArray[np.float64]

_STEP = 1e-30
_leggauss = cache(leggauss)


def complex_step(function: Callable[[Any], Any], x: Any) -> Real:
    """The gradient, in the shape of `x`, of a real scalar function of an array of any shape."""
    x = np.asarray(x, dtype=np.float64)
    grad = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        shifted = x.astype(np.complex128)
        shifted[index] += 1j * _STEP
        grad[index] = np.imag(np.asarray(function(shifted))[()]) / _STEP
    return grad


def sign_vectors(n: int) -> Real:
    """All vectors of `n` signs, `(2^n, n)`: each has probability `2^-n`."""
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n))).reshape(2**n, n)


def masks(n: int, keep: float) -> tuple[Real, Real]:
    """All masks of `n` zeros and ones `(2^n, n)`, and the probability of each `(2^n,)` when 1 has probability keep."""
    rows = np.array(list(itertools.product((0.0, 1.0), repeat=n))).reshape(2**n, n)
    ones = rows.sum(axis=1)
    return rows, keep**ones * (1.0 - keep) ** (n - ones)


def gauss_hermite(n: int) -> tuple[Real, Real]:
    """Nodes and weights `(n,)` for the expectation under a standard normal, exact to degree `2n - 1`."""
    nodes, weights = hermegauss(n)
    return np.asarray(nodes, dtype=np.float64), np.asarray(weights / np.sqrt(2.0 * np.pi), dtype=np.float64)


def gauss_hermite_grid(n: int, dimensions: int) -> tuple[Real, Real]:
    """Nodes `(n^d, d)` and weights `(n^d,)` for the expectation under `d` independent standard normals."""
    nodes, weights = gauss_hermite(n)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions))).reshape(n**dimensions, dimensions)
    products = np.array([np.prod(w) for w in itertools.product(weights, repeat=dimensions)], dtype=np.float64)
    return grid, products


def gauss_legendre(edges: Any, n: int = 40) -> tuple[Real, Real]:
    """Nodes and weights of the integral from the first edge to the last, with `n` nodes between each two.

    A function that is analytic between the edges is integrated to rounding once they are close enough.
    """
    edges = np.unique(np.asarray(edges, dtype=np.float64))
    nodes, weights = _leggauss(n)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return np.ravel(middle + half * nodes), np.ravel(half * weights)
