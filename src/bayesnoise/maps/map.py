"""What a map is: `B(x, w)`, linear in the input and linear in the weights, with its two adjoints.

Everything an estimator does to an input it does through these three functions, so one derivation serves every map.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params, Shape

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


@runtime_checkable
class Selecting(Protocol):
    """A map whose input is integers: which row of the weights each position reads.

    It is linear in the one-hot vectors that the integers stand for; they are never formed, and have no gradient.
    """

    def check_indices(self, x: Array) -> None:
        """Raise ValueError unless every integer names a row."""
        ...

    def flipped(self, sign_in: Array, x: Array) -> Any:
        """What `apply` and `adjoint_w` take for the one-hot vectors times the signs."""
        ...


def check_input(map: Map, x: Array, params: Params) -> None:
    """Raise TypeError or ValueError unless `x` is what the map reads, of the backend of the parameters."""
    if not isinstance(map, Selecting):
        _checks.layer_input(x, params)
        return
    _checks.integral("x", x)
    leaf = tree.first_leaf(params)
    if leaf is not None:
        _checks.same_backend("x", x, "params", leaf)
    map.check_indices(x)


def check_numbers(map: Map) -> None:
    """Raise TypeError for a map whose input is integers, which noise cannot multiply."""
    if isinstance(map, Selecting):
        raise TypeError(
            f"map is {map}, whose input is integers, expected one of numbers: use deterministic here and this method "
            "on the map behind it, or flipout here"
        )


def flipped(map: Map, sign_in: Array, x: Array) -> Any:
    """`sign_in * x`."""
    return map.flipped(sign_in, x) if isinstance(map, Selecting) else sign_in * x


def squared(map: Map, x: Array) -> Array:
    """`x * x`: one-hot vectors are their own squares."""
    return x if isinstance(map, Selecting) else x * x
