"""What a family of vectors is made of: cases to compute, a definition that computes them, and bugs that do not.

A definition maps named inputs to named outputs, all float64 arrays. A bug is a definition too, a wrong one that has
been seen in the wild or is easy to make. Which outputs a bug affects is not declared but measured; see `build`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array

Values: TypeAlias = dict[str, Array]
Definition: TypeAlias = Callable[[Values], Values]

DTYPES = ("float64", "float32")
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}

# Flags of valid vectors, and what each is there for.
SPECIAL = {
    "Ordinary": "Numbers of the order of 1: a formula that is right anywhere is right here.",
    "ZeroRow": "One example is all zeros, as behind a dead ReLU. Its output has no noise under local "
    "reparameterisation, where the square root has a kink: the gradient wanted is that of the mean alone, halfway "
    "between both sides, and finite. It adds nothing to the gradients of the parameters.",
    "BiasAlone": "One example is all zeros, and the layer has a random bias: its output is that bias, noise and all.",
    "ExtremeScale": "A raw scale so far out that a formula written plainly overflows or underflows to NaN.",
    "BatchOfOne": "One example.",
    "EmptyBatch": "No example: outputs with a zero in their shape, gradients of the parameters that are zero.",
    "Subnormal": "Numbers below the normal range. Hardware that flushes them to zero may leave these vectors out.",
    "LargeInput": "Inputs large enough to overflow an exponential; the result itself is finite.",
    "PriorMean": "The prior is not centred at zero.",
    "Strided": "A convolution with stride, padding or dilation.",
    "NoNoise": "The noise is zero: the output is that of the mean.",
    "FirstStep": "Nothing was taken in before: running means are zero, and their corrections are at their largest.",
    "LateStep": "So many steps were taken before that nothing is left of what the law started with.",
    "NoGradient": "The gradient is zero: the prior and what was taken in before move the state.",
    "Constant": "A constant in all values of an objective, which says nothing of its gradient.",
    "NarrowUnderflows": "One component of a mixture underflows, and the other alone makes the density.",
    "DensityUnderflows": "Every density underflows, and the logarithm of their mean does not.",
    "OneMember": "An ensemble of one: it is that member.",
    "FlatInput": "An input on which the loss does not depend: an adversarial step does not move it.",
    "FewerRows": "Fewer examples than weights: directions that no example has keep the prior.",
    "NoData": "No example: the law is the prior, and the log evidence is 0.",
    "ZeroColumn": "An input that is zero in every example: its weight keeps the prior.",
    "EqualColumns": "Two inputs that are equal in every example: the data tell the sum of their weights alone.",
    "OrthogonalColumns": "Inputs that are orthogonal over the examples: the posterior itself is independent.",
    "FarScales": "Noise and prior far from 1. The examples are not: no number is lost.",
    "FewIterates": "Fewer iterates than deviations may be kept: as many deviations as iterates.",
    "Cancellation": "Numbers far from zero that differ little: a mean of squares less a square loses their digits.",
    "OppositeCurvature": "Gradient and noise are far out, of opposite signs: a precision must stay above zero.",
}


class Case(NamedTuple):
    """Inputs to compute with, exact in every dtype that the case is for."""

    comment: str
    flags: tuple[str, ...]
    inputs: Values
    dtypes: tuple[str, ...] = DTYPES


class Bug(NamedTuple):
    """A known mistake: its flag, a sentence about it, and what it computes."""

    flag: str
    description: str
    definition: Definition


class Group(NamedTuple):
    """Cases of one kind, with the conventions that a reader must know."""

    type: str  # "dense.flipout": what to compute
    conventions: dict[str, str]  # name -> what it is, with its formula
    definition: Definition
    cases: tuple[Case, ...]
    bugs: tuple[Bug, ...] = ()
    elementwise: bool = False  # each element is held to its own size, not to that of the largest


class Family(NamedTuple):
    """One file of vectors."""

    name: str
    source: str  # the paper
    groups: tuple[Group, ...]


def dyadic(rng: np.random.Generator, *shape: int, spread: float = 1.0) -> Array:
    """Normal numbers rounded to 1/64: exact in float32, and a few digits each."""
    return np.round(64.0 * spread * rng.standard_normal(shape)) / 64.0


def signs(rng: np.random.Generator, *shape: int) -> Array:
    """Fair signs."""
    return 2.0 * rng.integers(0, 2, shape).astype(np.float64) - 1.0
