"""Networks of one method throughout: a builder of layers, such as `flipout`, and sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from bayesnoise import _checks
from bayesnoise._typing import Shape
from bayesnoise.activations import relu
from bayesnoise.chain import Chain, chain
from bayesnoise.layer import Layer, head
from bayesnoise.maps import Conv, Dense, Map
from bayesnoise.pooling import max_pool
from bayesnoise.reshaping import flatten

Build: TypeAlias = Callable[[Map], Layer]


def mlp(build: Build, sizes: Sequence[int]) -> Chain:
    """`(n, sizes[0]) -> (n, sizes[-1])`: dense layers with relu between them.

    ValueError for fewer than two sizes, or one below 1. With `dropout` there is noise before every dense layer; with
    `information_dropout`, whose outputs are not negative, the last layer has neither noise nor activation.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes is {tuple(sizes)}, expected at least the features of the input and of the output")
    for size in sizes:
        _checks.positive_integer("sizes", size)
    layers: list[Layer] = []
    for inputs, outputs in pairwise(sizes):
        layers += [relu(), build(Dense(inputs, outputs))]
    return chain(*layers[1:-1], head(layers[-1]))


def conv_net(
    build: Build, image_shape: Shape, outputs: int, *, channels: Sequence[int] = (16, 32), hidden: Sequence[int] = (64,)
) -> Chain:
    """`(n, c, h, w) -> (n, outputs)`: 3 x 3 convolutions that keep the size, each with relu and 2 x 2 max pooling.

    Then dense layers of the `hidden` sizes. ValueError for images too small to be halved once for each of `channels`.
    """
    if len(image_shape) != 3:
        raise ValueError(f"image_shape is {tuple(image_shape)}, expected (channels, height, width)")
    depth, *space = image_shape
    if min(space) < 2 ** len(channels):
        raise ValueError(f"image_shape is {tuple(image_shape)}, too small to be halved {len(channels)} times")
    layers: list[Layer] = []
    for wider in channels:
        layers += [build(Conv(depth, wider, (3, 3), padding=1)), relu(), max_pool((2, 2))]
        depth, space = wider, [size // 2 for size in space]
    dense = mlp(build, (depth * space[0] * space[1], *hidden, outputs))
    return chain(*layers, flatten(), *dense.layers)
