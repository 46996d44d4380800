"""A layer whose parameters are all drawn, by its definition: the layer itself at `mu + exp(log_sigma) eps`."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference import dense, divergences
from bayesnoise_reference._typing import Array

from bayesnoise import deterministic, maps
from bayesnoise.activations import tanh
from bayesnoise.chain import chain
from bayesnoise.drawn import Drawn
from layer_cases.case import LayerCase

PRIOR = 0.5
INNER = chain(deterministic(maps.Dense(2, 2)), tanh(), deterministic(maps.Dense(2, 1), bias="none"))


def _network(first: Array, bias: Array, last: Array, x: Array) -> Array:
    hidden = [np.tanh(dense.output(x_n, first) + bias) for x_n in x]
    return np.stack([dense.output(h_n, last) for h_n in hidden])


def _leaves(tree: Any) -> tuple[Array, Array, Array]:
    """Of the parameters of the network, or what is like them."""
    return tree[0].weight.theta, tree[0].bias.theta, tree[2].theta


def _output(params: Any, noise: Any, x: Array) -> Array:
    parts = zip(_leaves(params.mu), _leaves(params.log_sigma), _leaves(noise.eps), strict=True)
    first, bias, last = (mu + np.exp(log_sigma) * eps for mu, log_sigma, eps in parts)
    return _network(first, bias, last, x)


def _kl(params: Any, noise: Any) -> Any:
    parts = zip(_leaves(params.mu), _leaves(params.log_sigma), strict=True)
    return sum(divergences.gaussian(mu, np.exp(log_sigma), 0.0, PRIOR) for mu, log_sigma in parts)


CASES = {
    "drawn": LayerCase(
        Drawn(INNER, PRIOR),
        (3, 2),
        output=_output,
        predict=lambda params, x: _network(*_leaves(params.mu), x),
        kl=_kl,
    )
}
