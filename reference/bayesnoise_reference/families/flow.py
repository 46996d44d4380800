"""Multiplicative normalizing flows: dense layers without a bias, their mean weights times factors that a flow makes.

A unit is an input, `y = (x z) mean + sqrt(x^2 scale^2) zeta`, or an output, `y = z (x mean) + sqrt(x^2 scale^2) zeta`,
d of them; z (n, d) is drawn an example, `z = f(base_mean + exp(base_log_sigma) eps)`, scale is softplus(rho). Step t =
1, ..., T of f moves the elements i (from 0) with i + t odd, at the word of the others, z' being z with 0 at those that
move:

    h = tanh(z' w_hidden_t + b_hidden_t),   s = sigmoid(h w_gate_t + b_gate_t)
    z <- s z + (1 - s) (h w_shift_t + b_shift_t)

Parameters: `mean`, `rho` (inputs, outputs), `base_mean`, `base_log_sigma` (d,), for each step `w_hidden_t (d, hidden)`,
`b_hidden_t (hidden,)`, `w_shift_t`, `w_gate_t` (hidden, d), `b_shift_t`, `b_gate_t` (d,). The noise is `eps (n, d)` and
`zeta (n, outputs)`. Without noise the layer is that of mean weights at `z = f(base_mean)`.

The divergence to `N(0, prior^2)` is a bound, estimated at one draw of z and of the weights, apart from the examples':

    KL(N(z mean, scale^2) || prior) + log q(z) - log r(z | w)
    log r = log N(g(z); a shift, exp(-a log_precision)) + log |dg/dz|

where a is the mean of tanh(u), u = c' w for `contrast` c, one number for each weight of a unit, and g is a flow like f.
Parameters: `contrast`, `shift`, `log_precision` (d,), and those of the steps of g with `r_` before their names. An
adapter may offer `bound_with_noise(eps, eta)`, (d,) and one number for each weight of a unit, eta those behind u.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.scales import log_sigma_of, sigma_of

KINDS = ("input", "output")
NARROW = -40.0  # the logarithm of a scale that is nothing beside any rounding, whose square is a number in float32
STEP = ("w_hidden", "b_hidden", "w_shift", "b_shift", "w_gate", "b_gate")


@dataclass(frozen=True, kw_only=True)
class Flow(Described):
    """A layer with a factor an input or an output. ValueError for what cannot be.

    The factors of inputs are read off the outputs, so that there must be as many.
    """

    family: str = field(default="flow", init=False)
    kind: Literal["input", "output"]
    inputs: int = 3
    outputs: int = 4
    steps: int = 2
    hidden: int = 3
    prior: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected 'input' or 'output'")
        for name, least in (("inputs", 2), ("outputs", 2), ("steps", 1), ("hidden", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")
        if self.kind == "input" and self.outputs < self.inputs:
            raise ValueError(f"outputs is {self.outputs}, expected at least as many as inputs, {self.inputs}")
        if not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0")

    @property
    def estimator(self) -> str:
        return self.kind

    @property
    def units(self) -> int:
        """How many factors there are."""
        return self.inputs if self.kind == "input" else self.outputs

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape[:-1], self.outputs)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters."""
        d, h, w = self.units, self.hidden, (self.inputs, self.outputs)
        of_step = dict(zip(STEP, ((d, h), (h,), (h, d), (d,), (h, d), (d,)), strict=True))
        found: dict[str, tuple[int, ...]] = {"mean": w, "rho": w, "base_mean": (d,), "base_log_sigma": (d,)}
        found |= dict.fromkeys(("contrast", "shift", "log_precision"), (d,))
        sides = [(before, t) for before in ("", "r_") for t in range(1, self.steps + 1)]
        return found | {f"{before}{name}_{t}": shape for before, t in sides for name, shape in of_step.items()}


def _step(d: Flow, held: dict[str, Array], z: Array, t: int, before: str) -> tuple[Array, Array, Array]:
    """What stays (1) and what moves (0), the shifts and the gates."""
    stays = (np.arange(d.units) + t) % 2 == 0
    w_hidden, b_hidden, w_shift, b_shift, w_gate, b_gate = (held[f"{before}{name}_{t}"] for name in STEP)
    h = np.tanh((z * stays) @ w_hidden + b_hidden)
    return stays, h @ w_shift + b_shift, 1.0 / (1.0 + np.exp(-(h @ w_gate + b_gate)))


def moved(d: Flow, held: dict[str, Array], z: Array, before: str = "") -> tuple[Array, Array]:
    """The `z` (n, d) after all steps, and the logarithm of the determinant (n,); complex numbers pass through."""
    log_det = np.zeros(len(z))
    for t in range(1, d.steps + 1):
        stays, shift, gate = _step(d, held, z, t, before)
        z = np.where(stays, z, gate * z + (1.0 - gate) * shift)
        log_det = log_det + np.sum(np.where(stays, 0.0, np.log(gate)), axis=1)
    return z, log_det


def unmoved(d: Flow, held: dict[str, Array], z: Array) -> Array:
    """What the flow takes to `z`."""
    for t in range(d.steps, 0, -1):
        stays, shift, gate = _step(d, held, z, t, "")
        z = np.where(stays, z, (z - (1.0 - gate) * shift) / gate)
    return z


def output(d: Flow, held: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
    """The layer, by its definition."""
    z, _ = moved(d, held, held["base_mean"] + np.exp(held["base_log_sigma"]) * noise["eps"])
    centre = (x * z) @ held["mean"] if d.kind == "input" else z * (x @ held["mean"])
    return np.asarray(centre + np.sqrt(x**2 @ sigma_of(held["rho"]) ** 2) * noise["zeta"])


def bound(d: Flow, held: dict[str, Array], eps: Array, eta: Array) -> Any:
    """The estimate of the bound at one draw; complex parameters pass through."""
    z, log_det = moved(d, held, (held["base_mean"] + np.exp(held["base_log_sigma"]) * eps)[None])
    mean = held["mean"] * (z.T if d.kind == "input" else z)
    scale, log_scale = sigma_of(held["rho"]), log_sigma_of(held["rho"])
    kl = np.sum((scale**2 + mean**2) / (2.0 * d.prior**2) - log_scale + np.log(d.prior) - 0.5)
    log_q = -np.sum(0.5 * eps**2 + held["base_log_sigma"]) - log_det[0]
    c = held["contrast"]
    of_unit = (mean, scale) if d.kind == "input" else (mean.T, scale.T)
    a = np.mean(np.tanh(c @ of_unit[0] + np.sqrt(c**2 @ of_unit[1] ** 2) * eta))
    end, more = moved(d, held, z, "r_")
    miss = end[0] - a * held["shift"]
    log_r = 0.5 * np.sum(a * held["log_precision"] - np.exp(a * held["log_precision"]) * miss**2) + more[0]
    return kl + log_q - log_r


@dataclass(frozen=True)
class FlowTrial(Trial):
    """A trial of a layer whose factors a flow makes."""

    @property
    def description(self) -> Flow:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Flow)
        return found

    def load(self, **given: Any) -> dict[str, Array]:
        """Load parameters, random ones of size about 1 but for what is given. Returned as the layer holds them."""
        rng, found = self.rng, {}
        ranges = {"rho": (-2.0, 0.5), "base_mean": (0.5, 1.5), "base_log_sigma": (-1.0, -0.3)}
        for name, shape in self.description.shapes().items():
            if name in given:
                found[name] = np.broadcast_to(given[name], shape)
            elif name in ranges:
                found[name] = rng.uniform(*ranges[name], shape)
            else:
                found[name] = rng.uniform(0.4, 1.2, shape) * rng.choice([-1.0, 1.0], shape)
        return self.guard.load(found)

    def rows(self, n: int) -> Array:
        """(n, inputs): none near 0, of the precision of the layer."""
        return self.away_from_zero(n, self.description.inputs)

    def eps(self, held: dict[str, Array], x: Array, y: Array) -> Array:
        """(n, units): the noise behind the factors of outputs that have no other noise."""
        d = self.description
        if d.kind == "input":
            rows = zip(x, y, strict=True)
            z = np.stack([np.linalg.lstsq((x_n[:, None] * held["mean"]).T, y_n, rcond=None)[0] for x_n, y_n in rows])
        else:
            z = y / (x @ held["mean"])
        return np.asarray((unmoved(d, held, z) - held["base_mean"]) / np.exp(held["base_log_sigma"]))

    def zeta(self, held: dict[str, Array], x: Array, y: Array) -> Array:
        """(n, outputs): the noise of outputs whose factors have none."""
        nothing = {"eps": np.zeros((len(x), self.description.units)), "zeta": np.zeros(y.shape)}
        sd = np.sqrt(x**2 @ sigma_of(held["rho"]) ** 2)
        return np.asarray((y - output(self.description, held, x, nothing)) / sd)


of_flow = ClaimsOf(("flow",), KINDS, FlowTrial)
