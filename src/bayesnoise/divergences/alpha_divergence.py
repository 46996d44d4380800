"""Divergences that depend on a law through alpha alone: three elementwise functions of log alpha make one.

For noise on the weights the divergence counts one term a weight, so an alpha shared by an input or an output counts as
often as it has weights. For noise on activations (type B of variational dropout) it counts one term a unit: there a
layer sums `elementwise(log_alpha)`, whose gradient is `slope(log_alpha)`.
"""

from __future__ import annotations

from typing import Protocol

from array_api_compat import array_namespace

from bayesnoise._typing import Array
from bayesnoise.divergences.divergence import Divergence
from bayesnoise.posteriors.law import Coordinates, Law


class AlphaDivergence(Divergence, Protocol):
    """A divergence with its term and the two slopes of that, elementwise: finite for log alpha from -1e4 to +inf."""

    def elementwise(self, log_alpha: Array) -> Array:
        """The divergence of one weight or one unit, in the shape of log alpha."""
        ...

    def slope(self, log_alpha: Array) -> Array:
        """The derivative of `elementwise` by log alpha."""
        ...

    def slope_by_inverse_alpha(self, log_alpha: Array) -> Array:
        """The derivative of `elementwise` by 1/alpha."""
        ...


def value(self: AlphaDivergence, law: Law, eps: Array | None = None) -> Array:
    """The sum of one term a weight, shape ()."""
    log_alpha = law.log_alpha
    return array_namespace(log_alpha).sum(self.elementwise(log_alpha)) * law.weights_per_alpha


def grad(self: AlphaDivergence, law: Law, eps: Array | None = None) -> Coordinates:
    """The gradient by log alpha, and by 1/alpha."""
    log_alpha, count = law.log_alpha, law.weights_per_alpha
    return Coordinates(
        log_alpha=self.slope(log_alpha) * count,
        inverse_alpha=self.slope_by_inverse_alpha(log_alpha) * count,
    )
