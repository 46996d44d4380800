"""How a gate of a recurrent cell is read off its states: the biases that leave it alone, and the inverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import logit

from bayesnoise_reference._typing import Array

OPEN = 40.0  # sigmoid(40) is 1 to rounding, and so is tanh(40)


class Gate(NamedTuple):
    """How one gate is read: the biases of all gates, and its pre-activations from the states `(n, t, h)`."""

    place: int
    input_bias: tuple[float, ...]
    hidden_bias: tuple[float, ...]
    decode: Callable[[Array], Array]


def _before(states: Array) -> Array:
    """The states before each step."""
    return np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)


def _forget(states: Array) -> Array:
    """Where c_t = f_t c_t-1 + 1 and h_t = tanh(c_t): from the second step on."""
    c = np.arctanh(states)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(logit((c - 1.0) / np.where(_before(c) == 0.0, 1.0, _before(c))))


_NONE4, _NONE3 = (0.0,) * 4, (0.0,) * 3
GATES: dict[str, tuple[Gate, ...]] = {
    "lstm": (
        Gate(0, (0.0, -OPEN, OPEN, OPEN), _NONE4, lambda h: np.asarray(logit(np.arctanh(h)))),
        Gate(1, (OPEN, 0.0, OPEN, OPEN), _NONE4, _forget),
        Gate(2, (OPEN, -OPEN, 0.0, OPEN), _NONE4, lambda h: np.arctanh(np.arctanh(h))),
        Gate(3, (OPEN, -OPEN, OPEN, 0.0), _NONE4, lambda h: np.asarray(logit(h / math.tanh(1.0)))),
    ),
    "gru": (
        Gate(0, (0.0, -OPEN, 0.0), (0.0, 0.0, 1.0), lambda h: np.asarray(logit(np.arctanh(h)))),
        Gate(1, (0.0, 0.0, OPEN), _NONE3, lambda h: np.asarray(logit((1.0 - h) / (1.0 - _before(h))))),
        Gate(2, (OPEN, -OPEN, 0.0), _NONE3, np.arctanh),
    ),
}
