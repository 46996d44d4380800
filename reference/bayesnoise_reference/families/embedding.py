"""Embeddings with random weights, `(n, t) -> (n, t, features)`: each position reads a row, `y = w[x]`.

Parameters are `mean` and `rho`, (rows, features). Inputs hold whole numbers, in the dtype of the layer. The kinds are
"shared" (noise `eps` like the weights), "flipout" (and `sign_in` (n, rows), `sign_out` (n, features)) and "local"
(`zeta` like the output). A draw is read off an output as it is: `(y - mean) / scale`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description, Scale
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.divergence import moderately, narrow, wide
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.claims.weight_trial import TINY, raw, sigma, slope

KINDS = ("shared", "flipout", "local")

CAUSES = {
    "embedding-row-off-by-one": "a word reads the row after its own, as if words were counted from 1",
    "embedding-padding-row": "the row of word 0 is taken to be zeros",
    "embedding-noise-per-position": "the same word at two positions of an example has noise of its own at each",
    "embedding-rows-share-noise": "all rows share the noise of a feature",
    "embedding-gradient-last-wins": "the gradient of a row is that of the last position that reads it, not the sum",
    "embedding-noise-without-rows": "noise has the scale of the first row, whichever is read",
}


@dataclass(frozen=True, kw_only=True)
class Embedding(Described):
    """An embedding. ValueError for numbers that cannot be.

    `scale` says how a standard deviation is stored; `prior` is the standard deviation of a Gaussian prior of mean 0.
    """

    family: str = field(default="embedding", init=False)
    estimator: Literal["shared", "flipout", "local"] = "flipout"
    rows: int = 6
    features: int = 4
    scale: Scale = "softplus"
    prior: float | None = None

    def __post_init__(self) -> None:
        if self.estimator not in KINDS:
            raise ValueError(f"estimator is {self.estimator!r}, expected one of {', '.join(map(repr, KINDS))}")
        for name, least in (("rows", 3), ("features", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")
        if self.prior is not None and not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0, or None for no KL")
        _ = self.weights  # raises for another scale

    @property
    def weights(self) -> Description:
        """The dense layer that it is, of one-hot vectors."""
        return Description("dense", self.estimator, self.rows, self.features, scale=self.scale, dtype=self.dtype)

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape, self.features)


class Held(NamedTuple):
    """The parameters that the layer holds."""

    mean: Array  # (rows, features)
    scale: Array  # (rows, features)
    slope: Array  # of the scale by what is stored, (rows, features)


@dataclass(frozen=True)
class EmbeddingTrial(Trial):
    """A trial of an embedding."""

    @property
    def description(self) -> Embedding:
        """What the layer is."""
        found = self.guard.description
        assert isinstance(found, Embedding)
        return found

    def load(self, mean: Array | float | None = None, scale: Array | float | None = None) -> Held:
        """Load a mean and a scale; what is not given is random, about 1 in size and between .2 and 1.2."""
        d = self.description
        shape = (d.rows, d.features)
        mean = self.rng.standard_normal(shape) if mean is None else np.broadcast_to(mean, shape)
        if scale is None:  # rows of either kind, since a wrong transformation may be right for one
            scale = np.where(np.arange(d.rows) % 2 == 0, 0.2, 0.9)[:, None] * self.rng.uniform(0.9, 1.3, shape)
        return self._held(mean, raw(d.weights, np.broadcast_to(scale, shape)))

    def load_raw(self, level: float) -> Held:
        """Load random means and one scale, as the layer stores it."""
        shape = (self.description.rows, self.description.features)
        return self._held(self.rng.standard_normal(shape), np.full(shape, level))

    def _held(self, mean: Array, rho: Array) -> Held:
        held, d = self.guard.load({"mean": mean, "rho": rho}), self.description.weights
        return Held(held["mean"], sigma(d, held["rho"]), slope(d, held["rho"]))

    def words(self, n: int) -> Array:
        """(n, rows): every word once, in some order."""
        return np.stack([self.rng.permutation(self.description.rows) for _ in range(n)]).astype(np.float64)

    def draws(self, x: Array, held: Held, y: Array) -> Array:
        """The standard normal draw behind every number of an output."""
        at = x.astype(int)
        return np.asarray((y - held.mean[at]) / held.scale[at])

    def bound(self, held: Held) -> float:
        """What rounding may do to a number of the output."""
        return 64.0 * self.guard.eps * float(np.max(np.abs(held.mean)) + 9.0 * np.max(held.scale))


of_embedding = ClaimsOf(("embedding",), KINDS, EmbeddingTrial)


def _rows(trial: EmbeddingTrial, y: Array, x: Array, held: Held, where: str) -> Finding:
    worst = float(np.max(np.abs(y - held.mean[x.astype(int)]), initial=0.0))
    wrong = not worst <= trial.bound(held)
    return exact(wrong, f"{where} the output is {worst:.3g} away from the rows of the means that are read, at most", 1)


@of_embedding(
    "scale-zero",
    "With all scales zero the output is the rows of the means.",
    catches=(
        "embedding-row-off-by-one",
        "embedding-padding-row",
        "mean-shrunk",
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
    ),
)
def scale_zero(trial: EmbeddingTrial) -> Finding:
    """Exact: every word."""
    held, x = trial.load(scale=TINY), trial.words(3)
    return _rows(trial, trial.guard.sample(x), x, held, "with all scales zero")


@of_embedding(
    "evaluation",
    "In evaluation the output is the rows of the means.",
    needs=("evaluate",),
    catches=("embedding-row-off-by-one", "embedding-padding-row", "mean-shrunk", "evaluation-noisy"),
)
def evaluation(trial: EmbeddingTrial) -> Finding:
    """Exact, with wide scales."""
    held, x = trial.load(), trial.words(3)
    return _rows(trial, trial.guard.evaluate(x), x, held, "in evaluation")


@of_embedding(
    "scale-far-out",
    "Under very wide scales outputs are finite, and under very narrow ones the rows of the means.",
    catches=("softplus-overflows", "scale-exp-for-softplus", "scale-softplus-missing"),
)
def scale_far_out(trial: EmbeddingTrial) -> Finding:
    """Exact: no number overflows on the way to one that does not."""
    d, x = trial.description.weights, trial.words(3)
    for level in (moderately(d, wide(d)), wide(d)):
        trial.load_raw(level)
        if not np.all(np.isfinite(trial.guard.sample(x, finite=False))):
            return exact(True, f"at stored scales of {level:g} the output has NaN or infinity; it has finite values", 1)
    held = trial.load_raw(narrow(d))
    return _rows(trial, trial.guard.sample(x, finite=False), x, held, "under very narrow scales")


def _ready(trial: EmbeddingTrial) -> Array:
    trial.load()
    return trial.words(2)


CLAIMS = (*claims_on_calls(of_embedding, _ready), scale_zero, evaluation, scale_far_out)
