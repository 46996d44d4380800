"""The law of one weight of an embedding, read off its row: iid standard normal draws behind the outputs."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.readings import mean_of, tails_of, variance_of
from bayesnoise_reference.families.embedding import EmbeddingTrial, of_embedding


def _pooled(trial: EmbeddingTrial, mean: Array | float | None = None, scale: Array | float | None = None) -> Array:
    """Every weight once a call: iid standard normal."""
    held = trial.load(mean, scale)
    found = []
    for _ in range(trial.calls):
        x = trial.words(1)
        found.append(trial.draws(x, held, trial.guard.sample(x)))
    return np.concatenate([z.ravel() for z in found])


@of_embedding(
    "weight-mean",
    "A weight has the mean that it was given.",
    catches=("mean-shrunk",),
)
def weight_mean(trial: EmbeddingTrial) -> Finding:
    """The mean of iid standard normal draws; means that rise from row to row, and narrow scales."""
    d = trial.description
    mean = np.broadcast_to(1.0 + np.arange(d.rows)[:, None] ** 2, (d.rows, d.features))
    return mean_of(trial, _pooled(trial, mean, 0.2), "a weight")


@of_embedding(
    "weight-variance",
    "A weight has the square of its scale as variance.",
    catches=(
        "no-noise",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "embedding-noise-without-rows",
    ),
)
def weight_variance(trial: EmbeddingTrial) -> Finding:
    """The variance of iid standard normal draws."""
    return variance_of(trial, _pooled(trial), "a weight")


@of_embedding(
    "weight-tails",
    "A weight is as often far from its mean as a Gaussian.",
    catches=("uniform-noise", "no-noise"),
)
def weight_tails(trial: EmbeddingTrial) -> Finding:
    """A binomial count."""
    return tails_of(trial, _pooled(trial), "a weight")


CLAIMS = (weight_mean, weight_variance, weight_tails)
