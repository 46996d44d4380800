"""Bayesian compression: a factor an input of a dense map, and one a filter of a convolution, under both priors."""

from __future__ import annotations

from typing import Any

import numpy as np
from agreement import random_params
from bayesnoise_reference import bayesian_compression as reference
from bayesnoise_reference import bias, dense, divergences, posteriors
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, tree
from bayesnoise.methods import bayesian_compression
from layer_cases.case import LayerCase

SCALE = 0.5


def half(layer: Any, rng: np.random.Generator) -> Any:
    return tree.map(lambda leaf: 0.5 * leaf, random_params(layer, rng))


def horseshoe(params: Any) -> tuple[Any, Any]:
    return params[:2], params[2:]


def mean_factor(params: Any) -> Array:
    """The mean of a log-normal variable whose logarithm is half a sum of four normal ones."""
    variances = [np.exp(p.log_sigma) ** 2 / 4 for p in params]
    return np.asarray(np.exp(sum(p.mu for p in params) / 2 + sum(variances) / 2))


def dense_output(params: Any, noise: Any, x: Array) -> Array:
    z = reference.gaussian_factor(params[0].theta, params[0].log_sigma2, noise[0].eps)
    law = posteriors.gaussian_softplus(*params[1].weight)
    y = reference.of_inputs(x, z, *law, noise[1].weight.estimator.zeta, dense.output)
    return np.asarray(y + params[1].bias.theta)


def dense_prediction(params: Any, x: Array) -> Array:
    w = params[0].theta[:, None] * params[1].weight.mu
    return np.asarray(np.stack([dense.output(x_n, w) for x_n in x]) + params[1].bias.theta)


def dense_kl(params: Any, noise: Any) -> Any:
    weights = divergences.gaussian(*posteriors.gaussian_softplus(*params[1].weight), 0.0, 1.0)
    return reference.gaussian_factor_kl(*params[0]) + weights


CONV = maps.Conv(1, 2, (2,), padding=1)
CONTRACT = MAP_ORACLES[maps.Conv](CONV).contract


def conv_output(params: Any, noise: Any, x: Array) -> Array:
    z = reference.horseshoe_factor(*horseshoe(params[1]), noise[1].shared_eps, noise[1].eps)
    law = posteriors.gaussian_softplus(*params[0].weight)
    b = params[0].bias.theta
    return reference.of_outputs(x, z, *law, b, noise[0].weight.estimator.zeta, CONTRACT)


def conv_prediction(params: Any, x: Array) -> Array:
    one = np.ones((1, 1))
    before = [CONTRACT(x_n, params[0].weight.mu) + bias.output(one, params[0].bias.theta, 0) for x_n in x]
    return np.stack(before) * mean_factor(params[1])[:, None]


def conv_kl(params: Any, noise: Any) -> Any:
    weights = divergences.gaussian(*posteriors.gaussian_softplus(*params[0].weight), 0.0, 1.0)
    return reference.horseshoe_factor_kl(*horseshoe(params[1]), SCALE) + weights


CASES = {
    "bayesian_compression": LayerCase(
        bayesian_compression(maps.Dense(3, 2)), (2, 3), dense_output, dense_prediction, kl=dense_kl
    ),
    "bayesian_compression half-Cauchy filters": LayerCase(
        bayesian_compression(CONV, prior="half_cauchy", factor_scale=SCALE),
        (2, 1, 2),
        conv_output,
        conv_prediction,
        kl=conv_kl,
        make_params=half,
    ),
}
