"""The law of the weights of a recurrent layer, gate by gate.

A pre-activation that is read off a state is a sum of independent Gaussians, so that the draws below are standard normal
and independent, at any number of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.families._gates import Gate
from bayesnoise_reference.families._readings import mean_of, tails_of, variance_of
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent

CAUSES = {
    "recurrent-input-without-noise": "the weights of the input have no noise",
    "recurrent-hidden-without-noise": "the weights of the state have no noise",
}


def _impulses(d: int, steps: int) -> Array:
    """(1, steps + 1, d): nothing, then one input after the other."""
    x = np.zeros((1, steps + 1, d))
    x[0, 1 : steps + 1, :steps] = np.eye(steps)
    return x


class Levels(NamedTuple):
    """Of the means, and of the standard deviations, which half of the gates have about the one and half the other."""

    mean: float
    scales: tuple[float, float]


WIDE = Levels(0.3, (0.2, 0.9))  # where a wrong transformation of the scale shows, whichever it is
NARROW = Levels(1.0, (0.08, 0.1))  # where a wrong mean shows


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
    """(calls, n, h): the draw behind what each unit has from all the states, a sum of weights times what is seen."""
    d = trial.description
    mean, scale = _about(trial, gate, levels, (d.units, d.units))
    means = trial.reading(gate) | trial.kick(gate) | {"hidden": trial.only(gate, mean)}
    held = trial.load(means, {"hidden": trial.only(gate, scale)})
    at, x, draws = trial.columns(gate), trial.kicks(n, 2), []
    for _ in range(calls):
        y = trial.guard.sample(x)
        a, h = trial.decode(gate, y)[:, 0], y[:, 0]
        draws.append((a - h @ held.mean["hidden"][:, at]) / np.sqrt(h**2 @ held.scale["hidden"][:, at] ** 2))
    return np.stack(draws)


def bias_draws(trial: SequenceTrial, gate: Gate, n: int, calls: int, levels: Levels = WIDE) -> Array:
    """(calls, n, h): the draw behind the sum of the two biases of each unit."""
    d = trial.description
    scale = {k: trial.only(gate, _about(trial, gate, levels, (d.units,))[1]) for k in ("input_bias", "hidden_bias")}
    held = trial.load(trial.reading(gate), scale)
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
    catches=("mean-shrunk",),
)
def input_weight_mean(trial: SequenceTrial) -> Finding:
    """The mean of iid standard normal draws."""
    z = _pooled(trial, "input", NARROW)
    return mean_of(trial, z, "a weight of the input")


@of_recurrent(
    "input-weight-variance",
    "A weight of the input has the square of its scale as variance.",
    catches=("recurrent-input-without-noise", "scale-as-variance", "variance-as-scale", "scale-exp-for-softplus"),
)
def input_weight_variance(trial: SequenceTrial) -> Finding:
    """The variance of iid standard normal draws."""
    z = _pooled(trial, "input")
    return variance_of(trial, z, "a weight of the input")


@of_recurrent(
    "input-weight-tails",
    "A weight of the input is as often far from its mean as a Gaussian.",
    catches=("uniform-noise", "recurrent-input-without-noise"),
)
def input_weight_tails(trial: SequenceTrial) -> Finding:
    """A binomial count."""
    z = _pooled(trial, "input")
    return tails_of(trial, z, "a weight of the input")


@of_recurrent(
    "hidden-weight-mean",
    "What a unit has from the states has the mean of their weights.",
    catches=("mean-shrunk",),
)
def hidden_weight_mean(trial: SequenceTrial) -> Finding:
    """The mean of iid standard normal draws."""
    z = _pooled(trial, "hidden", NARROW)
    return mean_of(trial, z, "what a unit has from the states")


@of_recurrent(
    "hidden-weight-variance",
    "What a unit has from the states has the variance of their weights.",
    catches=("recurrent-hidden-without-noise", "scale-as-variance", "variance-as-scale", "scale-exp-for-softplus"),
)
def hidden_weight_variance(trial: SequenceTrial) -> Finding:
    """The variance of iid standard normal draws."""
    z = _pooled(trial, "hidden")
    return variance_of(trial, z, "what a unit has from the states")


@of_recurrent(
    "bias-variance",
    "The two random biases of a unit have the sum of their variances.",
    when=lambda d: d.bias == "random",
    catches=("bias-noise-missing",),
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
    bias_variance,
)
