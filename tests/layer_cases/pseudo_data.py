"""A matrix Gaussian given pseudo-data, by the law of a Gaussian vector given some of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference import dense, divergences, matrix_gaussian, pseudo_data
from bayesnoise_reference._typing import Array
from cases import example_of, oracle_forward, oracle_law, oracle_moments

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.affine import BiasedWithMoments
from bayesnoise.estimators import Flipout
from bayesnoise.pseudo_data import PseudoData
from layer_cases.case import LayerCase

JITTER = 0.5
Output = Callable[[Any, Any, Array], Array]  # of (params, noise, x)


def _given(params: Any) -> pseudo_data.Given:
    mu, log_u, log_v = params.matrix
    return pseudo_data.Given(mu, log_u, log_v, params.inputs, params.outputs)


def local_output(params: Any, noise: Any, x: Array) -> Array:
    law = pseudo_data.weights_given_outputs(_given(params), JITTER)
    return pseudo_data.output(x, law, noise.estimator.zeta)


def flipped_output(params: Any, noise: Any, x: Array) -> Array:
    """The weights of each example from its own signs, which lie on the noise of the pseudo-outputs as well."""
    eps, sign_in, sign_out = noise.estimator
    rows = []
    for x_n, r_n, s_n in zip(x, sign_in, sign_out, strict=True):
        drawn = pseudo_data.sampled_weights(_given(params), JITTER, eps * dense.sign_pattern(r_n, s_n))
        rows.append(dense.output(x_n, drawn))
    return np.stack(rows)


def case(layer: PseudoData, x_shape: Shape, output: Output, prior_scale: float = 1.0) -> LayerCase:
    def moments(params: Any, x: Array) -> tuple[Array, Array]:
        law = pseudo_data.weights_given_outputs(_given(params), JITTER)
        mean, covariances = pseudo_data.moments(x, law, layer.map.out_features)
        return mean, np.stack([np.diag(c) for c in covariances])

    def kl(params: Any, noise: Any) -> Any:
        mean, scale = matrix_gaussian.law(*params.matrix)
        return divergences.gaussian(np.ravel(mean), np.ravel(scale), 0.0, prior_scale)

    return LayerCase(layer, x_shape, output, lambda params, x: moments(params, x)[0], moments, kl)


def with_bias(layer: BiasedWithMoments, inner: LayerCase, prior_scale: float) -> LayerCase:
    def output(params: Any, noise: Any, x: Array) -> Array:
        y = inner.output(params.weight, noise.weight, x)
        return y + oracle_forward(layer.bias, params.bias, noise.bias, example_of(y))

    def moments(params: Any, x: Array) -> tuple[Array, Array]:
        assert inner.moments is not None
        mean, variance = inner.moments(params.weight, x)
        bias_mean, bias_variance = oracle_moments(layer.bias, params.bias, example_of(mean))
        return mean + bias_mean, variance + bias_variance

    def kl(params: Any, noise: Any) -> Any:
        assert inner.kl is not None
        of_bias = divergences.gaussian(*oracle_law(layer.bias, params.bias), 0.0, prior_scale)
        return inner.kl(params.weight, None) + of_bias

    return LayerCase(layer, inner.x_shape, output, lambda params, x: moments(params, x)[0], moments, kl)


def _layer(**given: Any) -> Any:
    return methods.variational_matrix_gaussian(maps.Dense(3, 2), jitter=JITTER, **given)


_BIASED = _layer(pseudo_data=2, prior_scale=0.5, bias="random")

CASES = {
    "variational_matrix_gaussian pseudo-data": with_bias(_BIASED, case(_BIASED.weight, (2, 3), local_output, 0.5), 0.5),
    "variational_matrix_gaussian pseudo-data flipout": case(
        _layer(pseudo_data=2, bias="none", estimator=Flipout()), (2, 3), flipped_output
    ),
}
