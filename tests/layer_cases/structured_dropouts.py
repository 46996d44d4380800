"""Variational structured dropout: its noise, its hierarchical factors, and the method on dense and convolution maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from agreement import random_params
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import variational_structured_dropout as vsd
from bayesnoise_reference._typing import Array
from cases import MAP_ORACLES

from bayesnoise import maps, methods, noise
from bayesnoise.chain import Chain
from layer_cases.case import LayerCase

PRIOR = 0.5


def well_conditioned(layer: Any, rng: np.random.Generator) -> Any:
    """Alphas that differ by much, with vectors that lie well apart; log z of standard deviations of at most 1.

    The gradient of the divergence by a vector is the part of a sum that is orthogonal to it: where little of it is, no
    algorithm has it in float32 to the tolerance of the other gradients.
    """
    params = random_params(layer, np.random.default_rng(6))

    def spread(p: Any) -> Any:
        if hasattr(p, "reflections"):
            return p._replace(log_alpha=2.0 * p.log_alpha)
        return p._replace(log_sigma=-abs(p.log_sigma)) if hasattr(p, "log_sigma") else p

    return tuple(map(spread, params)) if isinstance(layer, Chain) else spread(params)


def reflected(params: Any) -> list[Array]:
    """The vectors of the reflections, low-rank steps written out."""
    steps = [
        (step.matrix if hasattr(step, "matrix") else step.left @ step.right.T, step.shift)
        for step in params.reflections.steps
    ]
    return vsd.vectors(params.reflections.start, steps)


def factors(params: Any, drawn: Any) -> Array:
    return vsd.factors(params.log_alpha, reflected(params), drawn.eps)


def divergence(params: Any, theta: Array) -> Any:
    return vsd.divergence(theta, params.log_alpha, reflected(params))


def positions(x: Array, by_unit: Array, axis: int) -> Array:
    """One number an example and unit, laid out against x."""
    return np.expand_dims(by_unit, tuple(a for a in range(1, x.ndim) if a != axis))


def noise_moments(params: Any, x: Array) -> tuple[Array, Array]:
    variance = np.diag(vsd.covariance(params.log_alpha, reflected(params)))
    return x, x**2 * positions(x, variance[None, :], 1)


def log_normal_moments(params: Any, x: Array) -> tuple[Array, Array]:
    first, second = (
        positions(x, vsd.log_normal_moment(params.mu, params.log_sigma, power)[None, :], 1) for power in (1, 2)
    )
    return x * first, x**2 * (second - first**2)


def log_normal_kl(params: Any, drawn: Any) -> Any:
    return reference.gaussian(params.mu, np.exp(params.log_sigma), 0.0, PRIOR)


def method_case(map: Any, x_shape: tuple[int, ...], axis: int, **settings: Any) -> LayerCase:
    layer = methods.variational_structured_dropout(map, prior_scale=PRIOR, **settings)
    contract = MAP_ORACLES[type(map)](map).contract
    hierarchical = len(layer.layers) == 3

    def output(params: Any, drawn: Any, x: Array) -> Array:
        by_unit = factors(params[-2], drawn[-2])
        if hierarchical:
            by_unit = by_unit * vsd.log_normal_factors(params[0].mu, params[0].log_sigma, drawn[0].eps)
        return add_bias(params, vsd.output(x, params[-1].weight.theta, by_unit, axis, contract))

    def predict(params: Any, x: Array) -> Array:
        mean = (
            vsd.log_normal_moment(params[0].mu, params[0].log_sigma, 1)
            if hierarchical
            else np.ones(map.weight_shape[axis])
        )
        by_unit = np.stack([mean] * len(x))
        return add_bias(params, vsd.output(x, params[-1].weight.theta, by_unit, axis, contract))

    def add_bias(params: Any, y: Array) -> Array:
        bias_axis = 1 if isinstance(map, maps.Conv) else y.ndim - 1
        return np.asarray(y + positions(y, params[-1].bias.theta[None, :], bias_axis))

    def kl(params: Any, drawn: Any) -> Any:
        theta = np.real(params[-1].weight.theta)  # the divergence does not depend on it: see test_structured_dropouts
        columns = np.moveaxis(theta, axis, 0).reshape(theta.shape[axis], -1)
        return divergence(params[-2], columns) + (log_normal_kl(params[0], None) if hierarchical else 0.0)

    return LayerCase(layer, x_shape, output, predict, kl=kl, make_params=well_conditioned)


CASES: dict[str, LayerCase] = {
    "structured_gaussian": LayerCase(
        noise.StructuredGaussian(3, positions=1, columns=2, reflections=3),
        (1, 3, 2),
        lambda params, drawn, x: x * positions(x, factors(params, drawn), 1),
        lambda params, x: x,
        noise_moments,
        lambda params, drawn: divergence(params, np.array([[0.5, 2.0], [-1.0, -0.3], [1.0, 3.0]])),
        make_params=well_conditioned,
    ),
    "log_normal": LayerCase(
        noise.GroupFactor(3, 1, noise.LogNormal(prior_scale=PRIOR)),
        (2, 3, 2),
        lambda params, drawn, x: x * positions(x, vsd.log_normal_factors(params.mu, params.log_sigma, drawn.eps), 1),
        lambda params, x: log_normal_moments(params, x)[0],
        log_normal_moments,
        log_normal_kl,
        make_params=well_conditioned,
    ),
    "variational_structured_dropout": method_case(maps.Dense(3, 2), (2, 3), 0),
    "variational_structured_dropout one": method_case(maps.Dense(3, 1), (2, 2, 3), 0, reflections=1),
    "variational_structured_dropout conv": method_case(maps.Conv(3, 1, (2,)), (2, 3, 2), 1, rank=1, hierarchical=True),
}
