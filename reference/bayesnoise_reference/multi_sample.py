"""Several draws for each input: outputs draw by draw, and the mean of the likelihoods that they give an example.

Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders" (arXiv 1509.00519), section 3, with the prior as
the sampling law. Likelihoods are multiplied and added as they are, not as logarithms, so the numbers must be moderate.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array


def outputs(x: Array, draws: Sequence[Any], output: Callable[[Array, Any], Array]) -> Array:
    """`(samples, n, ...)`: `output(x, draw)` for each draw."""
    return np.stack([output(x, draw) for draw in draws])


def bound(likelihoods: Sequence[Any]) -> Any:
    """The logarithm of the mean of one example's likelihoods."""
    return np.log(sum(likelihoods) / len(likelihoods))


def expected_bound(likelihoods: Sequence[Any], chances: Sequence[float], samples: int) -> Any:
    """Its mean over independent draws of a law with finitely many outcomes: every tuple of them is written out."""
    total: Any = 0.0
    for pick in itertools.product(range(len(chances)), repeat=samples):
        total = total + np.prod([chances[i] for i in pick]) * bound([likelihoods[i] for i in pick])
    return total


def log_predictive(likelihoods: Sequence[Any], chances: Sequence[float]) -> Any:
    """The limit for many samples: the logarithm of the mean likelihood of one example."""
    return np.log(sum(c * p for p, c in zip(likelihoods, chances, strict=True)))


def importance_weighted(likelihoods: Sequence[Any], log_ratios: Sequence[Any]) -> Any:
    """`log (1/K) sum_k p(D | w_k) p(w_k) / q(w_k)`, with `log q(w_k) - log p(w_k)` for the ratios."""
    return bound([p / np.exp(ratio) for p, ratio in zip(likelihoods, log_ratios, strict=True)])


def log_evidence(likelihoods: Sequence[Sequence[Any]], chances: Sequence[float]) -> Any:
    """Of all examples together: `likelihoods[i][n]` is that of example n under outcome i, which they share."""
    return np.log(sum(c * np.prod(row) for row, c in zip(likelihoods, chances, strict=True)))
