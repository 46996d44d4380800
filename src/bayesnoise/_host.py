"""Predictions brought to the host: NumPy arrays of float64, checked once at the public edge."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from scipy.special import logsumexp

from bayesnoise._typing import Array, Shape

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

SUM_TOLERANCE = 1e-2  # of the probabilities of one row: wide enough for float16, and no logits pass


def log_mean_exp(x: Floats) -> Floats:
    """`(t, ...) -> (...)`: the logarithm of the mean over passes, from logarithms."""
    return np.asarray(logsumexp(x, axis=0)) - math.log(len(x))


def _first(wrong: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def _entry(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def require(name: str, x: Floats, holds: Any, expected: str) -> None:
    """Raise ValueError, with the first entry for which `holds` is False."""
    wrong = np.logical_not(holds)
    if np.any(wrong):
        index = _first(wrong)
        raise ValueError(f"{_entry(name, index)} is {x[index]}, expected {expected}")


def real(name: str, x: Array, ndims: tuple[int, ...] | None = None) -> Floats:
    """`x` as float64. TypeError unless it holds real numbers, ValueError if it is empty or has too many or few axes."""
    host = np.asarray(x)
    if host.dtype.kind not in "fiu" and host.dtype.name != "bfloat16":
        raise TypeError(f"{name} has dtype {host.dtype}, expected real numbers in an array on the host")
    if ndims is not None and host.ndim not in ndims:
        raise ValueError(f"{name} has shape {host.shape}, expected {' or '.join(map(str, ndims))} axes")
    if host.size == 0:
        raise ValueError(f"{name} is empty, of shape {host.shape}: expected at least one number")
    return host.astype(np.float64, copy=False)


def finite(name: str, x: Array, ndims: tuple[int, ...] | None = None) -> Floats:
    """As `real`, and ValueError for the first entry that is NaN or infinite."""
    host = real(name, x, ndims)
    require(name, host, np.isfinite(host), "finite numbers")
    return host


def shape(name: str, x: Floats, expected: Shape, why: str) -> None:
    """Raise ValueError unless `x` has exactly the expected shape."""
    if x.shape != tuple(expected):
        raise ValueError(f"{name} has shape {x.shape}, expected {tuple(expected)}, {why}")


def passes(means: Array, variances: Array) -> tuple[Floats, Floats]:
    """Sample means `(t, n[, k])` and variances, like them or one number for all; ValueError for a variance below 0."""
    host = finite("means", means, (2, 3))
    spread = finite("variances", variances)
    if spread.ndim != 0:
        shape("variances", spread, host.shape, "as means, or one number")
    require("variances", spread, spread >= 0, "variances of at least 0")
    return host, np.broadcast_to(spread, host.shape)


def probabilities(name: str, x: Array, ndims: tuple[int, ...] = (2,)) -> Floats:
    """Probabilities of classes along the last axis; ValueError unless in [0, 1] and each row sums to 1."""
    host = finite(name, x, ndims)
    require(name, host, (host >= 0) & (host <= 1 + SUM_TOLERANCE), "probabilities in [0, 1]")
    total = np.sum(host, axis=-1)
    require(f"the sum over classes of {name}", total, np.abs(total - 1) <= SUM_TOLERANCE, "1: take the softmax first")
    return host


def log_probabilities(name: str, x: Array) -> Floats:
    """Log-probabilities `(t, n, k)`, -inf for a probability of 0; ValueError unless each row is normalised."""
    host = real(name, x, (3,))
    require(name, host, host <= SUM_TOLERANCE, "log-probabilities, at most 0: take the log-softmax first")
    total = np.sum(np.exp(host), axis=-1)
    what = f"the sum over classes of exp({name})"
    require(what, total, np.abs(total - 1) <= SUM_TOLERANCE, "1: take the log-softmax first")
    return host


def labels(x: Array, n: int, k: int) -> Integers:
    """Class numbers `(n,)`; TypeError unless integers, ValueError unless in [0, k)."""
    host = np.asarray(x)
    if host.dtype.kind not in "iu":
        raise TypeError(f"labels has dtype {host.dtype}, expected integers, the numbers of the classes")
    if host.shape != (n,):
        raise ValueError(f"labels has shape {host.shape}, expected ({n},), one class an example")
    wrong = (host < 0) | (host >= k)
    if np.any(wrong):
        index = _first(wrong)
        raise ValueError(f"{_entry('labels', index)} is {host[index]}, expected a class in [0, {k})")
    return host.astype(np.int64)
