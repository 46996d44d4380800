"""What the noise of a recurrent layer is shared by, and what it is not: examples, gates, the two maps, calls.

Draws are read off states as in `recurrent_law`. Where only sizes are compared, signs may be what they like: the claim
is about the base draw, under flipout as under a shared one.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.readings import coin_of
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent
from bayesnoise_reference.families.recurrent_law import READERS, draws, input_draws
from bayesnoise_reference.families.recurrent_steps import READING

CAUSES = {
    "recurrent-hidden-reuses-input-noise": "the weights of the state have the noise of those of the input",
    "recurrent-hidden-eps-kept": "the noise of the weights of the state is drawn once, for all calls",
    "recurrent-bias-eps-kept": "the noise of random biases is drawn once, for all calls",
}
_STATELESS = 2  # the gate, g or n, under which a state stays 0 until something comes in


def _anew(trial: SequenceTrial, what: str, of: str) -> Finding:
    z = np.abs(READERS[what](trial, trial.description.gates[_STATELESS], 1, 2))
    same = bool(np.all(np.abs(z[0] - z[1]) <= 100.0 * trial.guard.eps))
    return exact(
        same, f"two calls have {'the same' if same else 'different'} noise of {of}; it is drawn anew in each", 2
    )


@of_recurrent(
    "calls-draw-anew",
    "Every call draws weights of the input of its own.",
    catches=("eps-across-calls", "recurrent-input-without-noise", "gru-update-reversed", "recurrent-first-input-again"),
)
def calls_draw_anew(trial: SequenceTrial) -> Finding:
    """Exact: the sizes of two continuous draws coincide with probability zero, whatever their signs."""
    return _anew(trial, "input", "the weights of the input")


@of_recurrent(
    "hidden-calls-draw-anew",
    "Every call draws weights of the state of its own.",
    catches=("eps-across-calls", "recurrent-hidden-eps-kept", "recurrent-hidden-without-noise", "recurrent-reversed"),
)
def hidden_calls_draw_anew(trial: SequenceTrial) -> Finding:
    """Exact, likewise."""
    return _anew(trial, "hidden", "the weights of the state")


@of_recurrent(
    "bias-calls-draw-anew",
    "Every call draws biases of its own.",
    when=lambda d: d.bias == "random",
    catches=("eps-across-calls", "recurrent-bias-eps-kept", "bias-noise-missing", "gru-update-reversed"),
)
def bias_calls_draw_anew(trial: SequenceTrial) -> Finding:
    """Exact, likewise."""
    return _anew(trial, "bias", "the biases")


@of_recurrent(
    "examples-share-weights",
    "All sequences of a call have the same weights.",
    kinds=("shared",),
    catches=("noise-per-example",),
)
def examples_share_weights(trial: SequenceTrial) -> Finding:
    """Exact: the same sequence twice."""
    trial.load(trial.random(), trial.scales())
    y = trial.guard.sample(np.repeat(trial.rows(1, 3), 2, axis=0))
    wrong = not np.max(np.abs(y[0] - y[1])) <= trial.rounding
    return exact(wrong, f"the same sequence twice gives {'different' if wrong else 'the same'} states in one call", 1)


@of_recurrent(
    "examples-share-sizes",
    "All sequences of a call have weights whose noise is of the same size.",
    kinds=("flipout",),
    catches=(
        "noise-per-example",
        "signs-zero-one",
        "lstm-forget-missing",
        "lstm-no-tanh-at-output",
        "mean-shrunk",
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
    ),
)
def examples_share_sizes(trial: SequenceTrial) -> Finding:
    """Exact: one base draw, with signs."""
    z = np.abs(input_draws(trial, trial.description.gates[_STATELESS], 4, 4))
    wrong = not np.max(np.abs(z - z[:, :1])) <= READING * trial.guard.eps
    said = "of different sizes" if wrong else "of one size"
    return exact(wrong, f"the noise of a weight is {said} in the sequences of a call; its sign alone may differ", 4)


def _products(trial: SequenceTrial, what: str) -> list[Array]:
    """Of the draws of two equal sequences: for each gate `(calls, ..., h)`, positive where their signs agree."""
    return [z[:, 0] * z[:, 1] for z in draws(trial, what, 2)]


@of_recurrent(
    "signs-per-example",
    "Two sequences have signs of their own on the weights of the input.",
    kinds=("flipout",),
    catches=("signs-shared-across-batch", "gru-update-reversed", "recurrent-first-input-again"),
)
def signs_per_example(trial: SequenceTrial) -> Finding:
    """A fair coin for each unit and call: the signs of one input are a factor common to all units, and fair too."""
    products = np.concatenate([p[:, 0].ravel() for p in _products(trial, "input")])
    return coin_of(trial, products, "two equal sequences agree in the sign of the noise of an input")


@of_recurrent(
    "signs-of-inputs",
    "Two inputs have signs of their own.",
    kinds=("flipout",),
    catches=("no-input-signs", "signs-shared-across-batch", "recurrent-first-input-again"),
)
def signs_of_inputs(trial: SequenceTrial) -> Finding:
    """A fair coin for each call: that two sequences agree at one input says nothing of another."""
    products = np.concatenate([p[:, 0, 0] * p[:, 1, 0] for p in _products(trial, "input")])
    return coin_of(trial, products, "two equal sequences agree at one input as at another")


@of_recurrent(
    "signs-of-outputs",
    "Two units have signs of their own.",
    kinds=("flipout",),
    catches=("no-output-signs", "signs-shared-across-batch", "recurrent-first-input-again"),
)
def signs_of_outputs(trial: SequenceTrial) -> Finding:
    """A fair coin for each pair of units and call."""
    found = [p[:, 0, : 2 * (p.shape[-1] // 2)] for p in _products(trial, "input")]
    products = np.concatenate([(p[:, ::2] * p[:, 1::2]).ravel() for p in found])
    return coin_of(trial, products, "two equal sequences agree at one unit as at another")


@of_recurrent(
    "hidden-signs-per-example",
    "Two sequences have signs of their own on the weights of the state.",
    kinds=("flipout",),
    catches=("recurrent-hidden-signs-missing", "signs-shared-across-batch", "recurrent-first-input-again"),
)
def hidden_signs_per_example(trial: SequenceTrial) -> Finding:
    """A fair coin for each unit and call: each unit has a weight of another state, and a sign of its own."""
    products = np.concatenate([p.ravel() for p in _products(trial, "hidden")])
    return coin_of(trial, products, "two equal sequences agree in the sign of the noise of a state")


CLAIMS = (
    calls_draw_anew,
    hidden_calls_draw_anew,
    bias_calls_draw_anew,
    examples_share_weights,
    examples_share_sizes,
    signs_per_example,
    signs_of_inputs,
    signs_of_outputs,
    hidden_signs_per_example,
)
