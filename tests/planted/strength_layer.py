"""What layers of noise of learned strength have in common, written down the short way."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.strength import Strength

from planted.mistaken import Mistaken

Array = Any


class Layer(Mistaken):
    """Its noise and its passes. A mistake is a line that asks for its name."""

    description: Strength

    def load(self, parameters: dict[str, Array]) -> None:
        super().load(parameters)
        self.held.clear()

    def noise(self, x: Array) -> Array:
        if self.has("strength-across-calls") and x.shape in self.held:
            return self.held[x.shape]
        n = 1 if self.has("strength-shared-across-batch") else len(x)
        units = 1 if self.has("strength-shared-across-units") else x.shape[1]
        self.held[x.shape] = np.broadcast_to(self.fresh((n, units)), x.shape)
        return self.held[x.shape]

    def fresh(self, shape: tuple[int, ...]) -> Array:
        raise NotImplementedError

    def output(self, x: Array, noise: Array) -> Array:
        raise NotImplementedError

    def plain(self, x: Array) -> Array:
        raise NotImplementedError

    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ValueError("need at least one example")
        return self.plain(x) if self.has("strength-noise-missing") else self.output(x, self.noise(x))

    def evaluate(self, x: Array) -> Array:
        if self.has("strength-evaluation-noisy"):
            return self.sample(x)
        return self.plain(x) * (0.9 if self.has("strength-evaluation-scaled") else 1.0)
