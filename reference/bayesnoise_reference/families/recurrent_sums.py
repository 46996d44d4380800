"""Whole pre-activations of a recurrent layer: the noise of all inputs, and that of all states, adds up in squares."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.numbers import sum_of_squares
from bayesnoise_reference.claims.readings import variance_of
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent
from bayesnoise_reference.families.recurrent_pairs import STATELESS

CAUSES = {"recurrent-states-share-noise": "the weights of all states have one draw of noise"}
_CALLS = 128  # show noise that half of the states repeat


def _sums(trial: SequenceTrial, name: str, x: Array, means: dict[str, Array]) -> Array:
    """(calls,): of each call the squares of the units' pre-activations, added up, as a standard normal number.

    Those of one gate at the second step, of mean 0, in units of their standard deviation.
    """
    d, gate = trial.description, trial.description.gates[STATELESS]
    rows, at = trial.shapes()[name][0], trial.columns(gate)
    scale = trial.only(gate, np.full((rows, d.units), 0.3 / np.sqrt(rows)))
    held, draws = trial.load(trial.reading(gate) | means, {name: scale}), []
    for _ in range(max(trial.calls, _CALLS)):
        y = trial.guard.sample(x)
        seen = x[0, 1] if name == "input" else y[0, 0]
        draws.append(trial.decode(gate, y)[0, 0] / np.sqrt(seen**2 @ held.scale[name][:, at] ** 2))
    return sum_of_squares(np.stack(draws))


@of_recurrent(
    "input-sum-squares",
    "The noise of all inputs together has the sum of the variances that each adds.",
    catches=(
        "recurrent-inputs-share-noise",
        "recurrent-input-without-noise",
        "gru-update-reversed",
        "recurrent-first-input-again",
        "recurrent-units-share-noise",
        "scale-as-variance",
        "variance-as-scale",
        "scale-softplus-missing",
        "signs-zero-one",
    ),
)
def input_sum_squares(trial: SequenceTrial) -> Finding:
    """The variance of chi-square sums, one a call. Weights that share noise leave it right on average under flipout,
    whose signs make them cancel or add up in all units alike.
    """
    x = np.abs(trial.away_from_zero(1, 2, trial.description.inputs)) * np.array([0.0, 1.0])[:, None]
    return variance_of(trial, _sums(trial, "input", x, {}), "the sum of squares of what all inputs add to the units")


@of_recurrent(
    "hidden-sum-squares",
    "The noise of all states together has the sum of the variances that each adds.",
    catches=(
        "recurrent-states-share-noise",
        "recurrent-hidden-without-noise",
        "gru-update-reversed",
        "lstm-forget-missing",
        "recurrent-gates-in-another-order",
        "recurrent-reversed",
        "recurrent-first-input-again",
        "scale-as-variance",
        "variance-as-scale",
        "scale-softplus-missing",
        "signs-zero-one",
    ),
)
def hidden_sum_squares(trial: SequenceTrial) -> Finding:
    """The variance of chi-square sums, as above."""
    kick = trial.kick(trial.description.gates[STATELESS])
    return variance_of(
        trial, _sums(trial, "hidden", trial.kicks(1, 2), kick), "the sum of squares of what all states add to the units"
    )


CLAIMS = (input_sum_squares, hidden_sum_squares)
