"""Optimizers, as records of two pure functions: fresh state for some parameters, and one step downhill.

The state is a tree of arrays, so that it jits, and a fit that goes on from a saved one gives the same bits. A learning
rate may be passed to each step, as a number or an array of shape (), and a schedule then recompiles nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params
from bayesnoise.layer import zero

__all__ = ["Adam", "AdamState", "Clipped", "Optimizer", "Sgd", "SgdState", "adam", "adamw", "clipped", "sgd"]

State = Params  # a tree of arrays as well


class Optimizer(Protocol):
    """A rule that lowers a loss. What satisfies it are frozen dataclasses."""

    def init(self, params: Params) -> State:
        """The state before the first step."""
        ...

    def step(
        self, params: Params, grads: Params, state: State, learning_rate: float | Array | None = None
    ) -> tuple[Params, State]:
        """The parameters and the state after one step; `learning_rate` stands in for the optimizer's own."""
        ...


def sgd(learning_rate: float, *, momentum: float = 0.0, nesterov: bool = False) -> Sgd:
    """Stochastic gradient descent. ValueError for a rate or a momentum out of range.

    With momentum the step follows the velocity `v = momentum v + g` (Polyak 1964), or with `nesterov` the gradient plus
    `momentum v`, in the form of Sutskever, Martens, Dahl, Hinton 2013, as the field writes it.
    """
    return Sgd(learning_rate, momentum, nesterov)


def adam(learning_rate: float = 1e-3, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Adam:
    """Adam: Kingma, Ba 2015 (arXiv 1412.6980), algorithm 1. ValueError for a constant out of range."""
    return Adam(learning_rate, beta1, beta2, epsilon)


def learned(name: str) -> bool:
    """Whether the parameter with this dotted name is learned, and no running statistic of a normalisation."""
    return not name.rpartition(".")[2].startswith("running_")


def adamw(
    learning_rate: float = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 1e-2,
    decays: Callable[[str], bool] = learned,
) -> Adam:
    """Adam with decoupled weight decay: Loshchilov, Hutter 2019 (arXiv 1711.05101), algorithm 2.

    The decay is multiplied by the learning rate, and applies to the parameters whose dotted name `decays` accepts.
    ValueError for a constant out of range.
    """
    return Adam(learning_rate, beta1, beta2, epsilon, weight_decay, decays)


def clipped(optimizer: Optimizer, max_norm: float) -> Clipped:
    """The optimizer on gradients scaled down to `max_norm` where their global norm is larger.

    Pascanu, Mikolov, Bengio 2013 (arXiv 1211.5063), algorithm 1. ValueError unless the norm is finite and above 0,
    TypeError for an optimizer of `bayesnoise.natural_gradient`.
    """
    return Clipped(optimizer, max_norm)


class SgdState(NamedTuple):
    velocity: Params | None  # like the parameters; None without momentum


@dataclass(frozen=True)
class Sgd:
    """What `sgd` returns."""

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _checks.positive("learning_rate", self.learning_rate)
        _checks.probability("momentum", self.momentum)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov is True with momentum 0, expected a momentum above 0: it looks ahead along it")

    def init(self, params: Params) -> SgdState:
        return SgdState(_zeros(params) if self.momentum else None)

    def step(
        self, params: Params, grads: Params, state: SgdState, learning_rate: float | Array | None = None
    ) -> tuple[Params, SgdState]:
        rate = self.learning_rate if learning_rate is None else learning_rate
        if state.velocity is None:
            return tree.map(lambda p, g: p - rate * g, params, grads), state
        velocity = tree.map(lambda v, g: self.momentum * v + g, state.velocity, grads)
        ahead = tree.map(lambda v, g: g + self.momentum * v, velocity, grads) if self.nesterov else velocity
        return tree.map(lambda p, d: p - rate * d, params, ahead), SgdState(velocity)


class AdamState(NamedTuple):
    count: Array  # (), steps taken, in the dtype of the parameters
    first: Params  # like the parameters: running mean of the gradients
    second: Params  # like the parameters: running mean of their squares


@dataclass(frozen=True)
class Adam:
    """What `adam` and `adamw` return."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decays: Callable[[str], bool] = learned

    def __post_init__(self) -> None:
        _checks.positive("learning_rate", self.learning_rate)
        _checks.probability("beta1", self.beta1)
        _checks.probability("beta2", self.beta2)
        _checks.positive("epsilon", self.epsilon)
        _checks.not_negative("weight_decay", self.weight_decay)

    def init(self, params: Params) -> AdamState:
        leaf = tree.first_leaf(params)
        if leaf is None:
            raise ValueError(f"params is {params!r}, without any array: expected something to optimise")
        return AdamState(zero(leaf), _zeros(params), _zeros(params))

    def step(
        self, params: Params, grads: Params, state: AdamState, learning_rate: float | Array | None = None
    ) -> tuple[Params, AdamState]:
        rate = self.learning_rate if learning_rate is None else learning_rate
        count = state.count + 1.0
        xp = array_namespace(count)
        first = tree.map(lambda m, g: self.beta1 * m + (1.0 - self.beta1) * g, state.first, grads)
        second = tree.map(lambda v, g: self.beta2 * v + (1.0 - self.beta2) * (g * g), state.second, grads)
        # rate * (m / c1) / (sqrt(v / c2) + epsilon), with the corrections c1 and c2 moved to two scalars.
        root = xp.sqrt(bias_correction(self.beta2, count))
        scaled_rate = rate * (root / bias_correction(self.beta1, count))
        scaled_epsilon = self.epsilon * root
        decay = tree.unflatten(
            params, iter([self.weight_decay if self.decays(name) else 0.0 for name, _ in tree.paths(params)])
        )

        def leaf(p: Array, m: Array, v: Array, d: float) -> Array:
            kept = p - (rate * d) * p if d else p
            return kept - scaled_rate * (m / (xp.sqrt(v) + scaled_epsilon))

        return tree.map(leaf, params, first, second, decay), AdamState(count, first, second)


def bias_correction(beta: float, count: Array) -> Array:
    """`1 - beta^count`; through expm1, since 1 - 0.999 has lost three digits."""
    return -array_namespace(count).expm1(count * (math.log(beta) if beta > 0 else -math.inf))


@dataclass(frozen=True)
class Clipped:
    """What `clipped` returns."""

    optimizer: Optimizer
    max_norm: float

    def __post_init__(self) -> None:
        _checks.positive("max_norm", self.max_norm)
        if hasattr(self.optimizer, "perturb"):
            raise TypeError(f"optimizer is {self.optimizer!r}, which measures curvature by gradients: do not clip them")

    def init(self, params: Params) -> State:
        return self.optimizer.init(params)

    def step(
        self, params: Params, grads: Params, state: State, learning_rate: float | Array | None = None
    ) -> tuple[Params, State]:
        norm = global_norm(grads)
        limit = array_namespace(norm).full_like(norm, self.max_norm)
        factor = limit / array_namespace(norm).maximum(norm, limit)
        return self.optimizer.step(params, tree.map(lambda g: factor * g, grads), state, learning_rate)


def global_norm(grads: Params) -> Array:
    """The Euclidean norm of all numbers of a tree, shape (); it does not overflow before they do."""
    leaves = [leaf for leaf in tree.leaves(grads) if math.prod(leaf.shape)]
    if not leaves:
        raise ValueError(f"grads is {grads!r}, without any number: expected the gradients of some parameters")
    xp = array_namespace(*leaves)
    largest = xp.max(xp.stack([xp.max(xp.abs(leaf)) for leaf in leaves]))
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    squares = xp.stack([xp.sum((leaf / unit) ** 2) for leaf in leaves])
    return unit * xp.sqrt(xp.sum(squares))


def _zeros(params: Params) -> Params:
    return tree.map(lambda p: array_namespace(p).zeros_like(p), params)
