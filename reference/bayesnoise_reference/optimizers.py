"""Optimizers on one vector of numbers, a whole run at a time, as the papers print them.

Each takes the start `(d,)`, the gradient of every step as a function of the point, and the learning rate of every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bayesnoise_reference._typing import Array

Gradient = Callable[[Array, int], Array]


def sgd(start: Array, gradient: Gradient, rates: Sequence[float], momentum: float, nesterov: bool) -> Array:
    """The velocity is a sum over all past gradients; with nesterov one more step along it is taken in advance."""
    x, past = start.copy(), []
    for t, rate in enumerate(rates):
        past.append(gradient(x, t))
        velocity = sum(momentum ** (t - s) * past[s] for s in range(t + 1))
        x = x - rate * (past[t] + momentum * velocity if nesterov else velocity)
    return x


def adamw(
    start: Array,
    gradient: Gradient,
    rates: Sequence[float],
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> Array:
    """Algorithm 1 of Kingma and Ba, and with a weight decay algorithm 2 of Loshchilov and Hutter.

    The bias-corrected moments are weighted means over all past gradients.
    """
    x, past = start.copy(), []
    for t, rate in enumerate(rates):
        past.append(gradient(x, t))
        first = np.average(past, axis=0, weights=[beta1 ** (t - s) if beta1 or s == t else 0.0 for s in range(t + 1)])
        second = np.average(
            np.square(past), axis=0, weights=[beta2 ** (t - s) if beta2 or s == t else 0.0 for s in range(t + 1)]
        )
        x = x - rate * (first / (np.sqrt(second) + epsilon) + weight_decay * x)
    return x


def clipped(gradient: Gradient, max_norm: float) -> Gradient:
    """The gradient, scaled to the length `max_norm` where it is longer."""

    def shorter(x: Array, t: int) -> Array:
        g = gradient(x, t)
        length = np.sqrt(sum(v**2 for v in g))
        return g * max_norm / length if length > max_norm else g

    return shorter
