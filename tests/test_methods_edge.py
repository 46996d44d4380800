"""Every method on every map: it builds, reads as what it is, keeps its types, and names what is wrong."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import (
    sparse_variational_dropout,
)

from bayesnoise import divergences, estimators, layer, maps, methods, noise, stochastic
from bayesnoise import posteriors as laws
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine, Biased, BiasedWithMoments
from bayesnoise.chain import Chain, chain
from bayesnoise.concrete import ConcreteDropout
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators import Local, Shared
from bayesnoise.information import InformationDropout
from bayesnoise.low_rank import LowRank
from bayesnoise.multiplicative_flow import MultiplicativeFlow
from bayesnoise.pruning import prune

DENSE = maps.Dense(3, 2)

NAMES = {name: getattr(module, name) for module in (maps, estimators, divergences, laws) for name in module.__all__} | {
    "Stochastic": stochastic.Stochastic,
    "Affine": Affine,
    "Biased": Biased,
    "BiasedWithMoments": BiasedWithMoments,
    "LowRank": LowRank,
    "MultiplicativeFlow": MultiplicativeFlow,
    "Chain": Chain,
    "ConcreteDropout": ConcreteDropout,
    "InformationDropout": InformationDropout,
}
WITH_POINTS = {m.name for m in methods.METHODS if "point" in m.combines.partition(";")[0].split(", ")}
OF_NOISE = {name: getattr(noise, name) for name in noise.__all__}


@pytest.mark.parametrize("bias", ["none", "deterministic", "random"])
@pytest.mark.parametrize("name", [m.name for m in methods.METHODS])
@pytest.mark.parametrize(
    ("m", "x_shape"),
    [(DENSE, (2, 3)), (maps.Conv(3, 2, (2, 2)), (2, 3, 3, 2)), (maps.ConvTranspose(3, 2, (2,)), (2, 3, 2))],
    ids=["dense", "conv", "transposed"],
)
def test_methods_build_on_every_map(
    m: Any, x_shape: Shape, name: str, bias: Literal["none", "deterministic", "random"]
) -> None:
    build = methods.method(name).build
    if bias == "random" and name in WITH_POINTS:
        with pytest.raises(
            ValueError, match=r"bias is 'random', but its law, Point\(\), is not: expected 'deterministic'"
        ):
            build(m, bias=bias)
        return
    built: layer.Layer = build(m, bias=bias)
    assert built == build(m, bias=bias)
    assert hash(built) == hash(build(m, bias=bias))
    scope = OF_NOISE | NAMES if "Multiply" not in repr(built) else NAMES | OF_NOISE
    assert eval(repr(built), {}, scope) == built
    x = np.random.default_rng(0).standard_normal(x_shape)
    params = built.init(host_rng(0), like=x)
    noise_of_call = built.draw(host_rng(1), params, x_shape, like=x)
    y, residuals = built.forward(params, noise_of_call, x)
    assert y.shape == built.output_shape(x_shape) == m.output_shape(x_shape)
    with_x, without_x = built.backward(residuals, y), built.backward(residuals, y, input_grad=False)
    assert with_x[0] is not None
    assert with_x[0].shape == x_shape
    assert without_x[0] is None
    assert type(with_x[1]) is type(built.kl_grad(params, noise_of_call)) is type(params)
    assert np.isfinite(float(built.kl(params, noise_of_call)))


def test_random_bias_is_drawn_once_an_example_or_once_a_call() -> None:
    for estimator, per_example in ((Shared(), False), (Local(), True), (estimators.Flipout(), True)):
        built: Any = methods.compose(DENSE, laws.Gaussian(), estimator, GaussianKL(), "random")
        x = np.zeros((2, 3))
        params = built.init(host_rng(0), like=x)
        y, _ = built.forward(params, built.draw(host_rng(1), params, x.shape, like=x), x)
        assert bool(np.all(y[0] == y[1])) != per_example


def test_pruned_weights_are_those_of_the_paper() -> None:
    built = methods.sparse_variational_dropout(maps.Dense(20, 10), bias="none")
    params = random_params(built, np.random.default_rng(0))
    params = params._replace(log_sigma2=3.0 * params.log_sigma2)
    expected = sparse_variational_dropout.pruned(params.theta, params.log_sigma2)
    assert 0 < np.count_nonzero(expected) < expected.size
    assert np.array_equal(prune(built, params).theta, expected)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: methods.flipout(DENSE, bias="both"), ValueError, "bias is 'both', expected one of"),  # type: ignore[arg-type]
        (lambda: methods.flipout(DENSE, prior_scale=-1.0), ValueError, "prior_scale"),
        (lambda: methods.flipout(DENSE, initial_scale=0.0), ValueError, "initial_scale is 0.0"),
        (lambda: methods.dropout(DENSE, rate=1.0), ValueError, "rate is 1.0"),
        (lambda: methods.dropout(DENSE, rate=1.0, prior_scale=1.0), ValueError, "rate is 1.0"),
        (lambda: methods.dropout(DENSE, rate=2.0, prior_scale=1.0), ValueError, "rate is 2.0"),
        (lambda: methods.gaussian_dropout(DENSE, rate=1.0), ValueError, "rate is 1.0"),
        (lambda: methods.variational_dropout(DENSE, type="C"), ValueError, "type is 'C', expected one of A, B"),  # type: ignore[arg-type]
        (lambda: methods.variational_dropout(DENSE, alpha="neuron"), ValueError, "alpha is 'neuron'"),  # type: ignore[arg-type]
        (lambda: methods.variational_dropout(DENSE.bias(), type="B"), TypeError, "map is Bias"),
        (chain, ValueError, "layers is empty"),
        (lambda: chain(methods.flipout(DENSE), maps.Dense), TypeError, r"layers\[1\] is .*expected a layer"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
