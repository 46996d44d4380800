"""The convolutions of PyTorch as maps: the same functions as the portable ones, by cuDNN or oneDNN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch.nn import grad as gradients

from bayesnoise._typing import Array, Shape
from bayesnoise.maps.conv import Conv
from bayesnoise.maps.conv_transpose import ConvTranspose
from bayesnoise.maps.map import Map
from bayesnoise_backends._native import Delegated

_CONV: tuple[Any, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)
_TRANSPOSE: tuple[Any, ...] = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)
_INPUT: tuple[Any, ...] = (gradients.conv1d_input, gradients.conv2d_input, gradients.conv3d_input)
_WEIGHT: tuple[Any, ...] = (gradients.conv1d_weight, gradients.conv2d_weight, gradients.conv3d_weight)


def wrap(x: Array, around: Shape) -> Array:
    """Circular padding of the spatial axes."""
    if not any(around):
        return x
    return functional.pad(x, [p for p in reversed(around) for _ in range(2)], mode="circular")


def unwrap(g: Array, around: Shape) -> Array:
    """The adjoint of `wrap`: what was read past one end is added at the other."""
    for axis, p in enumerate(around, start=2):
        if p > 0:
            n = g.shape[axis] - 2 * p
            before, inside, after = torch.split(g, [p, n, p], dim=axis)
            zeros = g.new_zeros([*g.shape[:axis], n - p, *g.shape[axis + 1 :]])
            g = inside + torch.cat([zeros, before], dim=axis) + torch.cat([after, zeros], dim=axis)
    return g


@dataclass(frozen=True)
class NativeConv(Delegated):
    """A `Conv` computed by `torch.nn.functional.conv1d`, and so on."""

    def apply(self, x: Array, w: Array) -> Array:
        return _CONV[self.rank - 1](wrap(x, self.around), w, **self.geometry)

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        padded = (*x_shape[:2], *(n + 2 * p for n, p in zip(x_shape[2:], self.around, strict=True)))
        return unwrap(_INPUT[self.rank - 1](padded, w, g, **self.geometry), self.around)

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        return _WEIGHT[self.rank - 1](wrap(x, self.around), tuple(w_shape), g, **self.geometry)


@dataclass(frozen=True)
class NativeConvTranspose(Delegated):
    """A `ConvTranspose` computed by `torch.nn.functional.conv_transpose1d`, and so on."""

    def apply(self, x: Array, w: Array) -> Array:
        extra = getattr(self.map, "output_padding", 0)
        return _TRANSPOSE[self.rank - 1](x, w, output_padding=extra, **self.geometry)

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        return _CONV[self.rank - 1](g, w, **self.geometry)

    def adjoint_w(self, g: Array, x: Array, w_shape: Shape) -> Array:
        return _WEIGHT[self.rank - 1](g, tuple(w_shape), x, **self.geometry)


def has_native(value: object) -> bool:
    """Whether PyTorch has the map itself."""
    return isinstance(value, Conv | ConvTranspose)


def native(map: Map) -> Map:
    """PyTorch's own map in the place of a convolution; any other map as it is."""
    if isinstance(map, Conv):
        return NativeConv(map)
    return NativeConvTranspose(map) if isinstance(map, ConvTranspose) else map
