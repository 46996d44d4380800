"""Evolution strategies by their definition: each member's own weights, and its value times its own perturbation.

Wen, Vicol, Ba, Tran, Grosse 2018, "Flipout" (arXiv 1803.04386), section 4.3, numbering as reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bayesnoise_reference._typing import Array

Numbers = Sequence[float] | Array


def perturbation(eps: Array, sign_in: Array, sign_out: Array | None) -> Array:
    """The flipped perturbation of one member, element by element."""
    flipped = np.empty_like(eps)
    for index in np.ndindex(eps.shape):
        sign = sign_in[index[0]] if index else sign_in
        flipped[index] = eps[index] * sign * (1.0 if sign_out is None else sign_out[index[1]])
    return flipped


def members(theta: Array, perturbations: Sequence[Array], scale: float) -> list[Array]:
    """The weights of each member."""
    return [theta + scale * z for z in perturbations]


def gradient(perturbations: Sequence[Array], values: Numbers, scale: float, baselines: Numbers) -> Array:
    """The mean over members of `(F_n - b_n) z_n / scale`."""
    terms = [(f - b) * z / scale for z, f, b in zip(perturbations, values, baselines, strict=True)]
    return np.asarray(np.mean(terms, axis=0))


def of_the_others(values: Numbers) -> list[float]:
    """For each member the mean value of all others."""
    return [float(np.mean([v for j, v in enumerate(values) if j != i])) for i in range(len(values))]


def smoothed(objective: Callable[[Array], Array], theta: Array, scale: float, nodes: Array, weights: Array) -> Array:
    """`E F(theta + scale eps)` by quadrature: nodes `(k, size of theta)` and weights `(k,)`."""
    return np.asarray(
        sum(w * objective(theta + scale * node.reshape(theta.shape)) for node, w in zip(nodes, weights, strict=True))
    )
