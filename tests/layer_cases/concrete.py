"""Concrete dropout on features and on channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference import concrete_dropout, divergences
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.maps import Map
from layer_cases.case import LayerCase

PRIOR = 0.5
TEMPERATURE = 0.5


def case(m: Map, x_shape: Shape, units: int, axis: int, temperature: float = TEMPERATURE) -> LayerCase:
    contract = MAP_ORACLES[type(m)](m).contract

    def linear(params: Any, x: Array) -> Array:
        y, bias = np.stack([contract(x_n, params.weight.theta) for x_n in x]), params.bias.theta
        return np.asarray(y + (bias if axis == -1 else bias.reshape(-1, *(1,) * (y.ndim - 2))))

    def output(params: Any, noise: Any, x: Array) -> Array:
        u = noise.weight.u.reshape(x.shape[0], units)
        return linear(params, concrete_dropout.masked(x, params.weight.logit, u, temperature, axis))

    def kl(params: Any, noise: Any) -> Any:
        weight = concrete_dropout.divergence(params.weight.theta, params.weight.logit, units, PRIOR)
        return weight + divergences.dropout_penalty(params.bias.theta, PRIOR, 1.0)

    layer = methods.concrete_dropout(m, temperature=temperature, prior_scale=PRIOR)
    return LayerCase(layer, x_shape, output, linear, kl=kl)


CASES = {
    "concrete_dropout": case(maps.Dense(3, 2), (2, 3), 3, -1),
    "concrete_dropout positions": case(maps.Dense(2, 2), (2, 2, 2), 2, -1, 0.1),
    "concrete_dropout conv": case(maps.Conv(2, 2, (2, 1)), (2, 2, 3, 2), 2, 1),
}
