"""How to build each public class of the algebra, and what the oracle says of it.

A class that is added to `maps`, `posteriors` or `estimators` needs an entry here, or a case in `layer_cases`: a test
compares the lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from bayesnoise_reference import (
    bayes_by_backprop,
    bias,
    convolution,
    dense,
    embedding,
    flipout,
    k_tied,
    local_reparameterization,
    matrix_gaussian,
    per_example,
    transposed_convolution,
)
from bayesnoise_reference import posteriors as laws
from bayesnoise_reference._typing import Array, Contract

from bayesnoise import estimators, maps, posteriors
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.posteriors import Posterior
from bayesnoise.stochastic import Stochastic


def public(module: ModuleType, method: str) -> set[type]:
    """The classes that a module exports and that are no protocols, with the method that makes them what they are."""
    exported = [getattr(module, name) for name in module.__all__]
    classes = [c for c in exported if isinstance(c, type) and not getattr(c, "_is_protocol", False)]
    return {c for c in classes if hasattr(c, method)}


@dataclass(frozen=True)
class MapOracle:
    """The map by its definition, one example at a time, and how flipout's signs lie on its weights."""

    contract: Contract
    pattern: Callable[[Array, Array], Array]


def _conv(m: maps.Conv) -> MapOracle:
    given = (m.stride, m.padding, m.dilation, m.groups, m.padding_mode)
    return MapOracle(
        lambda x, w: convolution.output(x, w, *given),  # type: ignore[arg-type]
        lambda r, s: convolution.sign_pattern(r, s, m.kernel, m.groups),
    )


def _conv_transpose(m: maps.ConvTranspose) -> MapOracle:
    given = (m.stride, m.padding, m.output_padding, m.dilation, m.groups)
    return MapOracle(
        lambda x, w: transposed_convolution.output(x, w, *given),  # type: ignore[arg-type]
        lambda r, s: transposed_convolution.sign_pattern(r, s, m.kernel, m.groups),
    )


MAP_ORACLES: dict[type, Callable[[Any], MapOracle]] = {
    maps.Dense: lambda m: MapOracle(dense.output, dense.sign_pattern),
    maps.Bias: lambda m: MapOracle(partial(bias.output, axis=0 if m.axis == 1 else -1), bias.sign_pattern),
    maps.Conv: _conv,
    maps.ConvTranspose: _conv_transpose,
    maps.Embedding: lambda m: MapOracle(embedding.output, dense.sign_pattern),
}

# Small: the oracle differentiates each of their numbers by itself. The first axis of an input counts examples.
MAPS: list[tuple[Map, Shape]] = [
    (maps.Dense(3, 2), (2, 3)),
    (maps.Dense(2, 2), (2, 2, 2)),
    (maps.Bias(2, axis=1), (2, 1, 1)),
    (maps.Bias(3, axis=-1), (2, 1)),
    (maps.Conv(2, 2, (2,), stride=2, padding=1, groups=2), (2, 2, 4)),
    (maps.Conv(1, 2, (2, 1), dilation=(2, 1), padding=(1, 0), padding_mode="circular"), (2, 1, 3, 2)),
    (maps.Conv(1, 1, (1, 2, 2), stride=(1, 2, 1), padding=(0, 1, 0)), (1, 1, 2, 2, 3)),
    (maps.ConvTranspose(2, 2, (2,), stride=2, padding=1, output_padding=1, groups=2), (2, 2, 2)),
    (maps.ConvTranspose(2, 1, (2, 1), dilation=(2, 1), stride=(1, 2), output_padding=(0, 1)), (2, 2, 2, 1)),
]

# Maps whose input is integers, so that what holds of products and of gradients by the input does not apply.
INDEX_MAPS: list[tuple[Map, Shape]] = [(maps.Embedding(3, 2), (2, 4)), (maps.Embedding(2, 1), (3,))]

_SHORT: dict[object, str] = {m: f"{len(shape) - 2}d" for m, shape in MAPS if len(shape) > 2}

LAWS: dict[type, Callable[..., tuple[Array, Array]]] = {
    posteriors.Point: laws.point,
    posteriors.Gaussian: laws.gaussian_softplus,
    posteriors.LogSigmaGaussian: laws.gaussian_exp,
    posteriors.Multiplicative: laws.multiplicative,
    posteriors.Additive: laws.additive,
    posteriors.KTied: k_tied.law,
    posteriors.MatrixGaussian: matrix_gaussian.law,
}

POSTERIORS: list[Posterior] = [
    posteriors.Point(),
    posteriors.Gaussian(),
    posteriors.LogSigmaGaussian(initial_scale=0.2),
    posteriors.Multiplicative(),
    posteriors.Additive(initial_log_sigma2=-3.0),
]


def _plain(x: Array, mean: Array, scale: Array, noise: Any, oracle: MapOracle) -> Array:
    return np.stack([oracle.contract(x_n, mean) for x_n in x])


def _shared(x: Array, mean: Array, scale: Array, noise: Any, oracle: MapOracle) -> Array:
    return bayes_by_backprop.output(x, mean, scale, noise.eps, oracle.contract)


def _flipout(x: Array, mean: Array, scale: Array, noise: Any, oracle: MapOracle) -> Array:
    eps, sign_in, sign_out = noise
    return flipout.output(x, mean, scale, eps, sign_in, sign_out, oracle.contract, oracle.pattern)


def _local(x: Array, mean: Array, scale: Array, noise: Any, oracle: MapOracle) -> Array:
    return local_reparameterization.output(x, mean, scale, noise.zeta, oracle.contract)


def _per_example(x: Array, mean: Array, scale: Array, noise: Any, oracle: MapOracle) -> Array:
    return per_example.output(x, mean, scale, noise.eps, oracle.contract)


OUTPUTS: dict[type, Callable[[Array, Array, Array, Any, MapOracle], Array]] = {
    estimators.Plain: _plain,
    estimators.Shared: _shared,
    estimators.Flipout: _flipout,
    estimators.Local: _local,
    estimators.PerExample: _per_example,
}

ESTIMATORS: list[estimators.Estimator] = [
    estimators.Plain(),
    estimators.Shared(),
    estimators.Flipout(),
    estimators.Local(),
    estimators.PerExample(),
]


def representable(rng: np.random.Generator, shape: Shape) -> Array:
    """Standard normal numbers that float32 holds exactly: every namespace then gets the very same input."""
    return rng.standard_normal(shape).astype(np.float32).astype(np.float64)


def example_of(y: Array) -> Array:
    """The input of a bias that is added to `y`: `(n, 1, ..., 1)` ones."""
    return np.ones((y.shape[0], *(1,) * (y.ndim - 1)))


def oracle_law(layer: Stochastic, params: Any) -> tuple[Array, Array]:
    """Mean and scale of the weights by their definition."""
    return LAWS[type(layer.posterior)](*params)


def oracle_forward(layer: Stochastic | Affine, params: Any, noise: Any, x: Array) -> Array:
    """The output by the definitions of the oracle; complex parameters and inputs pass through."""
    if isinstance(layer, Affine):
        y = oracle_forward(layer.weight, params.weight, noise.weight, x)
        return y + oracle_forward(layer.bias, params.bias, noise.bias, example_of(y))
    mean, scale = oracle_law(layer, params)
    oracle = MAP_ORACLES[type(layer.map)](layer.map)
    return OUTPUTS[type(layer.estimator)](x, mean, scale, noise.estimator, oracle)


def oracle_moments(layer: Stochastic | Affine, params: Any, x: Array) -> tuple[Array, Array]:
    """Mean and variance of every output, product by product."""
    if isinstance(layer, Affine):
        mean, variance = oracle_moments(layer.weight, params.weight, x)
        bias_mean, bias_variance = oracle_moments(layer.bias, params.bias, example_of(mean))
        return mean + bias_mean, variance + bias_variance
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    return local_reparameterization.moments(x, *oracle_law(layer, params), contract)


def name_of(*parts: object) -> str:
    """A short test id from what a test is about."""
    return "-".join(re.sub(r"\W+", " ", repr(part)).split()[0] + _SHORT.get(part, "") for part in parts)
