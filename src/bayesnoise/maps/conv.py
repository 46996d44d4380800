"""Convolution (cross-correlation, as the field says) over 1, 2 or 3 spatial dimensions, channels first.

The windows are gathered channels last, so the convolution is one matrix product; its adjoints are the two other
products and the adjoint of the gather.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.maps._windows import PaddingMode, Windows, gather, gather_adjoint
from bayesnoise.maps.bias import Bias
from bayesnoise.maps.map import Unit


def per_dimension(name: str, value: int | Shape, ndim: int, least: int) -> Shape:
    """One integer a spatial dimension, from one for all or from a tuple."""
    if not isinstance(value, int | tuple | list):
        raise TypeError(f"{name} is {value!r}, expected one integer or {ndim}, one a spatial dimension")
    entries = (value,) * ndim if isinstance(value, int) else tuple(value)
    if len(entries) != ndim:
        raise ValueError(f"{name} is {value}, expected one integer or {ndim}, one a spatial dimension")
    _checks.integers(name, entries)
    if any(v < least for v in entries):
        raise ValueError(f"{name} is {value}, expected integers of at least {least}")
    return entries


def channels_last(x: Array) -> Array:
    """`(n, c, *space) -> (n, prod(space), c)`."""
    xp = array_namespace(x)
    return xp.permute_dims(xp.reshape(x, (*x.shape[:2], prod(x.shape[2:]))), (0, 2, 1))


def channels_first(x: Array, space: Shape) -> Array:
    """`(n, prod(space), c) -> (n, c, *space)`."""
    xp = array_namespace(x)
    return xp.reshape(xp.permute_dims(x, (0, 2, 1)), (x.shape[0], x.shape[2], *space))


@dataclass(frozen=True)
class Conv:
    """`(n, c, *space), (o, c / groups, *kernel) -> (n, o, *positions)`.

    `kernel` has one integer a spatial dimension; `stride`, `padding` and `dilation` one for all, or one each.
    `padding_mode` is "zeros" or "circular". Raises ValueError for sizes that do not fit together.
    """

    in_channels: int
    out_channels: int
    kernel: Shape
    stride: int | Shape = 1
    padding: int | Shape = 0
    dilation: int | Shape = 1
    groups: int = 1
    padding_mode: PaddingMode = "zeros"

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            _checks.positive_integer(name, getattr(self, name))
        if not isinstance(self.kernel, tuple | list) or not 1 <= len(self.kernel) <= 3:
            raise ValueError(
                f"kernel is {self.kernel}, expected a tuple of 1, 2 or 3 integers, one a spatial dimension"
            )
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            object.__setattr__(self, name, per_dimension(name, getattr(self, name), len(self.kernel), least))
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups is {self.groups}, expected a divisor of in_channels={self.in_channels} "
                f"and of out_channels={self.out_channels}"
            )
        _checks.one_of("padding_mode", self.padding_mode, ("zeros", "circular"))

    @property
    def weight_shape(self) -> Shape:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    @property
    def initial_sd(self) -> float:
        return 1.0 / sqrt(self.in_channels // self.groups * prod(self.kernel))

    def windows(self, space: Shape) -> Windows:
        """The sliding window over an input with the given spatial sizes."""
        ndim = len(self.kernel)
        return Windows(
            size=tuple(space),
            kernel=self.kernel,
            stride=per_dimension("stride", self.stride, ndim, 1),
            padding=per_dimension("padding", self.padding, ndim, 0),
            dilation=per_dimension("dilation", self.dilation, ndim, 1),
            padding_mode=self.padding_mode,
        )

    def output_shape(self, x_shape: Shape) -> Shape:
        space = tuple(x_shape[2:])
        if len(space) != len(self.kernel) or x_shape[1] != self.in_channels:
            expected = ", ".join(["n", str(self.in_channels), *["size"] * len(self.kernel)])
            raise ValueError(f"x has shape {tuple(x_shape)}, expected ({expected}) for {self}")
        windows = self.windows(space)
        if min(*windows.positions, *space) < 1:
            raise ValueError(f"x has spatial sizes {space}, too small for kernel {self.kernel} of {self}: pad it")
        if self.padding_mode == "circular" and any(p > n for p, n in zip(windows.padding, space, strict=True)):
            raise ValueError(f"padding is {windows.padding}, expected at most the sizes {space} when it is circular")
        return (x_shape[0], self.out_channels, *windows.positions)

    def unit_shape(self, unit: Unit) -> Shape:
        _checks.one_of("unit", unit, ("weight", "input", "output"))
        if unit == "input" and self.groups > 1:
            raise ValueError(f"unit is 'input', which has no shape of its own with groups={self.groups}: use 'output'")
        ones = (1,) * len(self.kernel)
        return {
            "weight": self.weight_shape,
            "input": (1, self.in_channels, *ones),
            "output": (self.out_channels, 1, *ones),
        }[unit]

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        ones = (1,) * len(self.kernel)
        return (x_shape[0], self.in_channels, *ones), (x_shape[0], self.out_channels, *ones)

    def bias(self) -> Bias:
        return Bias(self.out_channels, axis=1)

    def _columns(self, x: Array, windows: Windows) -> Array:
        """`(n, c, *space) -> (groups, n * p, k * c / groups)`."""
        xp = array_namespace(x)
        patches = gather(channels_last(x), windows)
        n, p, k, c = patches.shape
        if self.groups == 1:
            return xp.reshape(patches, (1, n * p, k * c))
        grouped = xp.reshape(patches, (n * p, k, self.groups, c // self.groups))
        return xp.reshape(xp.permute_dims(grouped, (2, 0, 1, 3)), (self.groups, n * p, k * c // self.groups))

    def _rows(self, y: Array) -> Array:
        """`(n, o, *positions) -> (groups, n * p, o / groups)`."""
        xp = array_namespace(y)
        n, o = y.shape[:2]
        rows = xp.reshape(channels_last(y), (n * prod(y.shape[2:]), self.groups, o // self.groups))
        return xp.permute_dims(rows, (1, 0, 2))

    def _matrix(self, w: Array) -> Array:
        """`(o, c / groups, *kernel) -> (groups, k * c / groups, o / groups)`."""
        xp = array_namespace(w)
        k, c = prod(self.kernel), self.in_channels // self.groups
        grouped = xp.reshape(w, (self.groups, self.out_channels // self.groups, c, k))
        return xp.reshape(xp.permute_dims(grouped, (0, 3, 2, 1)), (self.groups, k * c, -1))

    def apply(self, x: Array, w: Array) -> Array:
        xp = array_namespace(x, w)
        windows = self.windows(x.shape[2:])
        rows = xp.matmul(self._columns(x, windows), self._matrix(w))  # (groups, n * p, o / groups)
        by_example = xp.reshape(
            xp.permute_dims(rows, (1, 0, 2)), (x.shape[0], prod(windows.positions), self.out_channels)
        )
        return channels_first(by_example, windows.positions)

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        xp = array_namespace(g, w)
        windows = self.windows(x_shape[2:])
        n, p, k, c = g.shape[0], prod(windows.positions), prod(self.kernel), self.in_channels
        columns = xp.matmul(self._rows(g), xp.matrix_transpose(self._matrix(w)))  # (groups, n * p, k * c / groups)
        grouped = xp.reshape(columns, (self.groups, n * p, k, c // self.groups))
        patches = xp.reshape(xp.permute_dims(grouped, (1, 2, 0, 3)), (n, p, k, c))
        return channels_first(gather_adjoint(patches, windows), tuple(x_shape[2:]))

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        xp = array_namespace(g, x)
        columns = self._columns(x, self.windows(x.shape[2:]))
        matrix = xp.matmul(xp.matrix_transpose(columns), self._rows(g))  # (groups, k * c / groups, o / groups)
        k, c = prod(self.kernel), self.in_channels // self.groups
        grouped = xp.reshape(matrix, (self.groups, k, c, self.out_channels // self.groups))
        return xp.reshape(xp.permute_dims(grouped, (0, 3, 2, 1)), w_shape)
