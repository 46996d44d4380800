"""A divergence of each example on its way through composites, the objective and a compiled network."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest
from agreement import random_noise, random_params
from bayesnoise_backends import rng
from bayesnoise_backends.jax_layers import jitted

import bayesnoise as bn
from bayesnoise import maps, methods, tree
from bayesnoise.chain import chain
from bayesnoise.layer import HasExampleKL, backward_with_kl, example_kl
from bayesnoise.objective import ModelParams, objective
from bayesnoise.residual import Residual

DENSE = maps.Dense(3, 3)
WEIGHTS = np.array([0.25, -1.5])


def network(prior: Any = "log_uniform") -> Any:
    """Two information layers, one of them beside the identity, and layers without a divergence an example."""

    def informed() -> Any:
        return methods.information_dropout(DENSE, prior=prior, beta=0.3)

    last = chain(Residual(informed()), methods.flipout(maps.Dense(3, 1)))
    return chain(informed(), bn.activations.tanh(), last)


def slope(function: Any) -> Any:
    """The derivative at 0, by Richardson extrapolation of central differences."""
    table = [(function(h) - function(-h)) / (2 * h) for h in (1e-2, 5e-3, 2.5e-3, 1.25e-3)]
    for order in range(1, 4):
        table = [(4**order * b - a) / (4**order - 1) for a, b in pairwise(table)]
    return table[0]


@pytest.mark.parametrize("prior", ["log_uniform", "log_normal"])
def test_a_network_passes_it_on(prior: Any) -> None:
    """Along a direction of all parameters and the input, through a chain in a chain and a residual."""
    layer = network(prior)
    source = np.random.default_rng(5)
    params, x = random_params(layer, source), source.standard_normal((2, 3))
    noise = random_noise(layer, params, x.shape, 5)
    _, residuals = layer.forward(params, noise, x)
    grad_y = source.standard_normal((2, 1))
    direction = tree.map(lambda leaf: 0.1 * source.standard_normal(leaf.shape), (params, x))

    def total(step: float) -> float:
        p, z = tree.map(lambda leaf, d: leaf + step * d, (params, x), direction)
        y, r = layer.forward(p, noise, z)
        return float(np.sum(grad_y * y) + np.sum(WEIGHTS * example_kl(layer, r)))

    grad_x, grads = backward_with_kl(layer, residuals, grad_y, WEIGHTS)
    both = zip(tree.leaves((grads, grad_x)), tree.leaves(direction), strict=True)
    assert sum(float(np.sum(g * d)) for g, d in both) == pytest.approx(slope(total), rel=1e-7)
    inner = [layer.layers[0], layer.layers[2].layers[0].layer]
    kept = [residuals[0], residuals[2][0]]
    total_kl = sum(part.example_kl(r) for part, r in zip(inner, kept, strict=True))
    np.testing.assert_allclose(example_kl(layer, residuals), total_kl, rtol=1e-15)


def test_layers_without_one_are_as_before() -> None:
    layer = chain(methods.flipout(DENSE), bn.activations.relu())
    x = np.ones((2, 3))
    params = layer.init(rng(0, like=x), like=x)
    y, residuals = layer.forward(params, layer.draw(rng(1, like=x), params, x.shape, like=x), x)
    assert example_kl(layer, residuals) == 0.0
    plain, carried = layer.backward(residuals, y), backward_with_kl(layer, residuals, y, WEIGHTS)
    for a, b in zip(tree.leaves(plain), tree.leaves(carried), strict=True):
        np.testing.assert_array_equal(a, b)
    relu: object = bn.activations.relu()
    assert not isinstance(relu, HasExampleKL)


def test_the_objective_counts_it_with_the_examples() -> None:
    """Its mean over the batch is part of the loss, whatever the KL weight; its gradient is that of this sum."""
    layer, loss = network(), bn.losses.Gaussian(1.0)
    source = np.random.default_rng(7)
    params = ModelParams(random_params(layer, source), loss.init(like=np.ones(())))
    x, y = source.standard_normal((2, 3)), source.standard_normal((2, 1))
    noise = random_noise(layer, params.layer, x.shape, 7)
    direction = tree.map(lambda leaf: 0.1 * source.standard_normal(leaf.shape), params.layer)

    def mean_loss(step: float) -> float:
        p = tree.map(lambda leaf, d: leaf + step * d, params.layer, direction)
        f, residuals = layer.forward(p, noise, x)
        return float(np.mean(loss.forward(params.loss, f, y)[0] + example_kl(layer, residuals)))

    result = objective(layer, loss, params, noise, x, y, 0.0)
    assert float(result.nll) == pytest.approx(mean_loss(0.0), rel=1e-14)
    both = zip(tree.leaves(result.grads.layer), tree.leaves(direction), strict=True)
    assert sum(float(np.sum(g * d)) for g, d in both) == pytest.approx(slope(mean_loss), rel=1e-7)


def test_a_compiled_network_counts_it_too() -> None:
    layer, x = network(), np.ones((2, 3))
    params = random_params(layer, np.random.default_rng(0))
    noise, grad_y = random_noise(layer, params, x.shape, 0), np.ones((2, 1))
    found = []
    for candidate, asarray in ((layer, np.asarray), (jitted(layer), jax.numpy.asarray)):
        p, n, z, g, w = tree.map(asarray, (params, noise, x, grad_y, WEIGHTS))
        _, residuals = candidate.forward(p, n, z)
        found.append((example_kl(candidate, residuals), *tree.leaves(backward_with_kl(candidate, residuals, g, w))))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
