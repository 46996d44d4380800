"""Multiplicative normalizing flows: a factor an input of a dense map, and a filter of a convolution."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from agreement import random_params
from bayesnoise_reference import multiplicative_normalizing_flow as reference
from bayesnoise_reference import posteriors
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, tree
from bayesnoise.methods import multiplicative_normalizing_flow
from bayesnoise.multiplicative_flow import MultiplicativeFlow
from layer_cases.case import LayerCase

PRIOR = 0.5


def weight_output(layer: MultiplicativeFlow, params: Any, noise: Any, x: Array) -> Array:
    base = posteriors.gaussian_exp(*params.factor.base)
    z = np.stack([reference.factor(*base, params.factor.flow, eps) for eps in noise.eps])
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    law = posteriors.gaussian_softplus(*params.weight)
    return reference.output(x, z, *law, noise.zeta, contract, layer.map.unit_shape(layer.unit))


def weight_prediction(layer: MultiplicativeFlow, params: Any, x: Array) -> Array:
    z = reference.flow(params.factor.base.mu, params.factor.flow).reshape(layer.map.unit_shape(layer.unit))
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    return np.stack([contract(x_n, z * params.weight.mu) for x_n in x])


def weight_bound(layer: MultiplicativeFlow, params: Any, noise: Any) -> Any:
    contrast, shift, log_precision, steps = params.auxiliary
    return reference.bound(
        *posteriors.gaussian_softplus(*params.weight),
        posteriors.gaussian_exp(*params.factor.base),
        params.factor.flow,
        reference.Auxiliary(contrast[0], shift[0], log_precision[0], steps),
        noise.kl_eps[0],
        noise.kl_eta[0],
        layer.map.unit_shape(layer.unit),
        PRIOR,
    )


def half(layer: Any, rng: np.random.Generator) -> Any:
    """Parameters of size 1/2: no tanh is so far out that its slope has lost its digits."""
    return tree.map(lambda leaf: 0.5 * leaf, random_params(layer, rng))


def filters() -> LayerCase:
    layer: Any = multiplicative_normalizing_flow(
        maps.Conv(1, 2, (2,), padding=1), prior_scale=PRIOR, steps=2, hidden=2, bias="none"
    )
    return LayerCase(
        layer,
        (2, 1, 2),
        partial(weight_output, layer),
        partial(weight_prediction, layer),
        kl=partial(weight_bound, layer),
        make_params=half,
    )


def biased() -> LayerCase:
    layer: Any = multiplicative_normalizing_flow(maps.Dense(2, 2), prior_scale=PRIOR, steps=1, hidden=2)
    return LayerCase(
        layer,
        (2, 2, 2),
        lambda params, noise, x: weight_output(layer.weight, params.weight, noise.weight, x) + params.bias.theta,
        lambda params, x: weight_prediction(layer.weight, params.weight, x) + params.bias.theta,
        kl=lambda params, noise: weight_bound(layer.weight, params.weight, noise.weight),
        make_params=half,
    )


CASES = {
    "multiplicative_normalizing_flow": biased(),
    "multiplicative_normalizing_flow filters": filters(),
}
