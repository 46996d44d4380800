"""What an estimator is: how the law of the weights reaches the output.

An estimator keeps two sides apart. The elementwise side turns `(mean, scale)` and the noise of the weights into
operands, arrays of the shape of the weights, and pulls their gradients back. The contracting side meets the map and the
input, and never sees a parameter. The first costs per weight, the second per product.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from bayesnoise._typing import Array, Noise, Residuals, Rng, Shape
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class Operands(NamedTuple):
    """What the contractions multiply by, like the weights: gradients of operands have the same form."""

    mean: Array
    perturbation: Array | None = None  # flipout's scale * eps
    variance: Array | None = None  # local reparameterization's scale^2


class Estimator(Protocol):
    """One way of computing a random output, with its backward rule."""

    @property
    def independent_examples(self) -> bool:
        """Whether each example has noise of its own, so that a call on n of them has the law of n calls on one."""
        ...

    def refusal(self, traits: Traits) -> str | None:
        """Why this estimator is wrong for such a law, and what to use instead; None if it is right."""
        ...

    def reuse_refusal(self) -> str | None:
        """Why one draw may not meet several inputs of an example, and what to use instead; None if it may.

        It may where a draw stands for weights: then each example has weights of its own, at every step of a sequence.
        """
        ...

    def noise_shapes(self, map: Map, x_shape: Shape) -> Noise:
        """The shapes of the noise of one call, under its names."""
        ...

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> Noise:
        """The noise of one call; what it draws for weights has the standard law."""
        ...

    def weight_noise(self, noise: Noise) -> Array | None:
        """Noise of the standard law in the shape of the weights, if this estimator draws any."""
        ...

    def operands(self, mean: Array, scale: Array | None, noise: Noise) -> Operands: ...

    def operands_backward(self, scale: Array | None, noise: Noise, grad: Operands) -> tuple[Array, Array | None]:
        """Gradients of the mean and of the scale."""
        ...

    def contract(self, map: Map, x: Array, operands: Operands, noise: Noise) -> tuple[Array, Residuals]: ...

    def contract_backward(
        self, map: Map, residuals: Residuals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]: ...
