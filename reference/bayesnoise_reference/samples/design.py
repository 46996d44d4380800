"""What the claims about outputs will ask of a layer, written down before there are any outputs.

A claim draws its parameters and inputs from its own generator, so a run with the same seed asks the same of every
layer. What it asks is recorded from a layer that samples by the definition: no claim gives up on that one half way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.guard import Guard
from bayesnoise_reference.claims.replay import noise_for, output
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial, sigma
from bayesnoise_reference.verification import Tier, claims_for, verify

_LARGEST = 2**22  # weights


class Case(NamedTuple):
    """Parameters, and the inputs of the calls to make under them, each with fresh noise."""

    claim: str
    parameters: Mapping[str, Array]
    x: Array  # (calls, *input)
    y_shape: tuple[int, ...]  # (calls, *output)
    finite: bool  # whether an output that is not finite cannot be judged


class Design(NamedTuple):
    """Every call that a run with this seed makes."""

    description: Description
    tier: Tier
    seed: int
    cases: Mapping[str, Case]  # by name: "case000"
    calls: Mapping[int, tuple[tuple[str, int], ...]]  # of each claim, by the seed that it begins with, in order

    @property
    def digest(self) -> str:
        """Of every number that is designed."""
        found = hashlib.sha256()
        for name, case in self.cases.items():
            for array in (*case.parameters.values(), case.x):
                found.update(f"{name} {array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


class _Definition:
    """A layer that samples by the definition, or returns NaN, and remembers what it was asked."""

    abilities = frozenset({"load", "sample", "seed"})

    def __init__(self, description: Description, rng: np.random.Generator, *, blind: bool = False) -> None:
        self.description, self._blind = description, blind
        self._trial = WeightTrial(Guard(self), rng, 1.0, 1)
        self.seeds: list[int] = []
        self.loads: list[dict[str, Array]] = []
        self.asked: list[tuple[int, Array]] = []  # the number of the load, and the input

    def seed(self, seed: int) -> None:
        self.seeds.append(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.loads.append({name: value.copy() for name, value in parameters.items()})

    def sample(self, x: Array) -> Array:
        d = self.description
        self.asked.append((len(self.loads) - 1, x.copy()))
        if self._blind:
            return np.full(d.output_shape(x.shape), np.nan, dtype=d.dtype)
        inside = d.outward("x", x).astype(np.float64)
        y = output(self._trial, self._held(), inside, noise_for(self._trial, inside))
        return np.ascontiguousarray(d.inward("y", y), dtype=d.dtype)

    def _held(self) -> Loaded:
        d, none = self.description, np.zeros(self.description.outputs)
        held = {name: d.outward(name, value).astype(np.float64) for name, value in self.loads[-1].items()}
        bias, bias_rho = held.get("bias", held.get("bias_mean", none)), held.get("bias_rho", none)
        bias_scale = sigma(d, bias_rho) if d.bias == "random" else none
        return Loaded(held["mean"], held["rho"], sigma(d, held["rho"]), bias, bias_rho, bias_scale)


def make(description: Description, tier: Tier = "pr", seed: int = 0) -> Design:
    """The design of every claim that needs outputs alone, of a dense layer or a convolution.

    ValueError for another family, for a layer that is too large, and for what `verify` refuses.
    """
    if not isinstance(description, Description):
        raise ValueError(f"family is {description.family!r}, expected dense or convolution: others have no design")
    if np.prod(description.weight_shape, dtype=float) > _LARGEST:
        raise ValueError(f"the weights are {description.weight_shape}, expected at most {_LARGEST} of them")
    cases: dict[str, Case] = {}
    calls: dict[int, tuple[tuple[str, int], ...]] = {}
    rng = np.random.default_rng([seed, 1])
    for claim in claims_for(_Definition(description, rng)):
        if claim.needs != ("sample",):
            continue
        name = claim.id(description)
        right, blind = _Definition(description, rng), _Definition(description, rng, blind=True)
        verify(right, tier, seed=seed, only=[name])
        if not right.asked or any(x.shape[0] == 0 for _, x in right.asked):
            continue  # nothing to sample, or no example: a file cannot show that a call works
        judged = verify(blind, tier, seed=seed, only=[name]).claims[0].status != "not run"
        order: list[tuple[str, int]] = []
        groups: dict[tuple[int, tuple[int, ...]], list[Array]] = {}
        names: dict[tuple[int, tuple[int, ...]], str] = {}
        for number, x in right.asked:
            key = (number, x.shape)
            names.setdefault(key, f"case{len(cases) + len(names):03d}")
            groups.setdefault(key, []).append(x)
            order.append((names[key], len(groups[key]) - 1))
        for (number, shape), inputs in groups.items():
            y_shape = (len(inputs), *description.output_shape(shape))
            case = Case(name, right.loads[number], np.stack(inputs), y_shape, not judged)
            cases[names[number, shape]] = case
        calls[right.seeds[0]] = tuple(order)
    if not cases:
        raise ValueError("no claim can be put to such a layer: it is too large, look at its stride and its dilation")
    return Design(description, tier, seed, cases, calls)
