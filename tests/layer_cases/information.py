"""Information dropout under both priors, on features and on channels."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from bayesnoise_reference import information_dropout
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.maps import Map
from layer_cases.case import LayerCase


def linear(m: Map, params: Any, x: Array) -> Array:
    """A map with points as weights and bias."""
    contract, bias = MAP_ORACLES[type(m)](m).contract, params.bias.theta
    y = np.stack([contract(x_n, params.weight.theta) for x_n in x])
    return np.asarray(y + bias.reshape(bias.shape if isinstance(m, maps.Dense) else (-1, *(1,) * (x.ndim - 2))))


def case(m: Map, x_shape: Shape, prior: Literal["log_uniform", "log_normal"]) -> LayerCase:
    def both(params: Any, x: Array) -> tuple[Array, Array]:
        return linear(m, params.value, x), linear(m, params.spread, x)

    return LayerCase(
        methods.information_dropout(m, prior=prior),
        x_shape,
        lambda params, noise, x: information_dropout.output(*both(params, x), noise.zeta, prior),
        lambda params, x: information_dropout.activation(linear(m, params.value, x), prior),
        lambda params, x: information_dropout.moments(*both(params, x), prior),
    )


CASES = {
    "information_dropout": case(maps.Dense(3, 4), (2, 3), "log_uniform"),
    "information_dropout log_normal": case(maps.Dense(2, 2), (2, 2), "log_normal"),
    "information_dropout conv": case(maps.Conv(1, 2, (2,)), (2, 1, 3), "log_uniform"),
}
