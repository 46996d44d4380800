"""Gaussian weights with a covariance of low rank beside a diagonal, by the definition of its law."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import dense, divergences, low_rank_gaussian
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES, example_of, oracle_forward, oracle_law, oracle_moments

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.estimators import Flipout
from bayesnoise.low_rank import LowRank
from bayesnoise.methods import Bias
from layer_cases.case import LayerCase


def _law(params: Any) -> tuple[Array, Array, Array]:
    """mu, log_sigma and the factor."""
    return params.diagonal.mu, params.diagonal.log_sigma, params.factor


def local_output(layer: LowRank, params: Any, noise: Any, x: Array) -> Array:
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    mu, log_sigma, factor = _law(params)
    zeta = noise.diagonal.estimator.zeta
    return low_rank_gaussian.output(x, mu, log_sigma, factor, zeta, noise.e, contract)


def flipped_output(layer: LowRank, params: Any, noise: Any, x: Array) -> Array:
    """The signs of an example on its diagonal part alone: all of its weights are written out."""
    oracle = MAP_ORACLES[type(layer.map)](layer.map)
    mu, log_sigma, factor = _law(params)
    eps, sign_in, sign_out = noise.diagonal.estimator
    rows = []
    for x_n, mean_n, r_n, s_n in zip(x, low_rank_gaussian.means(mu, factor, noise.e), sign_in, sign_out, strict=True):
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


def with_bias(bias: Bias) -> LayerCase:
    """The bias is independent of the weights: moments and divergences of the two terms add up."""
    layer: Any = methods.low_rank_gaussian(maps.Dense(2, 2), rank=1, bias=bias)
    inner = case(layer.weight, (2, 2), local_output)

    def output(params: Any, noise: Any, x: Array) -> Array:
        y = inner.output(params.weight, noise.weight, x)
        return y + oracle_forward(layer.bias, params.bias, noise.bias, example_of(y))

    def moments(params: Any, x: Array) -> tuple[Array, Array]:
        mean, variance = low_rank_gaussian.moments(x, *_law(params.weight), dense.output)
        bias_mean, bias_variance = oracle_moments(layer.bias, params.bias, example_of(mean))
        return mean + bias_mean, variance + bias_variance

    def kl(params: Any, noise: Any) -> Any:
        value = low_rank_gaussian.kl(*_law(params.weight), 1.0)
        return value + (divergences.gaussian(*oracle_law(layer.bias, params.bias), 0.0, 1.0) if bias == "random" else 0)

    return LayerCase(layer, inner.x_shape, output, lambda params, x: moments(params, x)[0], moments, kl)


CASES = {
    "low_rank_gaussian": with_bias("deterministic"),
    "low_rank_gaussian random bias": with_bias("random"),
    "low_rank_gaussian rank 3": case(
        methods.low_rank_gaussian(maps.Dense(2, 2), rank=3, prior_scale=0.5, bias="none"), (2, 2), local_output, 0.5
    ),
    "low_rank_gaussian conv": case(
        methods.low_rank_gaussian(maps.Conv(1, 2, (2,)), rank=2, bias="none", diagonal=Flipout()),
        (2, 1, 3),
        flipped_output,
    ),
}
