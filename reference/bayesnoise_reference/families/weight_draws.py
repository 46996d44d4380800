"""Laws of weights that training has fitted, asked for draws: what stands behind predictions without a random layer.

`sample(x)` gives one draw of all weights, as a vector, for each row of `x (n, 1)`, whose values say nothing: `(n,
size)`. `evaluate(x)` gives the mean of the law in each row. With n examples and the prior `N(0, prior^2)` of each
weight, a kind is a law and what it is loaded from, `mean (size,)` and

    diagonal   independent, of precision `n curvature + 1 / prior^2`: `curvature (size,)` (IVON, Vadam, VOGN)
    slang      of precision `n (factor factor' + diag(diagonal))`: `factor (size, rank)`, `diagonal (size,)`
    swag       `mean + sqrt(variance / 2) z_1 + deviations' z_2 / sqrt(2 (rank - 1))`: `variance (size,)`, `deviations
               (rank, size)`

Noise, where it can be given, is `eps (n, size)`; for swag `diagonal (n, size)` and `low_rank (n, rank)`. A draw is
linear in it, by whatever root of the covariance. The KL of the first two is that to the prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial

KINDS = ("diagonal", "slang", "swag")
ROWS = 16  # draws of one call

CAUSES = {
    "draws-mean-missing": "the mean of the law is left out of its draws",
    "draws-mean-shrunk": "the mean of the draws is a share of the mean of the law",
    "draws-fixed": "every call returns the draws of the first",
    "draws-shared-by-rows": "the draws of one call are one draw, repeated",
    "draws-shared-by-parameters": "one normal number serves all weights of a draw",
    "draws-heavy-tailed": "the draws follow a Student law of the same variance",
    "draws-too-wide": "the standard deviation is a tenth too large",
    "draws-stale": "the scales are those of the parameters that were loaded first",
    "draws-evaluation-noisy": "evaluation returns draws",
    "draws-noise-ignored": "the noise that is given is not the noise that is used",
    "draws-variance-as-scale": "a variance multiplies the noise in the place of its root",
    "draws-examples-forgotten": "the precision is not multiplied by the number of examples",
    "draws-prior-forgotten": "the precision of the prior is left out",
    "draws-prior-twice": "the precision of the prior counts twice",
    "draws-prior-as-variance": "the scale of the prior is read as its variance",
    "draws-prior-unscaled": "the precision of the prior is multiplied by the number of examples",
    "draws-reversed": "each scale stands at another weight than its own",
    "draws-kl-mean-missing": "the KL does not see how far the means are from the prior",
    "draws-kl-averaged": "the KL is a mean over the weights in the place of their sum",
    "draws-kl-reversed": "the KL is that from the prior to the law",
    "draws-full-diagonal": "the diagonal part of SWAG lacks its factor 1/2",
    "draws-full-low-rank": "the low-rank part of SWAG lacks its factor 1/2",
    "draws-divided-by-rank": "the deviations of SWAG are divided by their number, not by one less",
    "draws-second-moment": "the second moment stands in the place of the variance",
    "draws-no-low-rank": "the low-rank part of the law is left out",
    "draws-no-diagonal": "the diagonal part of the law is left out",
    "draws-marginals-only": "the weights have their own variances, and no covariances",
    "draws-factor-in-covariance": "the factor of the precision is added to the covariance",
    "draws-root-missing": "a matrix multiplies the noise in the place of its root",
}


@dataclass(frozen=True, kw_only=True)
class WeightDraws(Described):
    """A law of a kind over `size` weights; `rank` is of slang and swag ones. ValueError for what cannot be."""

    family: str = field(default="weight_draws", init=False)
    kind: Literal["diagonal", "slang", "swag"]
    size: int = 6
    rank: int = 3
    examples: int = 200
    prior: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, KINDS))}")
        for name in ("size", "rank"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 2")
        if self.rank > self.size:
            raise ValueError(f"rank is {self.rank}, expected at most {self.size}, the number of weights")
        if self.examples < 2:
            raise ValueError(f"examples is {self.examples}, expected at least 2")
        if not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0")

    @property
    def estimator(self) -> str:
        return self.kind

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (x_shape[0], self.size)


def covariance(d: WeightDraws, held: dict[str, Array]) -> Array:
    """That of the law, `(size, size)`, with every matrix written out."""
    if d.kind == "diagonal":
        return np.diag(1.0 / (d.examples * held["curvature"] + 1.0 / d.prior**2))
    if d.kind == "slang":
        return np.asarray(np.linalg.inv(d.examples * (held["factor"] @ held["factor"].T + np.diag(held["diagonal"]))))
    rows = held["deviations"]
    return np.asarray(0.5 * (np.diag(held["variance"]) + rows.T @ rows / (d.rank - 1)))


def divergence(d: WeightDraws, held: dict[str, Array]) -> float:
    """The KL from the law to independent `N(0, prior^2)`."""
    matrix, mean, p = covariance(d, held), held["mean"], d.prior
    spread = (np.trace(matrix) + mean @ mean) / p**2 - d.size
    return float(0.5 * (spread + 2.0 * d.size * np.log(p) - np.linalg.slogdet(matrix)[1]))


@dataclass(frozen=True)
class DrawsTrial(Trial):
    """A trial of a law of weights."""

    @property
    def description(self) -> WeightDraws:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, WeightDraws)
        return found

    def load(self, **given: Any) -> dict[str, Array]:
        """Load scales that differ between weights, or those given, and means of 2 to 4 standard deviations."""
        d, rng = self.description, self.rng
        levels = rng.permutation(np.geomspace(0.1, 10.0, d.size))
        if d.kind == "diagonal":
            held = {"curvature": levels / (d.examples * d.prior**2)}
        elif d.kind == "slang":
            held = {"factor": self._signed((d.size, d.rank)), "diagonal": 0.1 * levels}
        else:
            held = {"variance": 0.1 * levels, "deviations": self._signed((d.rank, d.size))}
        held |= {name: np.broadcast_to(value, held[name].shape) for name, value in given.items()}
        sd = np.sqrt(np.diag(covariance(d, held)))
        signs = rng.choice([-1.0, 1.0], d.size)
        return self.guard.load(held | {"mean": rng.uniform(2.0, 4.0, d.size) * signs * sd})

    def _signed(self, shape: tuple[int, ...]) -> Array:
        return np.asarray(self.rng.uniform(0.6, 1.2, shape) * self.rng.choice([-1.0, 1.0], shape))

    def draws(self) -> Array:
        """`(16 calls, size)`."""
        return np.concatenate([self.guard.sample(np.zeros((ROWS, 1))) for _ in range(self.calls)])

    def whitened(self, held: dict[str, Array], drawn: Array) -> Array:
        """Independent standard normal numbers in the place of the draws, `(n, size)`."""
        root = np.linalg.cholesky(covariance(self.description, held))
        return np.asarray(np.linalg.solve(root, (drawn - held["mean"]).T).T)


of_weight_draws = ClaimsOf(("weight_draws",), KINDS, DrawsTrial)
