"""A map with weights of its own for each example: `y_n = B(x_n, w_n)`, and its two adjoints.

Dense is a batched product. A convolution of n examples with n kernels is one convolution of n times the channels in n
times the groups, so its functions serve as they are. Any other map goes through one example after the other. The
weights of a call take n times the memory of the map's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array, Shape
from bayesnoise.maps.bias import Bias
from bayesnoise.maps.conv import Conv
from bayesnoise.maps.conv_transpose import ConvTranspose
from bayesnoise.maps.dense import Dense
from bayesnoise.maps.map import Map


def apply_each(map: Map, x: Array, w: Array) -> Array:
    """`(n, ...), (n, *weight_shape) -> (n, ...)`."""
    xp = array_namespace(x, w)
    if isinstance(map, Dense):
        return xp.reshape(xp.matmul(_rows(x), w), map.output_shape(x.shape))
    if isinstance(map, Bias):
        return x * xp.reshape(w, map.output_shape(x.shape))
    if isinstance(map, Conv | ConvTranspose) and x.shape[0]:
        y = _grouped(map, x.shape[0]).apply(_merged(x), _weights(w))
        return xp.reshape(y, map.output_shape(x.shape))
    return _one_by_one(lambda x, w: map.apply(x, w[0, ...]), x, w, map.output_shape(x.shape))


def adjoint_x_each(map: Map, g: Array, w: Array, x_shape: Shape) -> Array:
    """The gradient of the input, like `x`."""
    xp = array_namespace(g, w)
    if isinstance(map, Dense):
        return xp.reshape(xp.matmul(_rows(g), xp.matrix_transpose(w)), tuple(x_shape))
    if isinstance(map, Bias):
        return xp.sum(g * xp.reshape(w, tuple(g.shape)), axis=map.axis, keepdims=True)
    n = x_shape[0]
    if isinstance(map, Conv | ConvTranspose) and n:
        grad = _grouped(map, n).adjoint_x(_merged(g), _weights(w), (1, n * x_shape[1], *x_shape[2:]))
        return xp.reshape(grad, tuple(x_shape))
    one = (1, *x_shape[1:])
    return _one_by_one(lambda g, w: map.adjoint_x(g, w[0, ...], one), g, w, x_shape)


def adjoint_w_each(map: Map, g: Array, x: Array, w_shape: Shape) -> Array:
    """The gradient of the weights of each example, `w_shape = (n, *weight_shape)`."""
    xp = array_namespace(g, x)
    if isinstance(map, Dense):
        return xp.matmul(xp.matrix_transpose(_rows(x)), _rows(g))
    if isinstance(map, Bias):
        return xp.reshape(g * x, tuple(w_shape))
    n = x.shape[0]
    if isinstance(map, Conv | ConvTranspose) and n:
        merged = (n * w_shape[1], *w_shape[2:])
        return xp.reshape(_grouped(map, n).adjoint_w(_merged(g), _merged(x), merged), tuple(w_shape))

    shape = tuple(w_shape[1:])
    return _one_by_one(lambda g, x: xp.expand_dims(map.adjoint_w(g, x, shape), axis=0), g, x, w_shape)


def _rows(x: Array) -> Array:
    """`(n, ..., i) -> (n, positions, i)`."""
    return array_namespace(x).reshape(x, (x.shape[0], prod(x.shape[1:-1]), x.shape[-1]))


def _merged(x: Array) -> Array:
    """`(n, c, *space) -> (1, n * c, *space)`."""
    return array_namespace(x).reshape(x, (1, x.shape[0] * x.shape[1], *x.shape[2:]))


def _weights(w: Array) -> Array:
    """`(n, o, c / groups, *kernel) -> (n * o, c / groups, *kernel)`: the first axis is that which groups divide."""
    return array_namespace(w).reshape(w, (w.shape[0] * w.shape[1], *w.shape[2:]))


def _grouped(map: Conv | ConvTranspose, n: int) -> Conv | ConvTranspose:
    """The same map over the channels of n examples, each a group of its own."""
    return replace(map, in_channels=n * map.in_channels, out_channels=n * map.out_channels, groups=n * map.groups)


def _one_by_one(function: Callable[[Array, Array], Array], a: Array, b: Array, like: Shape) -> Array:
    """`function(a[i : i + 1], b[i : i + 1])` for each example, along the first axis of a result of shape `like`."""
    xp = array_namespace(a, b)
    if a.shape[0] == 0:
        return xp.zeros(tuple(like), dtype=a.dtype, device=device(a))
    return xp.concat([function(a[i : i + 1, ...], b[i : i + 1, ...]) for i in range(a.shape[0])], axis=0)
