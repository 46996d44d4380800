"""Noise on activations, on every namespace, against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from agreement import Truth, assert_agrees, assert_trees_close, gradient, random_params, truth
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import dropout, spatial_dropout, variational_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors
from cases import public
from namespaces import Namespace, to_numpy

from bayesnoise import noise as noise_layers
from bayesnoise import tree
from bayesnoise._typing import Shape
from bayesnoise.divergences import ARD, LogUniform
from bayesnoise.layer import HasMoments
from bayesnoise.noise import Bernoulli, Gaussian, LearnedGaussian, LearnedGaussianParams, Multiply, Spatial


@dataclass(frozen=True)
class Case:
    layer: Any
    x_shape: Shape
    output: Callable[[Any, Any, Array], Array]  # by definition
    moments: Callable[[Any, Array], tuple[Array, Array]]


def _identity(x: Array, w: Array) -> Array:
    return x


def _learned(params: Any, noise: Any, x: Array) -> Array:
    return variational_dropout.type_b(x, np.ones(1), params.log_alpha, noise.zeta, _identity)


def _learned_moments(params: Any, x: Array) -> tuple[Array, Array]:
    """Two-point noise on each element has the mean and the variance of the normal law."""
    up, down = (
        variational_dropout.type_b(x, np.ones(1), params.log_alpha, s * np.ones(x.shape), _identity) for s in (1, -1)
    )
    return (up + down) / 2, ((up - down) / 2) ** 2


def _multiply_gaussian_moments(params: Any, x: Array) -> tuple[Array, Array]:
    up, down = (dropout.gaussian(x, s * np.ones(x.shape), 0.25) for s in (1, -1))
    return (up + down) / 2, ((up - down) / 2) ** 2


# Rates and alphas whose factors float32 holds exactly.
CASES = {
    "bernoulli": Case(
        Multiply(Bernoulli(0.75)),
        (2, 3),
        lambda params, noise, x: dropout.bernoulli(x, noise.multiplier != 0, 0.75),
        lambda params, x: dropout.bernoulli_moments(x, 0.75),
    ),
    "no-rate": Case(
        Multiply(Bernoulli(0.0)), (2, 2), lambda params, noise, x: x, lambda params, x: (x, np.zeros(x.shape))
    ),
    "gaussian": Case(
        Multiply(Gaussian(0.25)),
        (2, 2, 2),
        lambda params, noise, x: dropout.gaussian(x, (noise.multiplier - 1.0) / 0.5, 0.25),
        _multiply_gaussian_moments,
    ),
    "spatial": Case(
        Multiply(Spatial(Bernoulli(0.75), units=2, positions=1)),
        (2, 2, 3),
        lambda params, noise, x: spatial_dropout.output(x, noise.multiplier.reshape(2, 2) != 0, 0.75),
        lambda params, x: spatial_dropout.moments(x, 0.75),
    ),
    "learned": Case(LearnedGaussian(3), (2, 3), _learned, _learned_moments),
    "learned-tied": Case(LearnedGaussian(3, tied=True, divergence=ARD()), (2, 2, 3), _learned, _learned_moments),
    "learned-channels": Case(LearnedGaussian(2, positions=2), (2, 2, 2, 1), _learned, _learned_moments),
}


@cache
def truth_of(name: str) -> Truth:
    case = CASES[name]
    return truth(case.layer, case.x_shape, case.output, case.moments, seed=len(name))


@pytest.mark.parametrize("name", CASES)
def test_layer_equals_the_oracle(namespace: Namespace, name: str) -> None:
    assert_agrees(CASES[name].layer, truth_of(name), namespace)


def test_every_public_class_has_a_case() -> None:
    layers = {type(case.layer) for case in CASES.values()}
    assert layers <= public(noise_layers, "forward")  # the others have theirs in layer_cases
    laws = {type(case.layer.law) for case in CASES.values() if isinstance(case.layer, Multiply)}
    assert public(noise_layers, "draw") - public(noise_layers, "forward") == laws


@pytest.mark.parametrize("name", CASES)
def test_layer_promises(namespace: Namespace, name: str) -> None:
    layer, x_shape = CASES[name].layer, CASES[name].x_shape
    assert (
        eval(
            repr(layer),
            {},
            {n: getattr(noise_layers, n) for n in noise_layers.__all__} | {"ARD": ARD, "LogUniform": LogUniform},
        )
        == layer
    )
    assert hash(layer) == hash(CASES[name].layer)
    moments: object = layer
    assert isinstance(moments, HasMoments)
    assert layer.output_shape(x_shape) == x_shape
    x = namespace.asarray(np.ones(x_shape))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(3), params, x_shape, like=x)
    assert_trees_close(noise, layer.draw(host_rng(3), params, x_shape, like=np.ones(())), 2 * namespace.eps, namespace)
    y, residuals = layer.forward(params, noise, x)
    grad_x, grad = layer.backward(residuals, y, input_grad=False)
    assert grad_x is None
    assert type(grad) is type(params)
    assert type(layer.kl_grad(params)) is type(params)
    empty = namespace.asarray(np.ones((0, *x_shape[1:])))
    y, residuals = layer.forward(params, layer.draw(host_rng(0), params, tuple(empty.shape), like=x), empty)
    assert tuple(y.shape) == tuple(empty.shape)
    assert all(np.all(to_numpy(leaf) == 0) for leaf in tree.leaves(layer.backward(residuals, y)[1]))


@dataclass(frozen=True)
class Grid:
    """A generator whose uniform numbers are those given and whose normal ones are signs, for exact expectations."""

    numbers: Any

    def uniform(self, shape: Shape, *, like: Any) -> Any:
        return np.reshape(self.numbers, shape)

    normal = uniform


@pytest.mark.parametrize("rate", [0.0, 0.125, 0.5, 0.875])
def test_bernoulli_noise_has_its_mean_and_variance(rate: float) -> None:
    """Over the grid `k / 8`, which is uniform: exactly the rate of it falls below the rate."""
    factors = Bernoulli(rate).draw(Grid(np.arange(8) / 8), (8,), like=np.ones(()))  # type: ignore[arg-type]
    assert np.mean(factors == 0) == rate
    assert np.mean(factors) == pytest.approx(1.0, abs=1e-15)
    assert np.var(factors) == pytest.approx(Bernoulli(rate).variance, abs=1e-14)


@pytest.mark.parametrize("rate", [0.125, 0.5, 0.875])
def test_gaussian_noise_has_the_variance_of_bernoulli_noise(rate: float) -> None:
    alpha = dropout.equivalent_alpha(rate)
    assert alpha == pytest.approx(Bernoulli(rate).variance, rel=1e-14)
    factors = Gaussian(alpha).draw(Grid(sign_vectors(1)), (2,), like=np.ones(()))  # type: ignore[arg-type]
    assert np.mean(factors) == pytest.approx(1.0, abs=1e-15)
    assert np.var(factors) == pytest.approx(Gaussian(alpha).variance, rel=1e-14)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("divergence", "define"), [(LogUniform(), reference.log_uniform), (ARD(), reference.ard)])
def test_divergence_counts_one_term_a_unit(divergence: Any, define: Any, tied: bool) -> None:
    layer = LearnedGaussian(3, tied=tied, divergence=divergence)
    params = random_params(layer, np.random.default_rng(0))

    def by_definition(p: Any) -> Any:
        alpha = np.exp(p.log_alpha) * np.ones(3)
        return define(np.ones(3), np.sqrt(alpha))

    assert float(layer.kl(params)) == pytest.approx(float(np.real(by_definition(params))), rel=1e-10)
    assert layer.kl(params).shape == ()
    want = gradient(by_definition, params)
    assert type(layer.kl_grad(params)) is LearnedGaussianParams
    np.testing.assert_allclose(layer.kl_grad(params).log_alpha, want.log_alpha, rtol=1e-9)


def test_initial_alpha_is_the_one_asked_for(namespace: Namespace) -> None:
    params = LearnedGaussian(2, initial_alpha=0.3).init(host_rng(0), like=namespace.asarray(np.ones(())))
    np.testing.assert_allclose(np.exp(to_numpy(params.log_alpha)), [0.3, 0.3], rtol=8 * namespace.eps)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Bernoulli(1.0), ValueError, r"rate is 1.0, expected a probability in \[0, 1\)"),
        (lambda: Bernoulli(-0.1), ValueError, "rate is -0.1"),
        (lambda: Bernoulli(float("nan")), ValueError, "rate is nan"),
        (lambda: Gaussian(0.0), ValueError, "alpha is 0.0, expected a finite number above 0"),
        (lambda: Gaussian(float("inf")), ValueError, "alpha is inf"),
        (lambda: LearnedGaussian(0), ValueError, "units is 0"),
        (lambda: LearnedGaussian(2, initial_alpha=-1.0), ValueError, "initial_alpha is -1.0"),
        (lambda: LearnedGaussian(2).output_shape((3,)), ValueError, "expected 2 units on the last axis"),
        (lambda: LearnedGaussian(2).output_shape((1, 3)), ValueError, r"x has shape \(1, 3\)"),
        (lambda: LearnedGaussian(2, 1).output_shape((2, 2)), ValueError, "with 1 axes behind it"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize("layer", [Multiply(Bernoulli(0.5)), LearnedGaussian(2)], ids=["fixed", "learned"])
def test_noise_of_another_call_is_refused(layer: Any) -> None:
    x = np.ones((4, 2))
    params = layer.init(host_rng(0), like=x)
    with pytest.raises(ValueError, match=r"noise\.\w+ has shape \(3, 2\), expected \(4, 2\) here"):
        layer.forward(params, layer.draw(host_rng(1), params, (3, 2), like=x), x)
