"""The laws of the four projections of attention, and what positions, examples and calls share of their noise."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding, claim
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._readings import coin_of, tails_of, variance_of
from bayesnoise_reference.families.attention import PROJECTIONS, AttentionTrial

FAMILY = ("attention",)
KINDS = ("shared", "flipout")

CAUSES = {
    "attention-query-without-noise": "the projection to queries has no noise",
    "attention-key-without-noise": "the projection to keys has no noise",
    "attention-value-without-noise": "the projection to values has no noise",
    "attention-output-without-noise": "the projection of the output has no noise",
    "attention-noise-per-position": "every position has noise of its own, so that positions are projected apart",
}
READING = 1e4  # what rounding may do to a draw that is read off an output, in units of it


def _pooled(trial: AttentionTrial, name: str) -> Array:
    """Half of the calls with narrow scales and half with wide ones, where a wrong transformation shows in either."""
    half = -(-trial.calls // 2)
    return np.concatenate([trial.read(name, level, 1, half).ravel() for level in (0.15, 0.8)])


def _variance(trial: AttentionTrial, name: str) -> Finding:
    return variance_of(trial, _pooled(trial, name), f"a weight of the {name}")


@claim(
    "query-variance",
    "A weight of the query, read off the attention, has the square of its scale as variance.",
    catches=("attention-query-without-noise", "scale-as-variance", "variance-as-scale"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def query_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known keys."""
    return _variance(trial, "query")


@claim(
    "key-variance",
    "A weight of the key, read off the attention, has the square of its scale as variance.",
    catches=("attention-key-without-noise", "scale-as-variance", "variance-as-scale"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def key_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known queries."""
    return _variance(trial, "key")


@claim(
    "value-variance",
    "A weight of the value has the square of its scale as variance, also where positions are averaged.",
    catches=("attention-value-without-noise", "scale-as-variance", "variance-as-scale"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def value_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws: equal positions have equal values, and so has their mean."""
    return _variance(trial, "value")


@claim(
    "output-variance",
    "A weight of the output has the square of its scale as variance.",
    catches=("attention-output-without-noise", "scale-as-variance", "variance-as-scale"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def output_variance(trial: AttentionTrial) -> Finding:
    """The variance of iid standard normal draws, given known values."""
    return _variance(trial, "output")


@claim(
    "weight-tails",
    "Weights are as often far from their means as Gaussians.",
    catches=("uniform-noise",),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def weight_tails(trial: AttentionTrial) -> Finding:
    """A binomial count over values and outputs."""
    z = np.concatenate([_pooled(trial, name) for name in ("value", "output")])
    return tails_of(trial, z, "a weight")


@claim(
    "positions-share-weights",
    "Equal positions have equal outputs, whatever was drawn.",
    catches=("attention-noise-per-position",),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def positions_share_weights(trial: AttentionTrial) -> Finding:
    """Exact: one draw of each projection serves all positions of an example."""
    trial.random()
    y = trial.guard.sample(np.repeat(trial.rows(2, 1), 4, axis=1))
    wrong = not np.max(np.abs(y - y[:, :1])) <= trial.rounding
    return exact(wrong, f"equal positions have {'different' if wrong else 'equal'} outputs in one call", 1)


@claim(
    "examples-share-weights",
    "All examples of a call have the same projections.",
    catches=("noise-per-example",),
    families=FAMILY,
    estimators=("shared",),
    trial=AttentionTrial,
)
def examples_share_weights(trial: AttentionTrial) -> Finding:
    """Exact."""
    trial.random()
    y = trial.guard.sample(np.repeat(trial.rows(1, 3), 2, axis=0))
    wrong = not np.max(np.abs(y[0] - y[1])) <= trial.rounding
    return exact(wrong, f"equal examples have {'different' if wrong else 'equal'} outputs in one call", 1)


@claim(
    "examples-share-sizes",
    "All examples of a call have projections whose noise is of the same size.",
    catches=("noise-per-example", "signs-zero-one"),
    families=FAMILY,
    estimators=("flipout",),
    trial=AttentionTrial,
)
def examples_share_sizes(trial: AttentionTrial) -> Finding:
    """Exact: one base draw of each projection, with signs."""
    wrong = False
    for name in PROJECTIONS:
        z = np.abs(trial.read(name, 0.5, 4, 2))
        wrong = wrong or not np.max(np.abs(z - z[:, :1])) <= READING * trial.guard.eps
    said = "of different sizes" if wrong else "of one size"
    return exact(wrong, f"the noise of a weight is {said} in the examples of a call; its sign alone may differ", 8)


def _products(trial: AttentionTrial, name: str) -> Array:
    """(calls, m): positive where two equal examples agree in the sign of a weight's noise."""
    z = trial.read(name, 0.5, 2, trial.calls)
    return np.asarray(z[:, 0] * z[:, 1])


@claim(
    "signs-per-example",
    "Two examples have signs of their own, in every projection.",
    catches=("signs-shared-across-batch",),
    families=FAMILY,
    estimators=("flipout",),
    trial=AttentionTrial,
)
def signs_per_example(trial: AttentionTrial) -> Finding:
    """A fair coin for each call and projection."""
    products = np.concatenate([_products(trial, name)[:, 0] for name in PROJECTIONS])
    return coin_of(trial, products, "two equal examples agree in the sign of a weight's noise")


@claim(
    "signs-of-outputs",
    "Two features of what a projection gives have signs of their own.",
    catches=("no-output-signs", "signs-shared-across-batch"),
    families=FAMILY,
    estimators=("flipout",),
    trial=AttentionTrial,
)
def signs_of_outputs(trial: AttentionTrial) -> Finding:
    """A fair coin for each call: that two examples agree at one feature says nothing of another."""
    products = [_products(trial, name) for name in ("query", "value", "output")]
    return coin_of(
        trial,
        np.concatenate([p[:, 0] * p[:, 1] for p in products]),
        "two equal examples agree at a feature as at another",
    )


@claim(
    "signs-of-inputs",
    "Two features of what a projection takes have signs of their own.",
    catches=("no-input-signs", "signs-shared-across-batch"),
    families=FAMILY,
    estimators=("flipout",),
    trial=AttentionTrial,
)
def signs_of_inputs(trial: AttentionTrial) -> Finding:
    """A fair coin for each call, at the weights from two features to one place of a key."""
    p = _products(trial, "key")
    return coin_of(trial, p[:, 0] * p[:, 1], "two equal examples agree at one feature as at another")


@claim(
    "calls-draw-anew",
    "Every call draws weights of its own.",
    catches=("eps-across-calls",),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def calls_draw_anew(trial: AttentionTrial) -> Finding:
    """Exact: the sizes of two continuous draws coincide with probability zero, whatever their signs."""
    z = np.abs(trial.read("query", 0.5, 1, 2))
    same = not np.any(np.abs(z[0] - z[1]) > READING * trial.guard.eps)
    return exact(same, f"two calls have {'the same' if same else 'different'} noise; it is drawn anew in each", 2)


CLAIMS = (
    query_variance,
    key_variance,
    value_variance,
    output_variance,
    weight_tails,
    positions_share_weights,
    examples_share_weights,
    examples_share_sizes,
    signs_per_example,
    signs_of_outputs,
    signs_of_inputs,
    calls_draw_anew,
)
