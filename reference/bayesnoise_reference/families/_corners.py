"""Every gate of a recurrent layer read in one call: the last two inputs say at each step which one.

Gates of an LSTM are read at the corners p of a square, where the biases 40 and the weights -20 p of the two inputs
leave 0, and 40 or 80 at the other corners, with the sign that opens the gate or shuts it. Those of a GRU are read at
the corners of a triangle. What else comes in, from one input, one state or one bias, is the same draw at all steps. No
state that it is read with comes near 0, as the candidate of an LSTM, which may be 0, is read last.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import logit

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families._gates import OPEN
from bayesnoise_reference.families.recurrent import Held, SequenceTrial

SCALE = 0.1  # of what is read: |eps| is below 9.5 but for a probability of 1e-21, so that 1 + SCALE eps is above 0


class Corners(NamedTuple):
    """The biases of the gates, the weights of the last two inputs, and the corners in the order of the steps."""

    input_bias: tuple[float, ...]
    weights: tuple[tuple[float, ...], tuple[float, ...]]
    hidden_bias: tuple[float, ...]
    places: tuple[int, ...]  # the gates in that order, from the second step on; the first is read like the second
    points: tuple[tuple[float, float], ...]


_HALF = OPEN / 2.0
CORNERS = {
    "lstm": Corners(
        (OPEN, -OPEN, OPEN, OPEN),
        ((-_HALF, _HALF, _HALF, _HALF), (-_HALF, -_HALF, -_HALF, _HALF)),
        (0.0,) * 4,
        (0, 1, 3, 2),
        ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 1.0)),
    ),
    "gru": Corners(
        (0.0, -OPEN, 0.0),
        ((OPEN, 0.0, 0.0), (0.0, OPEN, OPEN)),
        (0.0, 0.0, 1.0),
        (2, 0, 1),
        ((1.0, 0.0), (0.0, 0.0), (0.0, 1.0)),
    ),
}


class Reading(NamedTuple):
    """What is loaded, the sequence that reads it, equal in all examples, and where the draw comes from."""

    held: Held
    x: Array
    what: str  # "input", "hidden", "input_bias" or "hidden_bias"


def reading(trial: SequenceTrial, what: str, n: int = 1) -> Reading:
    """Load a layer in which the first row of one array is random alone, in the columns of every gate."""
    d, corners = trial.description, CORNERS[trial.description.family]
    mean = np.zeros((d.inputs, d.columns))
    mean[-2:] = np.repeat(np.array(corners.weights), d.units, axis=1)
    biases = {k: np.repeat(getattr(corners, k), d.units) for k in ("input_bias", "hidden_bias")}
    scale = np.zeros(trial.shapes()[what])
    first = scale if scale.ndim == 1 else scale[0]
    first[...] = SCALE
    x = np.zeros((n, len(corners.points) + 1, d.inputs))
    x[:, 0, -2:] = corners.points[0]
    x[:, 1:, -2:] = corners.points
    if what == "input":
        x[:, 1:, 0] = 1.0
    return Reading(trial.load(biases | {"input": mean}, {what: scale}), x, what)


def drawn(trial: SequenceTrial, of: Reading, y: Array) -> Array:
    """(n, G h): the standard normal draws behind the states of a call."""
    seen = y[:, :-1, :1] if of.what == "hidden" else np.ones((*y[:, 1:, 0].shape, 1))
    with np.errstate(all="ignore"):
        read = _lstm(y) if trial.description.family == "lstm" else _gru(y, seen, of.what.startswith("hidden"))
    places = CORNERS[trial.description.family].places
    found = np.empty((len(y), len(places), y.shape[2]))
    for k, place in enumerate(places):
        found[:, place] = read[k] / seen[:, k]
    scale = of.held.scale[of.what]
    return found.reshape(len(y), -1) / (scale if scale.ndim == 1 else scale[0])


def _lstm(y: Array) -> list[Array]:
    """The pre-activations of i, f, o and g."""
    memory = np.arctanh(y)
    return [
        np.asarray(logit(memory[:, 1])),
        np.asarray(logit((memory[:, 2] - 1.0) / memory[:, 1])),
        np.asarray(logit(y[:, 3] / math.tanh(1.0))),
        np.arctanh(memory[:, 4]),
    ]


def _gru(y: Array, seen: Array, reset: bool) -> list[Array]:
    """Those of n, r and z; `reset` says whether the reset gate multiplies what comes in."""
    before = np.arctanh(y)
    n = before[:, 1] - 1.0
    again = n * seen[:, 1] / seen[:, 0]
    r = before[:, 2] / (1.0 + again) if reset else before[:, 2] - again
    return [n, np.asarray(logit(r)), np.asarray(logit((1.0 - y[:, 3]) / (1.0 - y[:, 2])))]
