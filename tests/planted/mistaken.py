"""What layers with a planted mistake have in common. A mistake is a line that asks for its name."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


class Mistaken:
    """A source of noise, parameters by their names, and the noise that was drawn, by its shape."""

    def __init__(self, description: Any, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.p: dict[str, Array] = {}
        self.held: dict[tuple[int, ...], Array] = {}

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.p = parameters

    def normal(self, *shape: int) -> Array:
        if self.has("eps-across-calls"):
            return self.held.setdefault(shape, self.rng.standard_normal(shape))
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
        return self.rng.standard_normal(shape) * (not self.has("no-noise"))
