"""What a claim is given: the layer behind its guard, its share of the error, how long to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
