"""No divergence: maximum likelihood, or a prior accounted for elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law


@dataclass(frozen=True)
class Zero:
    """0, for any law."""

    @property
    def monte_carlo(self) -> bool:
        return False

    def value(self, law: Law, eps: Array | None = None) -> Array:
        mean = law.mean
        return array_namespace(mean).zeros((), dtype=mean.dtype, device=device(mean))

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates:
        return Coordinates()
