"""Independent Gaussian weights whose scales are products of factors, by the definitions of their laws."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from cases import oracle_forward, oracle_law, oracle_moments

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.estimators import Flipout, Local, Shared
from bayesnoise.stochastic import Stochastic
from layer_cases.case import LayerCase


def _predict(layer: Stochastic | Affine, params: Any, x: Array) -> Array:
    return oracle_moments(layer, params, x)[0]


def _kl(layer: Stochastic | Affine, prior_scale: float, params: Any, noise: Any) -> Any:
    """Over everything that is random: quadrature, a weight at a time."""
    if isinstance(layer, Affine):
        parts = zip((layer.weight, layer.bias), params, strict=True)
        return sum(_kl(part, prior_scale, p, None) for part, p in parts if part.posterior.traits.random)
    mean, scale = oracle_law(layer, params)
    return divergences.gaussian(np.ravel(mean), np.ravel(scale), 0.0, prior_scale)


def case(layer: Any, x_shape: Shape, prior_scale: float = 1.0) -> LayerCase:
    return LayerCase(
        layer,
        x_shape,
        partial(oracle_forward, layer),
        partial(_predict, layer),
        partial(oracle_moments, layer),
        partial(_kl, layer, prior_scale),
    )


CASES = {
    "k_tied_normal": case(methods.k_tied_normal(maps.Dense(3, 2), prior_scale=0.5), (2, 3), 0.5),
    "k_tied_normal local": case(methods.k_tied_normal(maps.Dense(2, 3), rank=1, estimator=Local()), (2, 2)),
    "k_tied_normal conv": case(
        methods.k_tied_normal(maps.Conv(2, 2, (2,)), bias="random", estimator=Shared()), (2, 2, 3)
    ),
    "variational_matrix_gaussian": case(
        methods.variational_matrix_gaussian(maps.Dense(3, 2), prior_scale=0.5, bias="random"), (2, 3), 0.5
    ),
    "variational_matrix_gaussian conv": case(
        methods.variational_matrix_gaussian(maps.Conv(2, 2, (2,)), bias="none", estimator=Flipout()), (2, 2, 3)
    ),
}
