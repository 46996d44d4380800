"""Deep ensembles, networks that are fitted apart and predict together.

Lakshminarayanan, Pritzel, Blundell 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles"
(arXiv 1612.01474). The members are linear, so that all they do can be written out: `f_m = x weight[m] + bias[m]`, with
`weight (members, inputs, outputs)` and `bias (members, outputs)` loaded. The law `p(y | f)` of a target is, by kind,

    gaussian      normal: f is a mean and a raw variance, of which the variance is `softplus(raw) + minimum_variance`,
                  or `exp(raw) + minimum_variance` where `variance` is "exp"
    categorical   `softmax(f)` over the `classes`: y is the number of one

and the prediction is the mixture `mean_m p(y | f_m)`. Of `x (n, inputs)` and `y (n,)` an adapter can be asked

    evaluate(x)                                mean and variance of the prediction (n, 2), or its probabilities
    log_density(x, y)                          the logarithm of the prediction at y, (n,): of the mixture itself, not
                                               of the normal law with its moments
    uncertainty(x)                             (n, 2): the mean variance and the variance of the means, or, in nats,
                                               the mean entropy and the mutual information of member and label
    loss(x, y)                                 `-log p(y | f_m)` (members, n), but for a constant
    adversarial(x, y, epsilon, width)          `x + epsilon width sign(d loss_m / d x)` (members, n, inputs), where
                                               `width (inputs,)` is that of the range of each input
    training_gradient(x, y, epsilon, width)    by the weights and, in the last row, the bias, of what each member
                                               minimises: (members, inputs + 1, outputs)
    start(x)                                   the outputs of members that are about to be trained, of a new ensemble
                                               in every call: (members, n, outputs)

What a member minimises is the mean over the batch of its losses at x and at its adversarial input, which is held fixed:
their mean or their sum, as `objective` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.guard import AdapterError
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.scales import sigma_of

KINDS = ("gaussian", "categorical")
_STEP = 1e-30  # of the complex step

Held = dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Ensemble(Described):
    """An ensemble of a kind. ValueError for what cannot be."""

    family: str = field(default="ensemble", init=False)
    kind: Literal["gaussian", "categorical"]
    members: int = 4
    inputs: int = 3
    classes: int = 3
    variance: Literal["softplus", "exp"] = "softplus"
    minimum_variance: float = 1e-6
    objective: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        allowed = {"kind": KINDS, "variance": ("softplus", "exp"), "objective": ("mean", "sum")}
        for name, words in allowed.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected one of {', '.join(map(repr, words))}")
        for name in ("members", "inputs", "classes"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 2")
        if not (math.isfinite(self.minimum_variance) and self.minimum_variance >= 0):
            raise ValueError(f"minimum_variance is {self.minimum_variance}, expected a finite number of at least 0")

    @property
    def estimator(self) -> str:
        return self.kind

    @property
    def outputs(self) -> int:
        """Of a member, and numbers in a prediction."""
        return 2 if self.kind == "gaussian" else self.classes

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (x_shape[0], self.outputs)


def outputs(held: Held, x: Array) -> Array:
    """Of every member, `(members, n, outputs)`; `x` may differ between members."""
    return np.asarray(x @ held["weight"] + held["bias"][:, None, :])


def moments(d: Ensemble, f: Array) -> tuple[Array, Array]:
    """Means and variances `(..., n)`."""
    raw = f[..., 1]
    return f[..., 0], (sigma_of(raw) if d.variance == "softplus" else np.exp(raw)) + d.minimum_variance


def log_probabilities(f: Array) -> Array:
    """`log softmax`; complex numbers pass through."""
    shifted = f - np.max(np.real(f), axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def log_each(d: Ensemble, f: Array, y: Array) -> Array:
    """`log p(y | f_m)`, `(members, n)`."""
    if d.kind == "categorical":
        return np.asarray(log_probabilities(f)[:, np.arange(len(y)), y.astype(int)])
    mean, variance = moments(d, f)
    return np.asarray(-((y - mean) ** 2) / (2.0 * variance) - 0.5 * np.log(2.0 * np.pi * variance))


def prediction(d: Ensemble, held: Held, x: Array, shares: Array | None = None) -> Array:
    """What `evaluate` answers; the members have equal shares in it unless they are given."""
    s = np.full(d.members, 1.0 / d.members) if shares is None else shares
    f = outputs(held, x)
    if d.kind == "categorical":
        return np.asarray(np.tensordot(s, np.exp(log_probabilities(f)), 1))
    mean, variance = moments(d, f)
    middle = s @ mean
    return np.stack([middle, s @ variance + s @ (mean - middle) ** 2], axis=1)


def entropy(p: Array) -> Array:
    """In nats, along the last axis."""
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1))


def split(d: Ensemble, held: Held, x: Array) -> Array:
    """What `uncertainty` answers."""
    f = outputs(held, x)
    if d.kind == "gaussian":
        mean, variance = moments(d, f)
        return np.stack([np.mean(variance, axis=0), np.var(mean, axis=0)], axis=1)
    expected = np.mean(entropy(np.exp(log_probabilities(f))), axis=0)
    return np.stack([expected, entropy(prediction(d, held, x)) - expected], axis=1)


def slopes(d: Ensemble, held: Held, x: Array, y: Array) -> Array:
    """The gradient of each member's loss by its input `(members, n, inputs)`, one input after the other."""
    moved = [log_each(d, outputs(held, x + 1j * _STEP * unit), y) for unit in np.eye(d.inputs)]
    return np.stack([-np.imag(found) / _STEP for found in moved], axis=-1)


def training_gradient(d: Ensemble, held: Held, x: Array, moved: Array, y: Array) -> Array:
    """What is answered under that name, for the members' adversarial inputs `moved`: one parameter after the other."""
    together = np.concatenate([held["weight"], held["bias"][:, None, :]], axis=1)
    found = np.empty(together.shape)
    for at in np.ndindex(together.shape[1:]):
        shifted = together.astype(complex)
        shifted[(slice(None), *at)] += 1j * _STEP
        here = {"weight": shifted[:, :-1], "bias": shifted[:, -1]}
        total = log_each(d, outputs(here, x), y) + log_each(d, outputs(here, moved), y)
        found[(slice(None), *at)] = -np.mean(np.imag(total), axis=1) / _STEP
    return 0.5 * found if d.objective == "mean" else found


@dataclass(frozen=True)
class EnsembleTrial(Trial):
    """A trial of an ensemble."""

    @property
    def description(self) -> Ensemble:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Ensemble)
        return found

    def parameters(self) -> Held:
        """Random ones: members that disagree, and slopes of which none is near 0."""
        d = self.description
        weight = 0.6 * self.away_from_zero(d.members, d.inputs, d.outputs) / math.sqrt(d.inputs)
        return {"weight": weight, "bias": self.normals(d.members, d.outputs)}

    def load(self, **given: Array) -> Held:
        """Load parameters; what is not given is random."""
        return self.guard.load(self.parameters() | given)

    def constant(self, bias: Array) -> Held:
        """Load members that say the same of any input."""
        d = self.description
        return self.load(weight=np.zeros((d.members, d.inputs, d.outputs)), bias=bias)

    def far_out(self) -> tuple[Array, Array]:
        """Outputs of members `(members, outputs)` that are as far out as may be, twice."""
        d = self.description
        if d.kind == "gaussian":
            wide = 1000.0 if d.variance == "softplus" else 60.0
            narrow = -wide if d.minimum_variance > 0 else -30.0
            low, high = (np.tile([0.25, raw], (d.members, 1)) for raw in (narrow, wide))
            return low, high
        logits = np.linspace(1000.0, -1000.0, d.classes)
        return np.tile(logits, (d.members, 1)), np.stack([np.roll(logits, m) for m in range(d.members)])

    def x(self, n: int = 6) -> Array:
        """Inputs, on both sides of 0 and of 1."""
        return self.normals(n, self.description.inputs)

    def y(self, n: int = 6) -> Array:
        """Targets."""
        d = self.description
        if d.kind == "gaussian":
            return self.normals(n)
        return self.rounded(self.rng.integers(0, d.classes, n))

    def width(self) -> Array:
        """Of the ranges of the inputs: powers of 2, which differ."""
        return np.asarray(2.0 ** self.rng.permutation(np.arange(self.description.inputs) % 5 - 2))

    def asked(self, method: str, shape: tuple[int, ...], *, finite: bool = True, **arrays: Array) -> Array:
        """An answer that must have the shape."""
        found = self.guard.ask(method, finite=finite, **arrays)
        if found.shape != shape:
            raise AdapterError("shape", f"{method} returned shape {found.shape}, {shape} is right")
        return found

    def adversarial(self, x: Array, y: Array, epsilon: float, width: Array) -> Array:
        """The adversarial inputs of every member."""
        shape = (self.description.members, *x.shape)
        return self.asked("adversarial", shape, x=x, y=y, epsilon=np.array(epsilon), width=width)


of_ensembles = ClaimsOf(("ensemble",), KINDS, EnsembleTrial)
