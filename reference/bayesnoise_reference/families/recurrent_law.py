"""The law of the weights of a recurrent layer, gate by gate.

A pre-activation that is read off a state is a sum of independent Gaussians, so that the draws below are standard normal
and independent, at any number of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.readings import mean_of, tails_of, variance_of
from bayesnoise_reference.families._gates import Gate
from bayesnoise_reference.families._wrong_cells import WRONG_DRAW, WRONG_READING, WRONG_STATE
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent

CAUSES = {
    "recurrent-input-without-noise": "the weights of the input have no noise",
    "recurrent-hidden-without-noise": "the weights of the state have no noise",
    "recurrent-hidden-uniform": "the noise of the weights of the state is uniform, of variance 1",
    "recurrent-hidden-signs": "the noise of the weights of the state is a random sign",
}


def _impulses(d: int, steps: int) -> Array:
    """(1, steps + 1, d): nothing, then one input after the other."""
    x = np.zeros((1, steps + 1, d))
    x[0, 1 : steps + 1, :steps] = np.eye(steps)
    return x


class Levels(NamedTuple):
    """Of a pre-activation: its mean, and its standard deviation, in half of the gates about the one, half the other."""

    mean: float
    scales: tuple[float, float]


WIDE = Levels(0.3, (0.2, 0.9))  # where a wrong transformation of the scale shows, whichever it is
NARROW = Levels(1.0, (0.08, 0.1))  # where a wrong mean shows


# A state in float32 gives its pre-activation back while that is within 7 of 0 (g and n), within 8.3 (f and z, at the
# second step), within 12 (i, r and o); in float64 each reaches more than twice as far. As states are below 1, and one
# input, or one state, is seen at a step, a pre-activation has these levels whatever the sizes of the layer: g and n lie
# within 0.3 + 0.22 |eps| or 1 + 0.11 |eps|, the others within 0.3 + 0.99 |eps|. It would take an |eps| above 8, of
# probability 1.3e-15, where a run at tier pr sees 1e5 of them in a layer of 64 units. What f and z have left of a state
# shrinks over the four steps of the inputs; that all of it goes takes four draws together, of probability 3e-17.
def _about(trial: SequenceTrial, gate: Gate, levels: Levels, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Random means and standard deviations."""
    scale = levels.scales[gate.place % 2]
    return levels.mean * trial.rng.uniform(0.5, 1.0, shape), scale * trial.rng.uniform(0.9, 1.1, shape)


def input_draws(trial: SequenceTrial, gate: Gate, n: int, calls: int, levels: Levels = WIDE) -> Array:
    """(calls, n, steps, h): the standard normal draw behind each weight from an input to the units of a gate."""
    d = trial.description
    steps = min(d.inputs, 4)  # the update gate halves what it leaves of a state at every step
    mean, scale = _about(trial, gate, levels, (d.inputs, d.units))
    held = trial.load(trial.reading(gate) | {"input": trial.only(gate, mean)}, {"input": trial.only(gate, scale)})
    at = trial.columns(gate)
    m, s = held.mean["input"][:steps, at], held.scale["input"][:steps, at]
    x = np.repeat(_impulses(d.inputs, steps), n, axis=0)
    return np.stack([(trial.decode(gate, trial.guard.sample(x)) - m) / s for _ in range(calls)])


def hidden_draws(trial: SequenceTrial, gate: Gate, n: int, calls: int, levels: Levels = WIDE) -> Array:
    """(calls, n, h): the draw behind the one weight that each unit has, of another state each."""
    d = trial.description
    mean, scale = _about(trial, gate, levels, (d.units, d.units))
    one = np.roll(np.eye(d.units), trial.rng.integers(d.units), axis=0)
    means = trial.reading(gate) | trial.kick(gate) | {"hidden": trial.only(gate, mean * one)}
    held = trial.load(means, {"hidden": trial.only(gate, scale * one)})
    at, x, draws = trial.columns(gate), trial.kicks(n, 2), []
    for _ in range(calls):
        y = trial.guard.sample(x)
        a, h = trial.decode(gate, y)[:, 0], y[:, 0]
        draws.append((a - h @ held.mean["hidden"][:, at]) / (h @ (held.scale["hidden"][:, at] * one)))
    return np.stack(draws)


def bias_draws(trial: SequenceTrial, gate: Gate, n: int, calls: int, levels: Levels = WIDE) -> Array:
    """(calls, n, h): the draw behind the sum of the two biases of each unit, which has the level of one weight."""
    d = trial.description
    scale = _about(trial, gate, levels, (d.units,))[1] / math.sqrt(2.0)
    held = trial.load(trial.reading(gate), dict.fromkeys(("input_bias", "hidden_bias"), trial.only(gate, scale)))
    at = trial.columns(gate)
    m = held.mean["input_bias"][at] + held.mean["hidden_bias"][at]
    s = np.hypot(held.scale["input_bias"][at], held.scale["hidden_bias"][at])
    x = np.zeros((n, 2, d.inputs))
    return np.stack([(trial.decode(gate, trial.guard.sample(x))[:, 0] - m) / s for _ in range(calls)])


READERS = {"input": input_draws, "hidden": hidden_draws, "bias": bias_draws}


def draws(trial: SequenceTrial, what: str, n: int = 1, levels: Levels = WIDE) -> list[Array]:
    """Those of each gate in its turn, the calls divided among them."""
    gates = trial.description.gates
    return [READERS[what](trial, gate, n, -(-trial.calls // len(gates)), levels) for gate in gates]


def _pooled(trial: SequenceTrial, what: str, levels: Levels = WIDE) -> Array:
    return np.concatenate([z.ravel() for z in draws(trial, what, 1, levels)])


@of_recurrent(
    "input-weight-mean",
    "A weight of the input has the mean that it was given.",
    catches=(
        "mean-shrunk",
        *WRONG_STATE,
        "gru-reset-before",
        "recurrent-reversed",
        "recurrent-first-input-again",
        "lstm-forget-added-one",
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
    ),
)
def input_weight_mean(trial: SequenceTrial) -> Finding:
    """The mean of iid standard normal draws."""
    z = _pooled(trial, "input", NARROW)
    return mean_of(trial, z, "a weight of the input")


@of_recurrent(
    "input-weight-variance",
    "A weight of the input has the square of its scale as variance.",
    catches=(
        "recurrent-input-without-noise",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        *WRONG_READING,
        "signs-on-the-whole-weight",
        "signs-zero-one",
    ),
)
def input_weight_variance(trial: SequenceTrial) -> Finding:
    """The variance of iid standard normal draws."""
    z = _pooled(trial, "input")
    return variance_of(trial, z, "a weight of the input")


@of_recurrent(
    "input-weight-tails",
    "A weight of the input is as often far from its mean as a Gaussian.",
    catches=(
        "uniform-noise",
        "recurrent-input-without-noise",
        *WRONG_DRAW,
        "signs-on-the-whole-weight",
        "scale-as-variance",
    ),
)
def input_weight_tails(trial: SequenceTrial) -> Finding:
    """A binomial count."""
    z = _pooled(trial, "input")
    return tails_of(trial, z, "a weight of the input")


@of_recurrent(
    "hidden-weight-mean",
    "A weight of the state has the mean that it was given.",
    catches=(
        "mean-shrunk",
        *WRONG_STATE,
        "gru-reset-before",
        "recurrent-reversed",
        "recurrent-first-input-again",
        "lstm-forget-added-one",
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
    ),
)
def hidden_weight_mean(trial: SequenceTrial) -> Finding:
    """The mean of iid standard normal draws."""
    z = _pooled(trial, "hidden", NARROW)
    return mean_of(trial, z, "a weight of the state")


@of_recurrent(
    "hidden-weight-variance",
    "A weight of the state has the square of its scale as variance.",
    catches=(
        "recurrent-hidden-without-noise",
        "scale-as-variance",
        "variance-as-scale",
        *WRONG_DRAW,
        "signs-zero-one",
    ),
)
def hidden_weight_variance(trial: SequenceTrial) -> Finding:
    """The variance of iid standard normal draws."""
    z = _pooled(trial, "hidden")
    return variance_of(trial, z, "a weight of the state")


@of_recurrent(
    "hidden-weight-tails",
    "A weight of the state is as often far from its mean as a Gaussian.",
    catches=(
        "uniform-noise",
        "recurrent-hidden-without-noise",
        "recurrent-hidden-uniform",
        "recurrent-hidden-signs",
        *WRONG_DRAW,
    ),
)
def hidden_weight_tails(trial: SequenceTrial) -> Finding:
    """A binomial count."""
    z = _pooled(trial, "hidden")
    return tails_of(trial, z, "a weight of the state")


@of_recurrent(
    "bias-variance",
    "The two random biases of a unit have the sum of their variances.",
    when=lambda d: d.bias == "random",
    catches=("bias-noise-missing", *WRONG_READING, "scale-as-variance", "variance-as-scale"),
)
def bias_variance(trial: SequenceTrial) -> Finding:
    """The variance of iid standard normal draws, for inputs of zeros."""
    z = _pooled(trial, "bias")
    return variance_of(trial, z, "the sum of two biases")


CLAIMS = (
    input_weight_mean,
    input_weight_variance,
    input_weight_tails,
    hidden_weight_mean,
    hidden_weight_variance,
    hidden_weight_tails,
    bias_variance,
)
