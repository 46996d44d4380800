"""DropConnect under every estimator that may carry it, mask by mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import drop_connect, local_reparameterization
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.estimators import Flipout, Local, PerExample
from bayesnoise.maps import Map
from layer_cases.case import LayerCase

DENSE = maps.Dense(3, 2)
CONV = maps.Conv(1, 2, (2, 1))
RATE = 0.2  # its deviation, 1/2, and the two points -2 and 1/2 are exact in float32
PRIOR = 0.5


def mask(eps: Array) -> Array:
    return np.asarray(eps > 0)


def shared(noise: Any, m: Map, n: int) -> Array:
    return np.broadcast_to(mask(noise.eps), (n, *m.weight_shape))


def per_example(noise: Any, m: Map, n: int) -> Array:
    return mask(noise.eps)


def flipped(noise: Any, m: Map, n: int) -> Array:
    pattern = MAP_ORACLES[type(m)](m).pattern
    return np.stack([mask(noise.eps * pattern(r, s)) for r, s in zip(noise.sign_in, noise.sign_out, strict=True)])


def bias_of(m: Map, theta: Array, ndim: int) -> Array:
    return theta if isinstance(m, maps.Dense) else theta.reshape(-1, *(1,) * (ndim - 2))


def masked(masks: Callable[[Any, Map, int], Array], m: Map, rate: float) -> Callable[[Any, Any, Array], Array]:
    contract = MAP_ORACLES[type(m)](m).contract

    def output(params: Any, noise: Any, x: Array) -> Array:
        kept = masks(noise.weight.estimator, m, x.shape[0])
        y = drop_connect.output(x, params.weight.theta, kept, rate, contract)
        return np.asarray(y + bias_of(m, params.bias.theta, y.ndim))

    return output


def matched(params: Any, noise: Any, x: Array) -> Array:
    """A normal number of the mean and variance of the output; the scale of a weight is that of its two values."""
    theta = params.weight.theta
    scale = theta * np.sqrt(RATE * (0.0 - 1.0) ** 2 + (1 - RATE) * (1 / (1 - RATE) - 1.0) ** 2)
    contract = MAP_ORACLES[type(DENSE)](DENSE).contract
    y = local_reparameterization.output(x, theta, scale, noise.weight.estimator.zeta, contract)
    return np.asarray(y + params.bias.theta)


def penalty(params: Any, noise: Any) -> Any:
    weight = reference.dropout_penalty(params.weight.theta / (1 - RATE), PRIOR, 1 - RATE)
    return weight + reference.dropout_penalty(params.bias.theta, PRIOR, 1.0)


def case(layer: Any, m: Map, x_shape: Shape, output: Any, rate: float = RATE, kl: Any = None) -> LayerCase:
    contract = MAP_ORACLES[type(m)](m).contract

    def moments(params: Any, x: Array) -> tuple[Array, Array]:
        mean, variance = drop_connect.moments(x, params.weight.theta, rate, contract)
        return mean + bias_of(m, params.bias.theta, mean.ndim), variance

    return LayerCase(layer, x_shape, output, lambda params, x: moments(params, x)[0], moments, kl)


def built(m: Map, rate: float = RATE, **settings: Any) -> Any:
    return methods.drop_connect(m, rate=rate, **settings)


CASES = {
    "drop_connect": case(built(DENSE, prior_scale=PRIOR), DENSE, (2, 3), masked(shared, DENSE, RATE), kl=penalty),
    "drop_connect per example": case(
        built(DENSE, estimator=PerExample()), DENSE, (2, 3), masked(per_example, DENSE, RATE)
    ),
    "drop_connect flipout": case(
        built(DENSE, 0.5, estimator=Flipout()), DENSE, (2, 3), masked(flipped, DENSE, 0.5), 0.5
    ),
    "drop_connect matched": case(built(DENSE, estimator=Local(moment_matching=True)), DENSE, (2, 3), matched),
    "drop_connect conv": case(built(CONV, estimator=PerExample()), CONV, (2, 1, 3, 2), masked(per_example, CONV, RATE)),
}
