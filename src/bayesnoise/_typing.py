"""The types that every file speaks of."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

Array: TypeAlias = Any  # an array of any namespace of the array API standard, 2024.12
Shape: TypeAlias = tuple[int, ...]
Params: TypeAlias = Any  # a NamedTuple of arrays, nested
Noise: TypeAlias = Any  # a NamedTuple of arrays, nested
Residuals: TypeAlias = Any  # what `forward` leaves for `backward`: a NamedTuple of arrays, nested


class Rng(Protocol):
    """A source of random arrays, used once: for one draw, or for one split.

    `like` is any array: the draw takes its namespace, dtype and device.
    """

    def normal(self, shape: Shape, *, like: Array) -> Array:
        """Independent standard normal numbers."""
        ...

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        """Independent numbers, uniform on [0, 1)."""
        ...

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        """Independent signs, -1 or +1 with probability 1/2 each."""
        ...

    def split(self, n: int) -> tuple[Rng, ...]:
        """`n` sources, independent of each other."""
        ...
