"""Masks over what a map shares: whole channels, blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import drop_block, dropout, spatial_dropout
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods, noise
from bayesnoise._typing import Shape
from bayesnoise.maps import Map
from layer_cases.case import LayerCase

DENSE = maps.Dense(3, 2)
CONV = maps.Conv(2, 2, (2, 2))
RATE = 0.5  # its factors are exact in float32
PRIOR = 0.5


def linear(m: Map, params: Any, x: Array) -> Array:
    """A map with points as weights and bias."""
    contract, bias = MAP_ORACLES[type(m)](m).contract, params.bias.theta
    y = np.stack([contract(x_n, params.weight.theta) for x_n in x])
    return np.asarray(y + bias.reshape(bias.shape if isinstance(m, maps.Dense) else (-1, *(1,) * (x.ndim - 2))))


def penalty(params: Any, drawn: Any) -> Any:
    """What is stored is the mean times the probability of keeping it; the bias is never dropped."""
    weight = reference.dropout_penalty(params[1].weight.theta / (1 - RATE), PRIOR, 1 - RATE)
    return weight + reference.dropout_penalty(params[1].bias.theta, PRIOR, 1.0)


def spatial(params: Any, drawn: Any, x: Array) -> Array:
    kept = drawn.multiplier.reshape(x.shape[:2]) != 0
    return spatial_dropout.output(x, kept, RATE)


def blocks(layer: noise.DropBlock) -> Callable[[Any, Any, Array], Array]:
    return lambda params, drawn, x: drop_block.output(x, drawn.blocks, layer.block, layer.scale_by)


def method_case(
    layer: Any, m: Map, x_shape: Shape, masked: Callable[[Any, Any, Array], Array], kl: Any = None
) -> LayerCase:
    return LayerCase(
        layer,
        x_shape,
        lambda params, drawn, x: linear(m, params[1], masked(params[0], drawn[0], x)),
        lambda params, x: linear(m, params[1], x),
        kl=kl,
    )


def block_case(layer: noise.DropBlock, x_shape: Shape) -> LayerCase:
    return LayerCase(layer, x_shape, blocks(layer), lambda params, x: x)


CASES = {
    "spatial_dropout": method_case(
        methods.spatial_dropout(CONV, rate=RATE, prior_scale=PRIOR), CONV, (2, 2, 3, 2), spatial, penalty
    ),
    "spatial_dropout dense": method_case(methods.spatial_dropout(DENSE, rate=RATE), DENSE, (2, 3), spatial),
    "drop_block": method_case(
        methods.drop_block(CONV, rate=RATE), CONV, (2, 2, 3, 2), blocks(noise.DropBlock(RATE, (2, 2)))
    ),
    "drop_block dense": method_case(
        methods.drop_block(DENSE, rate=RATE),
        DENSE,
        (2, 3),
        lambda params, drawn, x: dropout.bernoulli(x, drawn.multiplier != 0, RATE),
    ),
    "drop_block 1d": block_case(noise.DropBlock(0.4, (3,), "example"), (3, 1, 6)),
    "drop_block 2d": block_case(noise.DropBlock(0.3, (2, 3)), (2, 2, 3, 4)),
    "drop_block 3d": block_case(noise.DropBlock(0.2, (1, 2, 2), "example"), (2, 1, 2, 2, 3)),
    "drop_block no axes": block_case(noise.DropBlock(0.4, ()), (2, 4)),
}
