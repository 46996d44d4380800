"""Gradients of examples in one backward pass: each is that of the example alone, for any map, loss and namespace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import backend, host_rng
from bayesnoise_reference._typing import Array
from closeness import assert_close
from namespaces import Namespace

import bayesnoise as bn
from bayesnoise import losses, maps, tree
from bayesnoise.natural_gradient import gradients_of_examples
from bayesnoise.natural_gradient.apart import apart
from bayesnoise.natural_gradient.slang import flat
from bayesnoise.objective import ModelParams, objective
from bayesnoise.reshaping import flatten
from bayesnoise.residual import Residual


def penalised(map: maps.Map) -> Any:
    return bn.deterministic(map, prior_scale=0.5)


NETWORKS: dict[str, tuple[Any, tuple[int, ...], Any]] = {
    "dense": (bn.networks.mlp(penalised, (2, 3, 1)), (4, 2), losses.LearnedGaussian()),
    "positions": (
        bn.chain(bn.deterministic(maps.Dense(2, 2)), flatten(), penalised(maps.Dense(6, 1))),
        (3, 3, 2),
        losses.Gaussian(0.5),
    ),
    "convolution": (
        bn.chain(
            penalised(maps.Conv(2, 2, (2, 2))),
            bn.activations.tanh(),
            bn.deterministic(maps.Conv(2, 4, (1, 1), groups=2), bias="none"),
            flatten(),
            bn.deterministic(maps.Dense(4, 1)),
        ),
        (3, 2, 2, 2),
        losses.LearnedGaussian(),
    ),
    "residual": (
        bn.chain(Residual(bn.networks.mlp(penalised, (2, 3, 2))), bn.deterministic(maps.Dense(2, 2))),
        (4, 2),
        losses.Heteroscedastic(),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_row_is_the_gradient_of_that_example_alone(namespace: Namespace, name: str) -> None:
    layer, x_shape, loss = NETWORKS[name]
    host = np.random.default_rng(0)
    x, y = host.standard_normal(x_shape), host.standard_normal((x_shape[0], 1))
    params = ModelParams(layer.init(host_rng(1), like=x), loss.init(like=x))
    assert apart(layer, params.layer) is not None
    want = np.stack([alone(layer, loss, params, x[i : i + 1], y[i : i + 1]) for i in range(len(x))])
    given = tree.map(namespace.asarray, params), namespace.asarray(x), namespace.asarray(y)
    nll, got = gradients_of_examples(layer, loss, given[0], host_rng(2), given[1], given[2], 0.125)
    tolerance = 1e-12 if namespace.double else 64 * namespace.eps
    assert_close(got, want, tolerance, namespace, 1.0)
    assert namespace.owns(nll)


def alone(layer: Any, loss: Any, params: ModelParams, x: Array, y: Array) -> Array:
    """The gradient of the objective on one example, by the ordinary backward pass."""
    noise = layer.draw(host_rng(3), params.layer, x.shape, like=x)
    return np.asarray(flat(objective(layer, loss, params, noise, x, y, 0.125).grads))


def test_noise_without_parameters_is_drawn_for_each_example() -> None:
    layer, loss = bn.networks.mlp(lambda map: bn.dropout(map, rate=0.4), (3, 4, 1)), losses.Gaussian(1.0)
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.ones((5, 1))
    params = ModelParams(layer.init(host_rng(1), like=x), loss.init(like=x))
    nll, rows = gradients_of_examples(layer, loss, params, host_rng(2), x, y, 0.0)
    noise = layer.draw(host_rng(2), params.layer, x.shape, like=x)
    whole = objective(layer, loss, params, noise, x, y, 0.0)
    np.testing.assert_allclose(np.mean(rows, axis=0), flat(whole.grads), rtol=1e-12, atol=1e-14)
    assert float(nll) == pytest.approx(float(whole.nll))
    for i in range(5):
        at = tree.map(lambda leaf, i=i: leaf[i : i + 1], noise)
        one = objective(layer, loss, params, at, x[i : i + 1], y[i : i + 1], 0.0)
        np.testing.assert_allclose(rows[i], flat(one.grads), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "layer",
    [
        bn.flipout(maps.Dense(2, 1)),
        bn.gaussian_dropout(maps.Dense(2, 1), learned=True),
        bn.information_dropout(maps.Dense(2, 1)),
        bn.chain(bn.deterministic(maps.Dense(2, 2)), bn.normalisation.LayerNorm(2), bn.deterministic(maps.Dense(2, 1))),
    ],
    ids=["law", "learned noise", "divergence of examples", "normalisation"],
)
def test_other_parameters_take_a_pass_an_example(layer: Any) -> None:
    loss, x = losses.LearnedGaussian(), np.random.default_rng(0).standard_normal((3, 2))
    params = ModelParams(layer.init(host_rng(1), like=x), loss.init(like=x))
    assert apart(layer, params.layer) is None
    _, rows = gradients_of_examples(layer, loss, params, host_rng(2), x, x[:, :1], 0.1)
    for i, source in enumerate(host_rng(2).split(3)):
        noise = layer.draw(source, params.layer, (1, 2), like=x)
        one = objective(layer, loss, params, noise, x[i : i + 1], x[i : i + 1, :1], 0.1)
        np.testing.assert_allclose(rows[i], flat(one.grads), rtol=1e-13)


def test_a_layer_that_a_backend_has_compiled_is_taken_apart_as_it_was_composed() -> None:
    jax = backend("jax")
    layer, x_shape, loss = NETWORKS["dense"]
    x = jax.asarray(np.random.default_rng(0).standard_normal(x_shape))
    params = ModelParams(layer.init(jax.rng(0, x), like=x), loss.init(like=x))
    plain, compiled = (
        gradients_of_examples(one, loss, params, jax.rng(1, x), x, x[:, :1], 0.1).grads
        for one in (layer, jax.accelerate(layer))
    )
    np.testing.assert_array_equal(plain, compiled)
