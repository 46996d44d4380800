"""SLANG on one vector of numbers, with every matrix of its law written out.

Mishkin, Kunstner, Nielsen, Schmidt, Khan 2018 (arXiv 1811.04504), algorithm 1, numbering as reported. The precision of
the law is `N (U U' + diag(d))`; `U U'` is kept as a matrix, and its truncation is by the singular value decomposition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import sqrtm

from bayesnoise_reference._typing import Array


class JointLaw(NamedTuple):
    """A Gaussian; `low_rank + diag(diagonal)` is its precision, over the number of examples."""

    mean: Array  # (n,)
    low_rank: Array  # (n, n)
    diagonal: Array  # (n,)


def covariance(law: JointLaw, examples: float) -> Array:
    """The covariance of the law, `(n, n)`."""
    return np.asarray(np.linalg.inv(examples * (law.low_rank + np.diag(law.diagonal))))


def draw(law: JointLaw, eps: Array, examples: float) -> Array:
    """`mean + D^-1/2 (I + D^-1/2 U U' D^-1/2)^-1/2 eps / sqrt(N)`, by the root of a matrix."""
    d = np.diag(1.0 / np.sqrt(law.diagonal))
    inner = np.linalg.inv(np.eye(len(eps)) + d @ law.low_rank @ d)
    return np.asarray(law.mean + d @ np.real(sqrtm(inner)) @ eps / np.sqrt(examples))


def best_of_rank(matrix: Array, rank: int) -> Array:
    """The nearest matrix of that rank."""
    left, values, right = np.linalg.svd(matrix)
    return np.asarray(sum(values[k] * np.outer(left[:, k], right[k]) for k in range(rank)))


def slang(
    start: Array,
    gradients: Callable[[Array], Array],
    noise: Array,
    rates: Sequence[float],
    examples: float,
    prior_precision: float,
    beta: float,
    rank: int,
    first_precision: float,
) -> JointLaw:
    """A run from `start (n,)`: `gradients(w) -> (m, n)`, one row an example, and `noise (steps, n)`."""
    n, share = len(start), prior_precision / examples
    law = JointLaw(start.copy(), np.zeros((n, n)), np.full(n, first_precision))
    for eps, rate in zip(noise, rates, strict=True):
        each = gradients(draw(law, eps, examples))
        fisher = sum(np.outer(g, g) for g in each) / len(each)
        whole = (1.0 - beta) * law.low_rank + beta * fisher
        low_rank = best_of_rank(whole, rank)
        wanted = (1.0 - beta) * np.diag(law.low_rank + np.diag(law.diagonal)) + beta * (np.diag(fisher) + share)
        diagonal = wanted - np.diag(low_rank)
        direction = np.linalg.solve(low_rank + np.diag(diagonal), np.mean(each, axis=0) + share * law.mean)
        law = JointLaw(law.mean - rate * direction, low_rank, diagonal)
    return law
