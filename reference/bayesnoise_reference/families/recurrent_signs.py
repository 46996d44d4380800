"""The signs of a recurrent layer under flipout: of all gates, all units, all states and both maps.

Two equal sequences of a call differ by signs alone. Every pair of what is read in one call is looked at, so that it
does not matter which two are the same.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged
from bayesnoise_reference.claims.pictured import outcomes
from bayesnoise_reference.claims.readings import pairs_coin_of
from bayesnoise_reference.families._wrong_cells import WRONG_ORDER, WRONG_SIGNS
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent
from bayesnoise_reference.families.recurrent_pairs import STATELESS, both_maps, read

CAUSES = {
    "recurrent-gates-share-signs": "the signs of one gate serve all gates",
    "recurrent-hidden-signs-missing": "the weights of the state have no signs",
    "recurrent-hidden-in-signs-missing": "the weights of the state have signs for their columns alone",
    "recurrent-hidden-in-signs-scalar": "one sign a sequence serves all states",
    "recurrent-hidden-out-signs-missing": "the weights of the state have signs for their rows alone",
    "recurrent-maps-share-signs": "the weights of the state have the signs of those of the input for their columns",
}
_NO_SIGNS = ("no-output-signs", "signs-shared-across-batch")


def _flips(trial: SequenceTrial, what: str) -> Array:
    """(calls, G h): positive where two equal sequences have one sign."""
    z = read(trial, what, 2)
    return z[:, 0] * z[:, 1]


@of_recurrent(
    "signs-of-gates",
    "All units of all gates have signs of their own on the weights of the input.",
    kinds=("flipout",),
    when=lambda d: d.inputs >= 3,
    catches=(
        "recurrent-gates-share-signs",
        *_NO_SIGNS,
        *WRONG_SIGNS,
        "gru-reset-before",
        "recurrent-first-input-again",
        "recurrent-input-without-noise",
    ),
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
        *_NO_SIGNS,
        *WRONG_SIGNS,
        "recurrent-hidden-without-noise",
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
        "gru-update-reversed",
        "recurrent-reversed",
        "recurrent-hidden-without-noise",
    ),
)
def hidden_signs_of_states(trial: SequenceTrial) -> Finding:
    """A binomial count: what units have from h states is of one size in two equal sequences where all of the h signs
    agree, or none, with a probability of 2^(1 - h)."""
    d, gate = trial.description, trial.description.gates[STATELESS]
    each = np.full((d.units, d.units), 0.2 / np.sqrt(d.units))
    trial.load(trial.reading(gate) | trial.kick(gate), {"hidden": trial.only(gate, each)})
    equal, x = [], trial.kicks(2, 2)
    for _ in range(trial.calls):
        a = np.abs(trial.decode(gate, trial.guard.sample(x))[:, 0])
        equal.append(bool(np.all(np.abs(a[0] - a[1]) <= 100.0 * trial.guard.eps)))
    right = 2.0 ** (1 - d.units)
    verdict = statistics.binomial(sum(equal), trial.calls, right, alpha=trial.alpha)
    said = f"two equal sequences have noise of one size from all states in {sum(equal) / trial.calls:.1%} of calls"
    return judged(verdict, said, outcomes(np.array(equal), right, ("of one size", "of two sizes")))


@of_recurrent(
    "maps-signs-apart",
    "The weights of the input and those of the state have signs of their own.",
    kinds=("flipout",),
    catches=(
        "recurrent-maps-share-signs",
        *_NO_SIGNS,
        *WRONG_ORDER,
        "recurrent-first-input-again",
        "recurrent-input-without-noise",
    ),
)
def maps_signs_apart(trial: SequenceTrial) -> Finding:
    """A fair coin for each pair of units and call: a unit's two signs flip together as often as not."""
    z = both_maps(trial, 2)
    flips = z[:, 0] * z[:, 1]
    h = trial.description.units
    return pairs_coin_of(trial, flips[:, :h] * flips[:, h:], "the signs of units, of the input's with the state's,")


CLAIMS = (signs_of_gates, hidden_signs_of_gates, hidden_signs_of_states, maps_signs_apart)
