"""The law of a weight in each of the four projections of attention."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.readings import tails_of, variance_of
from bayesnoise_reference.families.attention import AttentionTrial, of_attention

CAUSES = {
    "attention-query-without-noise": "the projection to queries has no noise",
    "attention-key-without-noise": "the projection to keys has no noise",
    "attention-value-without-noise": "the projection to values has no noise",
    "attention-output-without-noise": "the projection of the output has no noise",
}


def _pooled(trial: AttentionTrial, name: str) -> Array:
    """Half of the calls with narrow scales and half with wide ones, where a wrong transformation shows in either."""
    half = -(-trial.calls // 2)
    return np.concatenate([trial.read(name, level, 1, half).ravel() for level in (0.15, 0.8)])


def _variance(trial: AttentionTrial, name: str) -> Finding:
    return variance_of(trial, _pooled(trial, name), f"a weight of the {name}")


@of_attention(
    "query-variance",
    "A weight of the query, read off the attention, has the square of its scale as variance.",
    catches=("attention-query-without-noise", "scale-as-variance", "variance-as-scale"),
)
def query_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known keys."""
    return _variance(trial, "query")


@of_attention(
    "key-variance",
    "A weight of the key, read off the attention, has the square of its scale as variance.",
    catches=("attention-key-without-noise", "scale-as-variance", "variance-as-scale"),
)
def key_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known queries."""
    return _variance(trial, "key")


@of_attention(
    "value-variance",
    "A weight of the value has the square of its scale as variance, also where positions are averaged.",
    catches=("attention-value-without-noise", "scale-as-variance", "variance-as-scale"),
)
def value_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws: equal positions have equal values, and so has their mean."""
    return _variance(trial, "value")


@of_attention(
    "output-variance",
    "A weight of the output has the square of its scale as variance.",
    catches=("attention-output-without-noise", "scale-as-variance", "variance-as-scale"),
)
def output_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known values."""
    return _variance(trial, "output")


@of_attention(
    "weight-tails",
    "Weights are as often far from their means as Gaussians.",
    catches=("uniform-noise",),
)
def weight_tails(trial: AttentionTrial) -> Finding:
    """A binomial count over values and outputs."""
    z = np.concatenate([_pooled(trial, name) for name in ("value", "output")])
    return tails_of(trial, z, "a weight")


CLAIMS = (query_variance, key_variance, value_variance, output_variance, weight_tails)
