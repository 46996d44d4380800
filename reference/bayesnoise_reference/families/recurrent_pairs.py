"""That no two weights of a recurrent layer share noise or signs: all gates, all units, several inputs, both maps.

Every pair of what is read in one call is looked at, so that it does not matter which two are the same. Sizes are
compared, which signs leave alone, and under flipout the signs by which two equal sequences differ.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged
from bayesnoise_reference.claims.readings import pairs_apart_of, pairs_coin_of
from bayesnoise_reference.families._corners import drawn, reading
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent
from bayesnoise_reference.families.recurrent_law import input_draws

CAUSES = {
    "recurrent-gates-share-noise": "one draw of noise serves all gates",
    "recurrent-two-gates-share-noise": "the first two gates have one draw of noise",
    "recurrent-hidden-gates-share-noise": "one draw of noise of the state's weights serves all gates",
    "recurrent-units-share-noise": "the weights of an input to all units of a gate have one draw of noise",
    "recurrent-inputs-share-noise": "the weights of all inputs have one draw of noise",
    "recurrent-bias-gates-share-noise": "one draw of a bias serves all gates",
    "recurrent-gates-share-signs": "the signs of one gate serve all gates",
    "recurrent-hidden-signs-missing": "the weights of the state have no signs",
    "recurrent-hidden-in-signs-missing": "the weights of the state have signs for their columns alone",
    "recurrent-hidden-in-signs-scalar": "one sign a sequence serves all states",
    "recurrent-hidden-out-signs-missing": "the weights of the state have signs for their rows alone",
    "recurrent-maps-share-signs": "the weights of the state have the signs of those of the input for their columns",
}
STATELESS = 2  # the gate, g or n, under which a state stays 0 until something comes in


def _read(trial: SequenceTrial, what: str, n: int) -> Array:
    """(calls, n, G h)."""
    of = reading(trial, what, n)
    return np.stack([drawn(trial, of, trial.guard.sample(of.x)) for _ in range(trial.calls)])


def _flips(trial: SequenceTrial, what: str) -> Array:
    """(calls, G h): positive where two equal sequences have one sign."""
    z = _read(trial, what, 2)
    return z[:, 0] * z[:, 1]


@of_recurrent(
    "inputs-draw-apart",
    "The weights of two inputs, and those of two units, have noise of their own.",
    catches=("recurrent-units-share-noise", "recurrent-inputs-share-noise"),
)
def inputs_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs of weights to one gate."""
    z = input_draws(trial, trial.description.gates[STATELESS], 1, trial.calls)
    return pairs_apart_of(trial, z.reshape(trial.calls, -1), "weights of the input")


@of_recurrent(
    "gates-draw-apart",
    "The weights of one input to all units of all gates have noise of their own.",
    when=lambda d: d.inputs >= 3,
    catches=("recurrent-gates-share-noise", "recurrent-two-gates-share-noise", "recurrent-units-share-noise"),
)
def gates_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, _read(trial, "input", 1)[:, 0], "weights of an input")


@of_recurrent(
    "hidden-gates-draw-apart",
    "The weights of one state to all units of all gates have noise of their own.",
    catches=("recurrent-gates-share-noise", "recurrent-hidden-gates-share-noise"),
)
def hidden_gates_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, _read(trial, "hidden", 1)[:, 0], "weights of a state")


@of_recurrent(
    "biases-draw-apart",
    "The biases of all units of all gates have noise of their own.",
    when=lambda d: d.bias == "random",
    catches=("recurrent-bias-gates-share-noise",),
)
def biases_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs."""
    return pairs_apart_of(trial, _read(trial, "input_bias", 1)[:, 0], "biases")


@of_recurrent(
    "signs-of-gates",
    "All units of all gates have signs of their own on the weights of the input.",
    kinds=("flipout",),
    when=lambda d: d.inputs >= 3,
    catches=("recurrent-gates-share-signs", "no-output-signs", "signs-shared-across-batch"),
)
def signs_of_gates(trial: SequenceTrial) -> Finding:
    """A fair coin for each pair and call."""
    return pairs_coin_of(trial, _flips(trial, "input"), "the weights of an input to units and gates")


@of_recurrent(
    "hidden-signs-of-gates",
    "All units of all gates have signs of their own on the weights of the state.",
    kinds=("flipout",),
    catches=(
        "recurrent-gates-share-signs",
        "recurrent-hidden-out-signs-missing",
        "recurrent-hidden-signs-missing",
        "no-output-signs",
        "signs-shared-across-batch",
    ),
)
def hidden_signs_of_gates(trial: SequenceTrial) -> Finding:
    """A fair coin for each pair and call."""
    return pairs_coin_of(trial, _flips(trial, "hidden"), "the weights of a state to units and gates")


@of_recurrent(
    "hidden-signs-of-states",
    "Two states have signs of their own.",
    kinds=("flipout",),
    catches=(
        "recurrent-hidden-in-signs-missing",
        "recurrent-hidden-in-signs-scalar",
        "recurrent-hidden-signs-missing",
        "no-input-signs",
        "signs-shared-across-batch",
    ),
)
def hidden_signs_of_states(trial: SequenceTrial) -> Finding:
    """A binomial count: what units have from h states is of one size in two equal sequences where all of the h signs
    agree, or none, with a probability of 2^(1 - h)."""
    d, gate = trial.description, trial.description.gates[STATELESS]
    each = np.full((d.units, d.units), 0.2 / np.sqrt(d.units))
    trial.load(trial.reading(gate) | trial.kick(gate), {"hidden": trial.only(gate, each)})
    equal, x = 0, trial.kicks(2, 2)
    for _ in range(trial.calls):
        a = np.abs(trial.decode(gate, trial.guard.sample(x))[:, 0])
        equal += bool(np.all(np.abs(a[0] - a[1]) <= 100.0 * trial.guard.eps))
    verdict = statistics.binomial(equal, trial.calls, 2.0 ** (1 - d.units), alpha=trial.alpha)
    share = equal / trial.calls
    return judged(verdict, f"two equal sequences have noise of one size from all states in {share:.1%} of calls")


def _maps(trial: SequenceTrial, n: int) -> Array:
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
    catches=("recurrent-hidden-reuses-input-noise",),
)
def maps_draw_apart(trial: SequenceTrial) -> Finding:
    """The correlation of sizes, of all pairs: one step shows the one, the next the other."""
    z = _maps(trial, 1)[:, 0]
    return pairs_apart_of(trial, z, "weights of the input and of the state", trial.description.units)


@of_recurrent(
    "maps-signs-apart",
    "The weights of the input and those of the state have signs of their own.",
    kinds=("flipout",),
    catches=("recurrent-maps-share-signs", "no-output-signs"),
)
def maps_signs_apart(trial: SequenceTrial) -> Finding:
    """A fair coin for each pair of units and call: a unit's two signs flip together as often as not."""
    z = _maps(trial, 2)
    flips = z[:, 0] * z[:, 1]
    h = trial.description.units
    return pairs_coin_of(trial, flips[:, :h] * flips[:, h:], "the signs of units, of the input's with the state's,")


CLAIMS = (
    inputs_draw_apart,
    gates_draw_apart,
    hidden_gates_draw_apart,
    biases_draw_apart,
    signs_of_gates,
    hidden_signs_of_gates,
    hidden_signs_of_states,
    maps_draw_apart,
    maps_signs_apart,
)
