"""What a claim is given: the layer behind its guard, its share of the error, how long to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.guard import Guard


@dataclass(frozen=True)
class Trial:
    """One claim's view of a layer: `alpha` is the error it may make, `calls` how often it may ask for a sample.

    A family extends it with the designs that its claims share.
    """

    guard: Guard
    rng: np.random.Generator
    alpha: float
    calls: int

    @property
    def description(self) -> Any:
        """What the layer is."""
        return self.guard.description

    def rounded(self, x: Any) -> Array:
        """Numbers as the layer has them: of its precision."""
        return np.asarray(np.asarray(x, dtype=self.guard.dtype), dtype=np.float64)

    def normals(self, *shape: int) -> Array:
        """Standard normal numbers, rounded."""
        return self.rounded(self.rng.standard_normal(shape))

    def away_from_zero(self, *shape: int) -> Array:
        """Numbers of either sign between 0.5 and 1.5 in size, rounded."""
        return self.rounded(self.rng.uniform(0.5, 1.5, shape) * self.rng.choice([-1.0, 1.0], shape))
