"""What a map is: `B(x, w)`, linear in the input and linear in the weights, with its two adjoints.

Everything an estimator does to an input it does through these three functions, so one derivation serves every map.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from bayesnoise._typing import Array, Shape

Unit: TypeAlias = Literal["weight", "input", "output"]
"""What shares one number: nothing (each weight its own), the weights of one input, or those of one output."""


class Map(Protocol):
    """A bilinear map. The first axis of `x` and `y` counts examples."""

    @property
    def weight_shape(self) -> Shape: ...

    @property
    def initial_sd(self) -> float:
        """The standard deviation of freshly drawn weights that keeps the scale of `x`; 0 for a bias."""
        ...

    def output_shape(self, x_shape: Shape) -> Shape:
        """The shape of `y`; ValueError if the map cannot take such an input."""
        ...

    def unit_shape(self, unit: Unit) -> Shape:
        """The shape, broadcastable to the weights, of one number a unit."""
        ...

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        """Shapes, broadcastable to `x` and to `y`, of signs that are constant over what one example shares."""
        ...

    def bias(self) -> Map:
        """The map that adds one number an output, which broadcasts against `y`."""
        ...

    def apply(self, x: Array, w: Array) -> Array: ...

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array: ...

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array: ...
