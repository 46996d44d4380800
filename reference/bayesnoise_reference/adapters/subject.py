"""What the kit must know of anything it verifies, of whatever family.

A family has a description of its own, a frozen dataclass that satisfies `Subject`; one whose arrays have no layouts to
choose extends `Described`. Claims are found by the family and the kind: "noise.bernoulli", "lstm.flipout".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from bayesnoise_reference._typing import Array


class Subject(Protocol):
    """What claims are about."""

    @property
    def family(self) -> str:
        """The first part of the id of a claim."""
        ...

    @property
    def estimator(self) -> str:
        """The second part: the estimator, or whatever kinds the family has."""
        ...

    @property
    def dtype(self) -> Literal["float32", "float64"]:
        """Of parameters, inputs and outputs."""
        ...

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an output, for an input of this shape, both as the layer has them."""
        ...

    def inward(self, name: str, value: Array) -> Array:
        """A named array from the layout of the claims to that of the layer; "x" is the input, "y" the output."""
        ...

    def outward(self, name: str, value: Array) -> Array:
        """The same, backwards."""
        ...


@dataclass(frozen=True, kw_only=True)
class Described:
    """A description whose arrays have one layout, and whose outputs have the shape of the inputs unless it says so."""

    family: str = field(init=False)
    dtype: Literal["float32", "float64"] = "float64"
    name: str = "layer"

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return x_shape

    def inward(self, name: str, value: Array) -> Array:
        return value

    def outward(self, name: str, value: Array) -> Array:
        return value
