"""Structured variational dropout: a factor an input of a dense map, and one a filter of a convolution and its bias."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference import structured_variational_dropout as reference
from bayesnoise_reference._typing import Array
from bayesnoise_reference.variational_structured_dropout import output
from cases import MAP_ORACLES

from bayesnoise import maps, methods, noise
from layer_cases.case import LayerCase

BOUNDS = (-3.0, 0.5)
CONV = maps.Conv(2, 2, (2,))


def drawn(params: Any, noise: Any) -> Array:
    return reference.factors(params.mu, params.log_sigma, noise.eps, *BOUNDS)


def mean(params: Any, x: Array) -> Array:
    return np.stack([reference.moment(params.mu, params.log_sigma, *BOUNDS, 1)] * len(x))


def divergence(params: Any, noise: Any) -> Any:
    return reference.divergence(params.mu, params.log_sigma, *BOUNDS)


def of_channels(x: Array, by_unit: Array) -> Array:
    return x * by_unit[:, :, None]


def factor_moments(params: Any, x: Array) -> tuple[Array, Array]:
    first, second = (reference.moment(params.mu, params.log_sigma, *BOUNDS, power) for power in (1, 2))
    return x * first[:, None], x**2 * (second - first**2)[:, None]


def dense(params: Any, z: Array, x: Array) -> Array:
    contract = MAP_ORACLES[maps.Dense](maps.Dense(3, 2)).contract
    return np.asarray(output(x, params[1].weight.theta, z, 0, contract) + params[1].bias.theta)


def filters(params: Any, z: Array, x: Array) -> Array:
    y = output(x, params[0].weight.theta, z, 0, MAP_ORACLES[maps.Conv](CONV).contract)
    return np.asarray(y + (z * params[0].bias.theta)[:, :, None])


def method(map: Any) -> Any:
    return methods.structured_variational_dropout(map, low=BOUNDS[0], high=BOUNDS[1])


CASES = {
    "truncated_log_normal": LayerCase(
        noise.GroupFactor(2, 1, noise.TruncatedLogNormal(*BOUNDS)),
        (2, 2, 2),
        lambda params, noise, x: of_channels(x, drawn(params, noise)),
        lambda params, x: of_channels(x, mean(params, x)),
        factor_moments,
        divergence,
    ),
    "structured_variational_dropout": LayerCase(
        method(maps.Dense(3, 2)),
        (2, 3),
        lambda params, noise, x: dense(params, drawn(params[0], noise[0]), x),
        lambda params, x: dense(params, mean(params[0], x), x),
        kl=lambda params, noise: divergence(params[0], noise[0]),
    ),
    "structured_variational_dropout filters": LayerCase(
        method(CONV),
        (2, 2, 3),
        lambda params, noise, x: filters(params, drawn(params[1], noise[1]), x),
        lambda params, x: filters(params, mean(params[1], x), x),
        kl=lambda params, noise: divergence(params[1], noise[1]),
    ),
}
