"""Information dropout: the divergence of an example, what it does to the noise, and what ends a network."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, gradient, random_noise, random_params, run
from bayesnoise_backends import rng
from bayesnoise_reference import information_dropout as oracle
from bayesnoise_reference.numerics import complex_step
from cases import representable
from layer_cases.information import linear
from namespaces import Namespace

import bayesnoise as bn
from bayesnoise import maps, methods, tree
from bayesnoise.affine import Affine
from bayesnoise.information import InformationDropout
from bayesnoise.layer import HasHead, head
from bayesnoise.optimizers import adam

Prior: TypeAlias = Literal["log_uniform", "log_normal"]
PRIORS: list[Prior] = ["log_uniform", "log_normal"]
DENSE, CONV = maps.Dense(3, 3), maps.Conv(1, 2, (2,))
WEIGHTS = np.array([0.25, -1.5])
each_prior = pytest.mark.parametrize("prior", PRIORS)
each_map = pytest.mark.parametrize(("m", "x_shape"), [(DENSE, (2, 3)), (CONV, (2, 1, 3))], ids=["dense", "conv"])


def layer_of(m: Any, prior: Prior, beta: float = 0.3) -> InformationDropout:
    plain = methods.deterministic(m)
    return InformationDropout(plain, plain, prior, beta, prior_mean=0.2, prior_scale=0.7)


def of_examples(layer: InformationDropout, m: Any, params: Any, x: Any) -> list[Any]:
    """The divergence of each example by its definition, with its weight."""
    found = []
    for h, s in zip(linear(m, params.value, x), linear(m, params.spread, x), strict=True):
        kl = oracle.to_log_uniform(h, s) if layer.prior == "log_uniform" else oracle.to_log_normal(h, s, 0.2, 0.7)
        found.append(layer.beta * kl)
    return found


@cache
def call(m: Any, x_shape: Any, prior: Prior) -> tuple[Any, ...]:
    """A call, and by the definition: the divergences, and the gradients of output and divergences together."""
    layer = layer_of(m, prior)
    source = np.random.default_rng(3)
    params, x = random_params(layer, source), representable(source, x_shape)
    noise = random_noise(layer, params, x_shape, 3)
    grad_y = representable(source, layer.output_shape(x_shape))

    def total(p: Any, x: Any) -> Any:
        y = oracle.output(linear(m, p.value, x), linear(m, p.spread, x), noise.zeta, prior)
        return np.sum(grad_y * y) + np.sum(WEIGHTS * np.array(of_examples(layer, m, p, x)))

    grad_x = complex_step(lambda x: total(params, x), x)
    kl = np.real(of_examples(layer, m, params, x))
    return params, noise, x, grad_y, kl, grad_x, gradient(lambda p: total(p, x), params)


@each_map
@each_prior
def test_divergence_of_an_example_equals_the_oracle(namespace: Namespace, m: Any, x_shape: Any, prior: Prior) -> None:
    layer = layer_of(m, prior)
    params, noise, x, grad_y, kl, grad_x, grad_params = call(m, x_shape, prior)

    def everything(params: Any, noise: Any, x: Any, grad_y: Any, weights: Any) -> Any:
        _, residuals = layer.forward(params, noise, x)
        return layer.example_kl(residuals), layer.backward_with_kl(residuals, grad_y, weights)

    inputs = tree.map(namespace.asarray, (params, noise, x, grad_y, WEIGHTS))
    got, (got_x, got_params) = run(namespace, everything, *inputs)
    tolerance = 1e-11 if namespace.double else 128 * namespace.eps
    assert_close(got, kl, tolerance, namespace)
    assert_close(got_x, grad_x, tolerance, namespace)
    assert_trees_close(got_params, grad_params, tolerance, namespace)


@each_prior
def test_more_weight_means_more_noise(prior: Prior) -> None:
    """Trained with a heavy divergence, alpha approaches its largest value, or that of the prior where it can."""
    x = np.random.default_rng(0).standard_normal((64, 2))
    y = x[:, :1]
    found = []
    for beta in (1e-4, 1.0):
        layer = bn.networks.mlp(lambda m: methods.information_dropout(m, prior=prior, beta=beta), (2, 8, 1))  # noqa: B023
        loss = bn.losses.Gaussian(0.5)
        state = bn.fit(layer, loss, x, y, rng=rng(0, like=x), optimizer=adam(0.05), epochs=40)
        s = linear(maps.Dense(2, 8), state.params.layer[0].spread, x)
        found.append(float(np.mean(oracle.strength(s))))
    assert found[0] < found[1] - 0.1


def test_the_last_layer_of_a_network_is_not_confined() -> None:
    net = bn.networks.mlp(methods.information_dropout, (3, 4, 2))
    assert [type(part) for part in net.layers[::2]] == [InformationDropout, Affine]
    images = bn.networks.conv_net(methods.information_dropout, (1, 4, 4), 2, channels=(2,), hidden=(3,))
    assert sum(isinstance(part, InformationDropout) for part in images.layers) == 2
    assert isinstance(images.layers[-1], Affine)
    ends: object = net.layers[0]
    assert isinstance(ends, HasHead)
    flipout = methods.flipout(DENSE)
    assert head(flipout) is flipout


@each_prior
def test_extremes_are_finite(namespace: Namespace, prior: Prior) -> None:
    """Pre-activations far out: softplus underflows in single precision at -104, its logarithm does not."""
    layer = methods.information_dropout(maps.Dense(1, 1), prior=prior, bias="none")
    for h in (-1e4, -120.0, 0.0, 1e4):
        for s in (-1e4, 0.0, 1e4):
            ones = namespace.asarray(np.ones((1, 1)))
            params = layer.init(rng(0, like=np.ones(1)), like=np.ones(()))
            params = tree.unflatten(params, iter([h * ones, s * ones]))
            noise = layer.draw(rng(1, like=np.ones(1)), params, (1, 1), like=np.ones(()))._replace(zeta=-ones)
            y, residuals = layer.forward(params, noise, ones)
            grad_x, grads = layer.backward_with_kl(residuals, ones, namespace.asarray(np.ones(1)))
            assert grad_x is not None
            for value in (y, layer.example_kl(residuals), grad_x, *tree.leaves(grads)):
                assert_close(value - value, np.zeros(tuple(value.shape)), 0.0, namespace)


def test_a_unit_that_is_off_costs_nothing() -> None:
    layer = methods.information_dropout(maps.Dense(1, 1), bias="none", beta=2.0)
    x = np.array([[-1.0], [1.0]])
    params = layer.init(rng(0, like=x), like=x)
    params = tree.unflatten(params, iter([np.ones((1, 1)), np.zeros((1, 1))]))
    _, residuals = layer.forward(params, layer.draw(rng(1, like=x), params, x.shape, like=x), x)
    np.testing.assert_allclose(layer.example_kl(residuals), [0.0, -2 * np.log(0.351 / 0.701)], rtol=1e-14)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: methods.information_dropout(DENSE, prior="log-normal"),  # type: ignore[arg-type]
            ValueError,
            "prior is 'log-normal', expected one of log_uniform, log_normal; did you mean log_normal",
        ),
        (lambda: methods.information_dropout(DENSE, beta=-1.0), ValueError, "beta is -1.0"),
        (lambda: methods.information_dropout(DENSE, bias="random"), ValueError, "Point"),
        (
            lambda: InformationDropout(methods.deterministic(DENSE), methods.deterministic(DENSE), least=0.0),
            ValueError,
            "least is 0.0, expected a finite number above 0",
        ),
        (
            lambda: InformationDropout(
                methods.deterministic(DENSE), methods.deterministic(maps.Dense(3, 2))
            ).output_shape((1, 3)),
            ValueError,
            r"value makes \(1, 3\) and spread \(1, 2\): they need the same outputs",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
