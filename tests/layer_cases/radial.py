"""The radial law under each estimator that may carry it, by its definition: a draw of all weights is written out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import radial
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES, MapOracle

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.estimators import Flipout, PerExample
from bayesnoise.stochastic import Stochastic
from layer_cases.case import LayerCase


def drawn(params: Any, noise: Array) -> Array:
    """The weights for noise of variance 1: its direction, and the radius that its size says."""
    return radial.weights(params.mu, params.rho, noise, np.sqrt(np.mean(noise * noise)))


def shared(params: Any, noise: Any, n: int, oracle: MapOracle) -> list[Array]:
    return [drawn(params, noise.eps)] * n


def flipped(params: Any, noise: Any, n: int, oracle: MapOracle) -> list[Array]:
    signs = zip(noise.sign_in, noise.sign_out, strict=True)
    return [drawn(params, noise.eps * oracle.pattern(r_n, s_n)) for r_n, s_n in signs]


def per_example(params: Any, noise: Any, n: int, oracle: MapOracle) -> list[Array]:
    return [drawn(params, eps_n) for eps_n in noise.eps]


def case(layer: Stochastic, x_shape: Shape, weights: Callable[..., list[Array]], prior_scale: float = 1.0) -> LayerCase:
    oracle = MAP_ORACLES[type(layer.map)](layer.map)

    def output(params: Any, noise: Any, x: Array) -> Array:
        each = weights(params, noise.estimator, len(x), oracle)
        return np.stack([oracle.contract(x_n, w_n) for x_n, w_n in zip(x, each, strict=True)])

    return LayerCase(
        layer,
        x_shape,
        output,
        lambda params, x: np.stack([oracle.contract(x_n, params.mu) for x_n in x]),
        lambda params, x: radial.moments(x, params.mu, params.rho, oracle.contract),
        lambda params, noise: radial.kl(params.mu, params.rho, prior_scale),
    )


def with_bias() -> LayerCase:
    layer: Any = methods.radial(maps.Dense(3, 2), prior_scale=0.5)
    inner = case(layer.weight, (2, 3), shared, 0.5)
    spread = partial(radial.moments, contract=MAP_ORACLES[maps.Dense](layer.weight.map).contract)
    return LayerCase(
        layer,
        inner.x_shape,
        lambda params, noise, x: inner.output(params.weight, noise.weight, x) + params.bias.theta,
        lambda params, x: inner.predict(params.weight, x) + params.bias.theta,
        lambda params, x: (inner.predict(params.weight, x) + params.bias.theta, spread(x, *params.weight)[1]),
        lambda params, noise: radial.kl(params.weight.mu, params.weight.rho, 0.5),
    )


def without_bias(map: maps.Map, **settings: Any) -> Any:
    return methods.radial(map, bias="none", **settings)


CASES = {
    "radial": with_bias(),
    "radial flipout": case(without_bias(maps.Conv(2, 2, (2,)), estimator=Flipout()), (2, 2, 3), flipped),
    "radial per example": case(without_bias(maps.Dense(2, 2), estimator=PerExample()), (2, 2), per_example),
}
