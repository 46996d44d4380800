"""Recurrent layers of random weights, `(n, t, inputs) -> (n, t, units)` from a state of zeros: lstm and gru.

Parameters go by name, with G h columns, gate after gate in torch's order (i, f, g, o; r, z, n) and G = 4 or 3:

    input_mean, input_rho     (inputs, G h)      hidden_mean, hidden_rho     (units, G h)
    input_bias, hidden_bias   (G h,), deterministic; random ones are input_bias_mean, input_bias_rho and so on

`sample_with_noise` takes input_eps and hidden_eps, like the weights, for flipout input_sign_in (n, inputs),
input_sign_out (n, G h), hidden_sign_in (n, units), hidden_sign_out (n, G h), and for random biases input_bias_eps and
hidden_bias_eps, (G h,) or, under flipout, (n, G h).

A gate is read off an output exactly: with all other gates shut or open by biases of +-40, a state is an invertible
function of the one pre-activation that is left, whose law is Gaussian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from bayesnoise_reference import recurrent
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description, Scale
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.claims.weight_trial import TINY, raw, sigma, slope
from bayesnoise_reference.families._gates import GATES, Gate

MAPS = ("input", "hidden")


@dataclass(frozen=True, kw_only=True)
class Sequence(Described):
    """A recurrent layer, without saying which. ValueError for numbers that cannot be.

    `scale` says how a standard deviation is stored, as for dense layers; `prior` is the standard deviation of a
    Gaussian prior of mean 0 over every random parameter, None for no KL.
    """

    estimator: Literal["shared", "flipout"] = "flipout"
    inputs: int = 3
    units: int = 4
    scale: Scale = "softplus"
    bias: Literal["deterministic", "random"] = "deterministic"
    prior: float | None = None

    def __post_init__(self) -> None:
        if self.estimator not in ("shared", "flipout"):
            raise ValueError(
                f"estimator is {self.estimator!r}, expected 'shared' or 'flipout': one that draws the noise of outputs "
                f"gives a recurrent layer no weights to use again"
            )
        for name in ("inputs", "units"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 2")
        if self.bias not in ("deterministic", "random"):
            raise ValueError(f"bias is {self.bias!r}, expected 'deterministic' or 'random'")
        if self.prior is not None and not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0, or None for no KL")
        _ = self.weights  # raises for another scale

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Those of the cell."""
        return GATES[self.family]

    @property
    def columns(self) -> int:
        """G h."""
        return len(self.gates) * self.units

    @property
    def weights(self) -> Description:
        """The layer that makes gates of inputs, by itself."""
        return Description("dense", self.estimator, self.inputs, self.columns, scale=self.scale)

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape[:2], self.units)


@dataclass(frozen=True, kw_only=True)
class LSTM(Sequence):
    """A long short-term memory with a forget gate, and without peepholes."""

    family: str = field(default="lstm", init=False)


@dataclass(frozen=True, kw_only=True)
class GRU(Sequence):
    """A gated recurrent unit whose reset gate multiplies the product, its bias included."""

    family: str = field(default="gru", init=False)


class Held(NamedTuple):
    """The parameters that the layer holds, means and standard deviations by name: `input`, `hidden`, two biases."""

    mean: dict[str, Array]
    scale: dict[str, Array]
    stored: dict[str, Array]


@dataclass(frozen=True)
class SequenceTrial(Trial):
    """A trial of a recurrent layer."""

    @property
    def description(self) -> Sequence:
        """What the layer is."""
        found = self.guard.description
        assert isinstance(found, Sequence)
        return found

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights and biases."""
        d = self.description
        k = d.columns
        return {"input": (d.inputs, k), "hidden": (d.units, k), "input_bias": (k,), "hidden_bias": (k,)}

    def load(self, mean: dict[str, Any] | None = None, scale: dict[str, Any] | None = None) -> Held:
        """Load what is given, by name; other means are 0, and other scales none at all."""
        d = self.description
        parameters: dict[str, Array] = {}
        means: dict[str, Array] = {}
        scales: dict[str, Array] = {}
        for name, shape in self.shapes().items():
            means[name] = np.broadcast_to((mean or {}).get(name, 0.0), shape)
            scales[name] = np.broadcast_to((scale or {}).get(name, TINY), shape)
            if name in MAPS or d.bias == "random":
                parameters |= {f"{name}_mean": means[name], f"{name}_rho": raw(d.weights, scales[name])}
            else:
                parameters[name] = means[name]
        held = self.guard.load(parameters)
        stored = {name: held[f"{name}_rho"] for name in means if f"{name}_rho" in held}
        return Held(
            {name: held[f"{name}_mean" if f"{name}_mean" in held else name] for name in means},
            {
                name: sigma(d.weights, stored[name]) if name in stored else np.zeros(shape)
                for name, shape in self.shapes().items()
            },
            stored,
        )

    def random(self, spread: float = 0.5) -> dict[str, Array]:
        """Means of everything."""
        return {name: spread * self.rng.standard_normal(shape) for name, shape in self.shapes().items()}

    def scales(self, low: float = 0.2, high: float = 0.6) -> dict[str, Array]:
        """Standard deviations of everything."""
        return {name: self.rng.uniform(low, high, shape) for name, shape in self.shapes().items()}

    def rows(self, n: int, t: int) -> Array:
        """(n, t, inputs), of the precision of the layer."""
        return self.normals(n, t, self.description.inputs)

    def states(self, x: Array, arrays: dict[str, Any]) -> Array:
        """The states of each example by the definition; an array may have one more axis, of examples."""
        names = ("input", "input_bias", "hidden", "hidden_bias")
        shapes, found = self.shapes(), []
        for n, x_n in enumerate(x):
            own = [arrays[k][n] if arrays[k].ndim > len(shapes[k]) else arrays[k] for k in names]
            found.append(recurrent.states(self.description.family, x_n, *own))
        return np.stack(found) if found else np.zeros((0, *x.shape[1:2], self.description.units))

    @property
    def rounding(self) -> float:
        """What rounding may do to a state, whose size is at most 1, with pre-activations of moderate size."""
        return 512.0 * self.guard.eps * (self.description.inputs + self.description.units)

    def columns(self, gate: Gate) -> slice:
        """Those of a gate."""
        h = self.description.units
        return slice(gate.place * h, (gate.place + 1) * h)

    def reading(self, gate: Gate) -> dict[str, Array]:
        """The biases that leave one gate alone to be seen."""
        h = self.description.units
        return {"input_bias": np.repeat(gate.input_bias, h), "hidden_bias": np.repeat(gate.hidden_bias, h)}

    def only(self, gate: Gate, values: Array) -> Array:
        """Values in the columns of a gate, and none elsewhere; `values` are like those columns, or one number."""
        found = np.full((*np.shape(values)[:-1], self.description.columns), TINY)
        found[..., self.columns(gate)] = values
        return found

    def decode(self, gate: Gate, states: Array) -> Array:
        """The pre-activations of the gate, from the second step on: `(n, t - 1, h)`."""
        with np.errstate(all="ignore"):
            return gate.decode(states)[:, 1:]

    def kick(self, gate: Gate) -> dict[str, Array]:
        """Means under which the first input alone, at the first step, gives every unit a state that is not 0."""
        mean = np.zeros((self.description.inputs, self.description.units))
        mean[0] = self.rng.uniform(0.8, 1.5, self.description.units)
        return {"input": self.only(gate, mean)}

    def kicks(self, n: int, t: int) -> Array:
        """(n, t, inputs): 1 for the first input at the first step, and zeros."""
        x = np.zeros((n, t, self.description.inputs))
        x[:, 0, 0] = 1.0
        return x

    def slope(self, held: Held, name: str) -> Array:
        """The derivative of the standard deviations by what is stored."""
        return slope(self.description.weights, held.stored[name])


of_recurrent = ClaimsOf(("lstm", "gru"), ("shared", "flipout"), SequenceTrial)
