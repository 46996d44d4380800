"""What positions, examples, projections and calls of attention share of their noise, and what they do not."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.readings import apart_of, coin_of
from bayesnoise_reference.families.attention import PROJECTIONS, AttentionTrial, of_attention

CAUSES = {
    "attention-noise-per-position": "every position has noise of its own, so that positions are projected apart",
    "attention-projections-share-noise": "all four projections have the noise of one draw",
}
READING = 1e4  # what rounding may do to a draw that is read off an output, in units of it


@of_attention(
    "positions-share-weights",
    "Equal positions have equal outputs, whatever was drawn.",
    catches=("attention-noise-per-position",),
)
def positions_share_weights(trial: AttentionTrial) -> Finding:
    """Exact: one draw of each projection serves all positions of an example."""
    trial.random()
    y = trial.guard.sample(np.repeat(trial.rows(2, 1), 4, axis=1))
    wrong = not np.max(np.abs(y - y[:, :1])) <= trial.rounding
    return exact(wrong, f"equal positions have {'different' if wrong else 'equal'} outputs in one call", 1)


@of_attention(
    "examples-share-weights",
    "All examples of a call have the same projections.",
    kinds=("shared",),
    catches=("noise-per-example",),
)
def examples_share_weights(trial: AttentionTrial) -> Finding:
    """Exact."""
    trial.random()
    y = trial.guard.sample(np.repeat(trial.rows(1, 3), 2, axis=0))
    wrong = not np.max(np.abs(y[0] - y[1])) <= trial.rounding
    return exact(wrong, f"equal examples have {'different' if wrong else 'equal'} outputs in one call", 1)


@of_attention(
    "examples-share-sizes",
    "All examples of a call have projections whose noise is of the same size.",
    kinds=("flipout",),
    catches=("noise-per-example", "signs-zero-one"),
)
def examples_share_sizes(trial: AttentionTrial) -> Finding:
    """Exact: one base draw of each projection, with signs."""
    wrong = False
    for name in PROJECTIONS:
        z = np.abs(trial.read(name, 0.5, 4, 2))
        wrong = wrong or not np.max(np.abs(z - z[:, :1])) <= READING * trial.guard.eps
    said = "of different sizes" if wrong else "of one size"
    return exact(wrong, f"the noise of a weight is {said} in the examples of a call; its sign alone may differ", 8)


def _products(trial: AttentionTrial, name: str, calls: int) -> Array:
    """(calls, m): positive where two equal examples agree in the sign of a weight's noise."""
    z = trial.read(name, 0.5, 2, calls)
    return np.asarray(z[:, 0] * z[:, 1])


@of_attention(
    "signs-per-example",
    "Two examples have signs of their own, in every projection.",
    kinds=("flipout",),
    catches=("signs-shared-across-batch",),
)
def signs_per_example(trial: AttentionTrial) -> Finding:
    """A fair coin for each call and projection."""
    products = np.concatenate([_products(trial, name, trial.calls // 2)[:, 0] for name in PROJECTIONS])
    return coin_of(trial, products, "two equal examples agree in the sign of a weight's noise")


@of_attention(
    "signs-of-outputs",
    "Two features of what a projection gives have signs of their own.",
    kinds=("flipout",),
    catches=("no-output-signs", "signs-shared-across-batch"),
)
def signs_of_outputs(trial: AttentionTrial) -> Finding:
    """A fair coin for each call: that two examples agree at one feature says nothing of another."""
    products = [_products(trial, name, trial.calls // 2) for name in ("query", "value", "output")]
    return coin_of(
        trial,
        np.concatenate([p[:, 0] * p[:, 1] for p in products]),
        "two equal examples agree at a feature as at another",
    )


@of_attention(
    "signs-of-inputs",
    "Two features of what a projection takes have signs of their own.",
    kinds=("flipout",),
    catches=("no-input-signs", "signs-shared-across-batch"),
)
def signs_of_inputs(trial: AttentionTrial) -> Finding:
    """A fair coin for each call, at the weights from two features to one place of a key."""
    p = _products(trial, "key", trial.calls)
    return coin_of(trial, p[:, 0] * p[:, 1], "two equal examples agree at one feature as at another")


@of_attention(
    "outputs-draw-apart",
    "Two features of what a projection gives have noise of their own.",
    catches=("eps-shared-across-outputs",),
)
def outputs_draw_apart(trial: AttentionTrial) -> Finding:
    """The correlation of the sizes of two independent normal draws."""
    read = [trial.read(name, 0.5, 1, trial.calls // 2)[:, 0, :2] for name in ("query", "value", "output")]
    z = np.concatenate(read)
    return apart_of(trial, z[:, 0], z[:, 1], "two features of what a projection gives")


@of_attention(
    "inputs-draw-apart",
    "Two features of what a projection takes have noise of their own.",
    catches=("eps-shared-across-inputs",),
)
def inputs_draw_apart(trial: AttentionTrial) -> Finding:
    """The correlation of the sizes of two independent normal draws, at two weights to one place of a key."""
    z = trial.read("key", 0.5, 1, trial.calls)[:, 0, :2]
    return apart_of(trial, z[:, 0], z[:, 1], "two features of what a projection takes")


@of_attention(
    "projections-draw-apart",
    "Two projections have noise of their own.",
    needs=("sample", "gradients"),
    catches=("attention-projections-share-noise",),
)
def projections_draw_apart(trial: AttentionTrial) -> Finding:
    """The correlation of the sizes of draws, each the quotient of the gradients of a scale and of its mean."""
    found = []
    for _ in range(trial.calls):
        held, x = trial.random(), trial.rows(1, 3)
        by = trial.guard.gradients(x, trial.rows(1, 3))
        z = np.stack([np.ravel(by[f"{k}_rho"] / (by[f"{k}_mean"] * held.slope[k])) for k in PROJECTIONS])
        found.append(z[:, np.all(np.isfinite(z), axis=0)])
    z = np.concatenate(found, axis=1)
    return apart_of(trial, np.ravel(z[0::2]), np.ravel(z[1::2]), "two projections")


@of_attention(
    "calls-draw-anew",
    "Every call draws weights of its own, in every projection.",
    catches=("eps-across-calls",),
)
def calls_draw_anew(trial: AttentionTrial) -> Finding:
    """Exact: that the sizes of several continuous draws all coincide, up to rounding, is all but impossible."""
    same = False
    for name in PROJECTIONS:
        z = np.abs(trial.read(name, 0.5, 1, 4))
        same = same or not np.any(np.abs(z[1:] - z[0]) > READING * trial.guard.eps)
    return exact(same, f"calls have {'the same' if same else 'different'} noise; it is drawn anew in each", 16)


CLAIMS = (
    positions_share_weights,
    examples_share_weights,
    examples_share_sizes,
    signs_per_example,
    signs_of_outputs,
    signs_of_inputs,
    outputs_draw_apart,
    inputs_draw_apart,
    projections_draw_apart,
    calls_draw_anew,
)
