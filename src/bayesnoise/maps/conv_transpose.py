"""Transposed convolution: the three functions of a convolution in another order.

If `Conv` is `y = A(w) x`, then this is `y = A(w)' x`: its `apply` is the convolution's `adjoint_x`, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.maps.bias import Bias
from bayesnoise.maps.conv import Conv, per_dimension
from bayesnoise.maps.map import Unit


@dataclass(frozen=True)
class ConvTranspose:
    """`(n, c, *positions), (c, o / groups, *kernel) -> (n, o, *space)`, with
    `space = (positions - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`.

    Arguments as for `Conv`; `output_padding` must be below the stride of its dimension.
    """

    in_channels: int
    out_channels: int
    kernel: Shape
    stride: int | Shape = 1
    padding: int | Shape = 0
    output_padding: int | Shape = 0
    dilation: int | Shape = 1
    groups: int = 1

    def __post_init__(self) -> None:
        conv = self._conv  # raises for sizes that do not fit together
        ndim = len(conv.kernel)
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0)):
            object.__setattr__(self, name, per_dimension(name, getattr(self, name), ndim, least))
        windows = conv.windows((1,) * ndim)
        extra = per_dimension("output_padding", self.output_padding, ndim, 0)
        if any(e >= s for e, s in zip(extra, windows.stride, strict=True)):  # the other way would see more positions
            raise ValueError(f"output_padding is {extra}, expected below the stride {windows.stride}")

    @property
    def _conv(self) -> Conv:
        """The convolution that runs the other way."""
        return Conv(
            self.out_channels, self.in_channels, self.kernel, self.stride, self.padding, self.dilation, self.groups
        )

    @property
    def weight_shape(self) -> Shape:
        return self._conv.weight_shape

    @property
    def initial_sd(self) -> float:
        return 1.0 / sqrt(self.in_channels // self.groups * prod(self.kernel))

    def output_shape(self, x_shape: Shape) -> Shape:
        ndim = len(self.kernel)
        if len(x_shape) != 2 + ndim or x_shape[1] != self.in_channels:
            expected = ", ".join(["n", str(self.in_channels), *["size"] * ndim])
            raise ValueError(f"x has shape {tuple(x_shape)}, expected ({expected}) for {self}")
        windows = self._conv.windows(tuple(x_shape[2:]))
        extra = per_dimension("output_padding", self.output_padding, ndim, 0)
        geometry = zip(x_shape[2:], windows.stride, windows.padding, windows.dilation, self.kernel, extra, strict=True)
        space = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, s, p, d, k, e in geometry)
        if min(*space, *x_shape[2:]) < 1:
            raise ValueError(f"x has spatial sizes {tuple(x_shape[2:])}, too small for the padding of {self}")
        return (x_shape[0], self.out_channels, *space)

    def unit_shape(self, unit: Unit) -> Shape:
        _checks.one_of("unit", unit, ("weight", "input", "output"))
        if unit == "output" and self.groups > 1:
            raise ValueError(f"unit is 'output', which has no shape of its own with groups={self.groups}: use 'input'")
        return self._conv.unit_shape({"weight": "weight", "input": "output", "output": "input"}[unit])  # type: ignore[arg-type]

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        ones = (1,) * len(self.kernel)
        return (x_shape[0], self.in_channels, *ones), (x_shape[0], self.out_channels, *ones)

    def bias(self) -> Bias:
        return Bias(self.out_channels, axis=1)

    def apply(self, x: Array, w: Array) -> Array:
        return self._conv.adjoint_x(x, w, self.output_shape(x.shape))

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        return self._conv.apply(g, w)

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        return self._conv.adjoint_w(x, g, w_shape)
