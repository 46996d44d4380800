"""What a divergence is: the KL term from the law of the weights to their prior, summed over weights."""

from __future__ import annotations

from typing import Protocol

from bayesnoise._typing import Array
from bayesnoise.posteriors.law import Coordinates, Law


class Divergence(Protocol):
    """A KL term and its gradient with respect to the coordinates of the law.

    `eps` is standard normal noise in the shape of the weights, for Monte Carlo divergences; the others ignore it.
    """

    @property
    def monte_carlo(self) -> bool: ...

    def value(self, law: Law, eps: Array | None = None) -> Array:
        """The divergence, shape ()."""
        ...

    def grad(self, law: Law, eps: Array | None = None) -> Coordinates: ...
