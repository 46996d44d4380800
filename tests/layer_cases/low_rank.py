"""Gaussian weights with a covariance of low rank beside a diagonal, by the definition of its law."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import low_rank_gaussian
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.estimators import Flipout
from bayesnoise.low_rank import LowRank
from layer_cases.case import LayerCase


def _law(params: Any) -> tuple[Array, Array, Array]:
    """mu, log_sigma and the factor."""
    return params.diagonal.mu, params.diagonal.log_sigma, params.factor


def _e(noise: Any) -> Array:
    """(n, rank)."""
    return np.reshape(noise.e, noise.e.shape[:2]).T


def local_output(layer: LowRank, params: Any, noise: Any, x: Array) -> Array:
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    mu, log_sigma, factor = _law(params)
    zeta = noise.diagonal.estimator.zeta
    return low_rank_gaussian.output(x, mu, log_sigma, factor, zeta, _e(noise), contract)


def flipped_output(layer: LowRank, params: Any, noise: Any, x: Array) -> Array:
    """The signs of an example on its diagonal part alone: all of its weights are written out."""
    oracle = MAP_ORACLES[type(layer.map)](layer.map)
    mu, log_sigma, factor = _law(params)
    eps, sign_in, sign_out = noise.diagonal.estimator
    rows = []
    for x_n, mean_n, r_n, s_n in zip(x, low_rank_gaussian.means(mu, factor, _e(noise)), sign_in, sign_out, strict=True):
        rows.append(oracle.contract(x_n, mean_n + np.exp(log_sigma) * eps * oracle.pattern(r_n, s_n)))
    return np.stack(rows)


def case(layer: Any, x_shape: Shape, output: Any, prior_scale: float = 1.0) -> LayerCase:
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract

    def moments(params: Any, x: Array) -> tuple[Array, Array]:
        return low_rank_gaussian.moments(x, *_law(params), contract)

    return LayerCase(
        layer,
        x_shape,
        partial(output, layer),
        lambda params, x: moments(params, x)[0],
        moments,
        lambda params, noise: low_rank_gaussian.kl(*_law(params), prior_scale),
    )


def with_bias() -> LayerCase:
    layer: Any = methods.low_rank_gaussian(maps.Dense(2, 2), rank=1)
    inner = case(layer.weight, (2, 2), local_output)
    return LayerCase(
        layer,
        inner.x_shape,
        lambda params, noise, x: inner.output(params.weight, noise.weight, x) + params.bias.theta,
        lambda params, x: inner.predict(params.weight, x) + params.bias.theta,
        kl=lambda params, noise: low_rank_gaussian.kl(*_law(params.weight), 1.0),
    )


CASES = {
    "low_rank_gaussian": with_bias(),
    "low_rank_gaussian rank 3": case(
        methods.low_rank_gaussian(maps.Dense(2, 2), rank=3, prior_scale=0.5, bias="none"), (2, 2), local_output, 0.5
    ),
    "low_rank_gaussian conv": case(
        methods.low_rank_gaussian(maps.Conv(1, 2, (2,)), rank=2, bias="none", diagonal=Flipout()),
        (2, 1, 3),
        flipped_output,
    ),
}
