"""That no two weights of a recurrent layer share noise: all gates, all units, several inputs, both maps.

Every pair of what is read in one call is looked at, so that it does not matter which two are the same. Sizes are
compared, which signs leave alone.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.readings import pairs_apart_of
from bayesnoise_reference.families._corners import drawn, reading
from bayesnoise_reference.families._wrong_cells import WRONG_DRAW, WRONG_INPUT, WRONG_PASS
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent
from bayesnoise_reference.families.recurrent_law import input_draws

CAUSES = {
    "recurrent-gates-share-noise": "one draw of noise serves all gates",
    "recurrent-two-gates-share-noise": "the first two gates have one draw of noise",
    "recurrent-hidden-gates-share-noise": "one draw of noise of the state's weights serves all gates",
    "recurrent-units-share-noise": "the weights of an input to all units of a gate have one draw of noise",
    "recurrent-inputs-share-noise": "the weights of all inputs have one draw of noise",
    "recurrent-bias-gates-share-noise": "one draw of a bias serves all gates",
}
STATELESS = 2  # the gate, g or n, under which a state stays 0 until something comes in


def read(trial: SequenceTrial, what: str, n: int) -> Array:
    """(calls, n, G h)."""
    of = reading(trial, what, n)
    return np.stack([drawn(trial, of, trial.guard.sample(of.x)) for _ in range(trial.calls)])


@of_recurrent(
    "inputs-draw-apart",
    "The weights of two inputs, and those of two units, have noise of their own.",
    catches=(
        "recurrent-units-share-noise",
        "recurrent-inputs-share-noise",
        *WRONG_INPUT,
        "lstm-forget-missing",
        "gru-update-reversed",
        "eps-across-calls",
        "recurrent-input-without-noise",
    ),
)
def inputs_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs of weights to one gate."""
    z = input_draws(trial, trial.description.gates[STATELESS], 1, trial.calls)
    return pairs_apart_of(trial, z.reshape(trial.calls, -1), "weights of the input")


@of_recurrent(
    "gates-draw-apart",
    "The weights of one input to all units of all gates have noise of their own.",
    when=lambda d: d.inputs >= 3,
    catches=(
        "recurrent-gates-share-noise",
        "recurrent-two-gates-share-noise",
        "recurrent-units-share-noise",
        *WRONG_DRAW,
        "signs-on-the-whole-weight",
        "recurrent-input-without-noise",
    ),
)
def gates_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, read(trial, "input", 1)[:, 0], "weights of an input")


@of_recurrent(
    "hidden-gates-draw-apart",
    "The weights of one state to all units of all gates have noise of their own.",
    catches=(
        "recurrent-gates-share-noise",
        "recurrent-hidden-gates-share-noise",
        *WRONG_PASS,
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
        "recurrent-hidden-without-noise",
    ),
)
def hidden_gates_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, read(trial, "hidden", 1)[:, 0], "weights of a state")


@of_recurrent(
    "biases-draw-apart",
    "The biases of all units of all gates have noise of their own.",
    when=lambda d: d.bias == "random",
    catches=(
        "recurrent-bias-gates-share-noise",
        *WRONG_DRAW,
        "eps-across-calls",
        "bias-noise-missing",
        "recurrent-bias-eps-kept",
    ),
)
def biases_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, read(trial, "input_bias", 1)[:, 0], "biases")


def both_maps(trial: SequenceTrial, n: int) -> Array:
    """(calls, n, 2 h): the draws of an input's weights to one gate, and of a state's, in one call."""
    d, gate = trial.description, trial.description.gates[STATELESS]
    at, scale = trial.columns(gate), np.zeros((2, d.inputs + d.units, d.units))
    scale[0, 0], scale[1, 0] = 0.1, 0.1
    means = trial.reading(gate) | {"input": trial.only(gate, 9.5 * scale[0, : d.inputs])}
    of = {"input": trial.only(gate, scale[0, : d.inputs]), "hidden": trial.only(gate, scale[1, : d.units])}
    held, found = trial.load(means, of), []
    x = trial.kicks(n, 3)[:, [1, 0, 2]]
    for _ in range(trial.calls):
        y = trial.guard.sample(x)
        a = trial.decode(gate, y)
        of_input = (a[:, 0] - held.mean["input"][0, at]) / held.scale["input"][0, at]
        of_hidden = a[:, 1] / y[:, 1, :1] / held.scale["hidden"][0, at]
        found.append(np.concatenate([of_input, of_hidden], axis=1))
    return np.stack(found)


@of_recurrent(
    "maps-draw-apart",
    "The weights of the input and those of the state have noise of their own.",
    catches=("recurrent-hidden-reuses-input-noise", *WRONG_INPUT, "lstm-no-tanh-at-output", "gru-update-reversed"),
)
def maps_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs: one step shows the one, the next the other."""
    z = both_maps(trial, 1)[:, 0]
    return pairs_apart_of(trial, z, "weights of the input and of the state", trial.description.units)


CLAIMS = (inputs_draw_apart, gates_draw_apart, hidden_gates_draw_apart, biases_draw_apart, maps_draw_apart)
