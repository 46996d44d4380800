"""Seeds that split: 128 bits of entropy, hashed into children by NumPy's SeedSequence.

A seed is data, as a JAX key is. Splitting never touches a device, and a chain of splits, one a training step, costs the
same at every step: each child is hashed down to 128 bits again, where `Generator.spawn` would carry its whole ancestry.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Seed:
    """A seed from a non-negative integer. TypeError for what is no integer, ValueError below 0."""

    entropy: int

    def __post_init__(self) -> None:
        try:
            entropy = operator.index(self.entropy)
        except TypeError:
            raise TypeError(f"seed is {self.entropy!r}, expected a non-negative integer, such as 0") from None
        if entropy < 0:
            raise ValueError(f"seed is {entropy}, expected a non-negative integer, such as 0")
        object.__setattr__(self, "entropy", entropy)

    def sequence(self, *key: int) -> np.random.SeedSequence:
        """The seed of a bit generator; each key of two or more numbers gives another one."""
        return np.random.SeedSequence(self.entropy, spawn_key=key)

    def words(self, n: int) -> Any:
        """`n` hashed words of 32 bits."""
        return self.sequence().generate_state(n)

    def integer(self, bits: int) -> int:
        """A hashed integer of up to 64 bits."""
        return int(self.sequence().generate_state(1, np.uint64)[0]) >> (64 - bits)

    def split(self, n: int) -> tuple[Seed, ...]:
        """`n` seeds, different from each other and from this one."""
        children = (self.sequence(i).generate_state(4) for i in range(n))
        return tuple(Seed(int.from_bytes(child.astype("<u4").tobytes(), "little")) for child in children)
