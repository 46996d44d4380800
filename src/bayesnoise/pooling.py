"""Pooling over windows of 1, 2 or 3 spatial dimensions, channels first. Each name below is called to get a layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array, Shape
from bayesnoise.fixed import Fixed
from bayesnoise.maps._windows import Windows, gather, gather_adjoint, padded
from bayesnoise.maps.conv import channels_first, channels_last, per_dimension

__all__ = ["average_pool", "global_average_pool", "max_pool"]


@dataclass(frozen=True)
class PoolWindow:
    """Checked sizes of a pooling window, one integer a spatial dimension each."""

    kernel: Shape
    stride: Shape
    padding: Shape

    def over(self, space: Shape) -> Windows:
        return Windows(tuple(space), self.kernel, self.stride, self.padding, (1,) * len(self.kernel))

    def output_shape(self, x_shape: Shape) -> Shape:
        space = tuple(x_shape[2:])
        if len(space) != len(self.kernel):
            expected = ", ".join(["n", "c", *["size"] * len(self.kernel)])
            raise ValueError(f"x has shape {tuple(x_shape)}, expected ({expected}) for kernel {self.kernel}")
        positions = self.over(space).positions
        if min(*space, *positions) < 1:
            raise ValueError(f"x has spatial sizes {space}, too small for kernel {self.kernel}: use a smaller kernel")
        return (*x_shape[:2], *positions)


def _window(kernel: Shape, stride: int | Shape | None, padding: int | Shape) -> PoolWindow:
    if not isinstance(kernel, tuple | list) or not 1 <= len(kernel) <= 3:
        raise ValueError(f"kernel is {kernel}, expected a tuple of 1, 2 or 3 integers, one a spatial dimension")
    ndim = len(kernel)
    window = PoolWindow(
        kernel=per_dimension("kernel", kernel, ndim, 1),
        stride=per_dimension("stride", kernel if stride is None else stride, ndim, 1),
        padding=per_dimension("padding", padding, ndim, 0),
    )
    if any(p >= k for p, k in zip(window.padding, window.kernel, strict=True)):
        raise ValueError(
            f"padding is {padding}, expected less than the kernel {window.kernel}: else a window holds padding only"
        )
    return window


class MaxPoolResiduals(NamedTuple):
    x: Array
    winner: Array  # (n, p, c): the offset in the window whose value was taken


def _offsets(windows: Windows, like: Array) -> Array:
    """`(1, 1, k, 1)`: the numbers of the offsets, in row order."""
    xp = array_namespace(like)
    return xp.arange(prod(windows.kernel), dtype=xp.int32, device=device(like))[None, None, :, None]


@dataclass(frozen=True)
class MaxPool:
    window: PoolWindow

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.window.output_shape(x_shape)

    def forward(self, x: Array) -> tuple[Array, MaxPoolResiduals]:
        xp = array_namespace(x)
        windows = self.window.over(x.shape[2:])
        patches = gather(channels_last(x), windows)  # (n, p, k, c)
        outside = xp.asarray(padded(windows)[None, :, :, None], device=device(x))
        largest = xp.max(xp.where(outside, xp.full_like(patches, -inf), patches), axis=2, keepdims=True)
        wins = xp.logical_and(patches == largest, xp.logical_not(outside))  # so that not even -inf is padding's
        offsets = _offsets(windows, x)
        winner = xp.min(xp.where(wins, offsets, xp.full_like(offsets, prod(windows.kernel))), axis=2)  # the first
        return channels_first(largest[:, :, 0, :], windows.positions), MaxPoolResiduals(x, winner)

    def backward(self, residuals: MaxPoolResiduals, grad_y: Array) -> Array:
        x, winner = residuals
        xp = array_namespace(grad_y)
        windows = self.window.over(x.shape[2:])
        grad = xp.expand_dims(channels_last(grad_y), axis=2)  # (n, p, 1, c)
        chosen = xp.expand_dims(winner, axis=2) == _offsets(windows, x)  # (n, p, k, c)
        return channels_first(gather_adjoint(xp.where(chosen, grad, xp.zeros_like(grad)), windows), x.shape[2:])


class AveragePoolResiduals(NamedTuple):
    x: Array


@dataclass(frozen=True)
class AveragePool:
    window: PoolWindow
    count_include_pad: bool

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.window.output_shape(x_shape)

    def _counts(self, windows: Windows, like: Array) -> Array:
        """`(1, p, 1)`: what the sum over each window is divided by."""
        outside = padded(windows)
        counts = outside.shape[1] - (0 if self.count_include_pad else 1) * outside.sum(axis=1)
        return array_namespace(like).asarray(counts[None, :, None], dtype=like.dtype, device=device(like))

    def forward(self, x: Array) -> tuple[Array, AveragePoolResiduals]:
        xp = array_namespace(x)
        windows = self.window.over(x.shape[2:])
        y = xp.sum(gather(channels_last(x), windows), axis=2) / self._counts(windows, x)
        return channels_first(y, windows.positions), AveragePoolResiduals(x)

    def backward(self, residuals: AveragePoolResiduals, grad_y: Array) -> Array:
        xp = array_namespace(grad_y)
        x_shape = residuals.x.shape
        windows = self.window.over(x_shape[2:])
        share = xp.expand_dims(channels_last(grad_y) / self._counts(windows, grad_y), axis=2)  # (n, p, 1, c)
        n, p, _, c = share.shape
        spread = xp.broadcast_to(share, (n, p, prod(windows.kernel), c))
        return channels_first(gather_adjoint(spread, windows), x_shape[2:])


@dataclass(frozen=True)
class GlobalAveragePool:
    def output_shape(self, x_shape: Shape) -> Shape:
        if not 3 <= len(x_shape) <= 5 or min(x_shape[2:]) < 1:
            raise ValueError(
                f"x has shape {tuple(x_shape)}, expected (n, c, *space) with 1, 2 or 3 sizes of at least 1"
            )
        return tuple(x_shape[:2])

    def forward(self, x: Array) -> tuple[Array, AveragePoolResiduals]:
        return array_namespace(x).mean(x, axis=tuple(range(2, x.ndim))), AveragePoolResiduals(x)

    def backward(self, residuals: AveragePoolResiduals, grad_y: Array) -> Array:
        xp = array_namespace(grad_y)
        x_shape = tuple(residuals.x.shape)
        space = x_shape[2:]
        share = xp.reshape(grad_y / float(prod(space)), (*x_shape[:2], *(1,) * len(space)))
        return xp.broadcast_to(share, x_shape)


def max_pool(kernel: Shape, stride: int | Shape | None = None, padding: int | Shape = 0) -> Fixed:
    """`(n, c, *space) -> (n, c, *positions)`: the largest value of each window, of equal ones the first in row order.

    `kernel` has one integer a spatial dimension; `stride` (by default the kernel) and `padding` have one for all or one
    each. Padding never wins. Raises ValueError for sizes that do not fit together.
    """
    return Fixed(MaxPool(_window(kernel, stride, padding)))


def average_pool(
    kernel: Shape, stride: int | Shape | None = None, padding: int | Shape = 0, *, count_include_pad: bool = True
) -> Fixed:
    """`(n, c, *space) -> (n, c, *positions)`: the mean of each window. Arguments and errors as for `max_pool`.

    With `count_include_pad` a window is divided by the size of the kernel, padded zeros counted; without, by the number
    of values that it covers.
    """
    return Fixed(AveragePool(_window(kernel, stride, padding), count_include_pad))


def global_average_pool() -> Fixed:
    """`(n, c, *space) -> (n, c)`: the mean over all positions. ValueError unless there are 1, 2 or 3 dimensions."""
    return Fixed(GlobalAveragePool())
