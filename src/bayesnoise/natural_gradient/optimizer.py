"""What an optimizer of a law is: parameters as means, a state that holds their precision, gradients at draws of both.

The objective is that of `bayesnoise.objective`, the expectation over the law of the mean negative log-likelihood plus
`kl_scale KL`, with `kl_scale = kl_weight / n`: the papers' effective sample size is `1 / kl_scale`, and their weight
decay `kl_scale / prior_scale^2`. Every learned parameter has a law, those of the loss included; the statistics that a
normalisation keeps have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._parameters import of_learned, standard_normal
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.optimizers import State


class Moments(NamedTuple):
    """Of the gradients of single examples at one draw, for an optimizer that reads curvature from their squares."""

    mean: Params  # like the parameters
    square: Params  # like the parameters: the mean of the squares


@runtime_checkable
class VariationalOptimizer(Protocol):
    """A rule that fits a Gaussian law of the parameters. What satisfies it are frozen dataclasses.

    A step is one `draw`, the gradient at each of its `perturb`, and one `step` with all of them.
    """

    @property
    def prior_scale(self) -> float:
        """The standard deviation of the prior, which has mean 0."""
        ...

    @property
    def samples(self) -> int:
        """How many draws of the parameters one step takes."""
        ...

    def init(self, params: Params) -> State:
        """The state before the first step."""
        ...

    def draw(self, rng: Rng, params: Params) -> tuple[Params, ...]:
        """The standard normal numbers of one step: for each draw a tree like the learned parameters."""
        ...

    def perturb(self, params: Params, state: State, eps: Params, kl_scale: float | Array) -> Params:
        """One draw of the parameters: where to take a gradient."""
        ...

    def step(
        self,
        params: Params,
        grads: tuple[Params, ...],
        state: State,
        noise: tuple[Params, ...],
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, State]:
        """The means and the state after one step, from the gradient of the mean negative log-likelihood at each draw.

        `noise` is that of `draw`; `learning_rate` stands in for the optimizer's own.
        """
        ...

    def scale(self, state: State) -> Params:
        """The standard deviation of each learned parameter, as of the last step."""
        ...


@dataclass(frozen=True)
class Constants:
    """Those of an optimizer of an independent law. ValueError for one that is out of range."""

    learning_rate: float = 0.1
    prior_scale: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    initial_precision: float = 1.0
    samples: int = 1

    def __post_init__(self) -> None:
        for name in ("learning_rate", "prior_scale", "initial_precision"):
            _checks.positive(name, getattr(self, name))
        for name in ("beta1", "beta2"):
            _checks.probability(name, getattr(self, name))
        _checks.positive_integer("samples", self.samples)

    def draw(self, rng: Rng, params: Params) -> tuple[Params, ...]:
        """For each draw a tree of independent standard normal numbers, like the learned parameters."""
        chosen = of_learned(params)
        return tuple(standard_normal(r, chosen, like=tree.first_leaf(chosen)) for r in rng.split(self.samples))


def full(params: Params, value: float) -> Params:
    """A tree like the learned parameters with one number throughout; ValueError if there are none."""
    chosen = of_learned(params)
    if tree.first_leaf(chosen) is None:
        raise ValueError(f"params is {params!r}, without any learned array: expected something to optimise")
    return tree.map(lambda p: array_namespace(p).full_like(p, value), chosen)


def mean_of(function: Any, *trees: tuple[Params, ...]) -> Params:
    """The mean over draws of a function of leaves: `function(leaf of trees[0][s], leaf of trees[1][s], ...)`."""
    draws = [tree.map(function, *parts) for parts in zip(*trees, strict=True)]
    return tree.map(lambda *leaves: sum(leaves[1:], leaves[0]) / len(leaves), *draws)
