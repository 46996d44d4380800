"""Layers under automatic differentiation: gradients are the layer's own, and those of its formula written plainly."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import bayesnoise_backends
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from bayesnoise_backends.host import host_rng
from bayesnoise_backends.torch import Module
from namespaces import NAMESPACES, NUMPY64, to_numpy
from test_backends_layers import ALL, assert_close, inputs

from bayesnoise import maps, posteriors, tree
from bayesnoise._typing import Shape
from bayesnoise.divergences import GaussianKL, ScaleMixture
from bayesnoise.estimators import Estimator, Flipout, Local, Shared
from bayesnoise.stochastic import Stochastic

BY_NAME = {n.name: n for n in NAMESPACES}
TORCH, JAX = BY_NAME["torch-float64"], BY_NAME["jax-float64"]
CONV = maps.Conv(2, 4, (2, 3), stride=2, padding=1, dilation=(2, 1), groups=2)
ESTIMATORS: dict[str, Estimator] = {"flipout": Flipout(), "local": Local(), "shared": Shared()}
MAPS: dict[str, tuple[maps.Map, Shape]] = {"dense": (maps.Dense(3, 2), (4, 3)), "conv": (CONV, (2, 2, 5, 4))}


def torch_apply(x: Any, w: Any) -> Any:
    if w.ndim == 2:
        return x @ w
    return torch.nn.functional.conv2d(x, w, stride=2, padding=1, dilation=(2, 1), groups=2)


def jax_apply(x: Any, w: Any) -> Any:
    if w.ndim == 2:
        return x @ w
    return jax.lax.conv_general_dilated(
        x, w, (2, 2), [(1, 1), (1, 1)], rhs_dilation=(2, 1), feature_group_count=2, precision="highest"
    )


def formula(xp: Any, apply: Any, softplus: Any, estimator: str, params: Any, noise: Any, x: Any) -> Any:
    """The output as the papers write it."""
    mu, sigma = params.mu, softplus(params.rho)
    noise = noise.estimator
    if estimator == "shared":
        return apply(x, mu + sigma * noise.eps)
    if estimator == "local":
        return apply(x, mu) + xp.sqrt(apply(x**2, sigma**2)) * noise.zeta
    return apply(x, mu) + noise.sign_out * apply(x * noise.sign_in, sigma * noise.eps)


def formula_kl(xp: Any, softplus: Any, params: Any) -> Any:
    mu, sigma = params.mu, softplus(params.rho)
    return xp.sum(0.5 * (sigma**2 + mu**2 - 1.0) - xp.log(sigma))


def problem(estimator: str, map: str, n: Any) -> tuple[Stochastic, Any, Any, Any, Any]:
    m, x_shape = MAPS[map]
    layer = Stochastic(m, posteriors.Gaussian(0.4), ESTIMATORS[estimator], GaussianKL())
    like = np.zeros((), dtype=np.float64)
    params = layer.init(host_rng(1), like=like)
    noise = layer.draw(host_rng(2), params, x_shape, like=like)
    rng = np.random.default_rng(3)
    x, grad_y = rng.standard_normal(x_shape), rng.standard_normal(layer.output_shape(x_shape))
    return layer, *(tree.map(n.asarray, value) for value in (params, noise, x, grad_y))


@pytest.mark.parametrize("map", MAPS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_torch_gradients_are_those_of_the_formula(estimator: str, map: str) -> None:
    layer, params, noise, x, grad_y = problem(estimator, map, TORCH)
    function = bayesnoise_backends.backend("torch").differentiable(layer)
    softplus = torch.nn.functional.softplus
    pairs: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (lambda p, x: function(p, noise, x), function.kl),
        (
            lambda p, x: formula(torch, torch_apply, softplus, estimator, p, noise, x),
            lambda p: formula_kl(torch, softplus, p),
        ),
    ]
    results = []
    for forward, kl in pairs:
        p = tree.map(lambda leaf: leaf.clone().requires_grad_(), params)
        x_leaf = x.clone().requires_grad_()
        y, divergence = forward(p, x_leaf), kl(p)
        (torch.sum(torch.sin(y) * grad_y) + 0.25 * divergence).backward()
        results.append((y.detach(), divergence.detach(), x_leaf.grad, tree.map(lambda leaf: leaf.grad, p)))
    assert_close(results[0], results[1], TORCH.eps)


@pytest.mark.parametrize("map", MAPS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_jax_gradients_are_those_of_the_formula(estimator: str, map: str) -> None:
    layer, params, noise, x, grad_y = problem(estimator, map, JAX)
    function = bayesnoise_backends.backend("jax").differentiable(layer)

    def ours(params: Any, x: Any) -> Any:
        return jnp.sum(jnp.sin(function(params, noise, x)) * grad_y) + 0.25 * function.kl(params)

    def theirs(params: Any, x: Any) -> Any:
        y = formula(jnp, jax_apply, jax.nn.softplus, estimator, params, noise, x)
        return jnp.sum(jnp.sin(y) * grad_y) + 0.25 * formula_kl(jnp, jax.nn.softplus, params)

    expected = jax.jit(jax.value_and_grad(theirs, argnums=(0, 1)))(params, x)
    assert_close(jax.jit(jax.value_and_grad(ours, argnums=(0, 1)))(params, x), expected, JAX.eps)


@ALL
def test_torch_gradients_are_the_layers_own(name: str) -> None:
    layer, params, noise, x, grad_y = inputs(name, TORCH)
    function = bayesnoise_backends.backend("torch").differentiable(layer)
    leaves = tree.map(lambda leaf: leaf.clone().requires_grad_(), params)
    x_leaf = x.clone().requires_grad_()
    y = function(leaves, noise, x_leaf)
    y_plain, residuals = layer.forward(params, noise, x)
    assert torch.equal(y, y_plain)
    y.backward(grad_y)
    assert_close((x_leaf.grad, tree.map(lambda leaf: leaf.grad, leaves)), layer.backward(residuals, grad_y), 0.0)
    leaves = tree.map(lambda leaf: leaf.clone().requires_grad_(), params)
    (3.0 * function.kl(leaves, noise)).backward()
    expected = tree.map(lambda leaf: 3.0 * leaf, layer.kl_grad(params, noise))
    assert_close(tree.map(lambda leaf: leaf.grad, leaves), expected, 0.0)


@ALL
def test_jax_gradients_are_the_layers_own(name: str) -> None:
    layer, params, noise, x, grad_y = inputs(name, JAX)
    function = bayesnoise_backends.backend("jax").differentiable(layer)

    def ours(params: Any, noise: Any, x: Any) -> Any:
        y, pullback = jax.vjp(lambda params, x: function(params, noise, x), params, x)
        return y, *reversed(pullback(grad_y)), jax.grad(lambda params: 3.0 * function.kl(params, noise))(params)

    plain, params_, noise_, x_, grad_y_ = inputs(name, NUMPY64)
    y, residuals = plain.forward(params_, noise_, x_)
    expected = y, *plain.backward(residuals, grad_y_), tree.map(lambda g: 3.0 * g, plain.kl_grad(params_, noise_))
    assert_close(jax.jit(ours)(params, noise, x), expected, JAX.eps)


def test_torch_input_gradient_is_computed_only_where_it_is_needed() -> None:
    layer, params, noise, x, grad_y = problem("flipout", "conv", TORCH)
    asked = []

    class Watched(Stochastic):
        def backward(self, residuals: Any, grad_y: Any, *, input_grad: bool = True) -> Any:
            asked.append(input_grad)
            return super().backward(residuals, grad_y, input_grad=input_grad)

    watched = Watched(layer.map, layer.posterior, layer.estimator, layer.divergence)
    leaves = tree.map(lambda leaf: leaf.clone().requires_grad_(), params)
    function = bayesnoise_backends.backend("torch").differentiable(watched)
    function(leaves, noise, x).backward(grad_y)
    function(leaves, noise, x.clone().requires_grad_()).backward(grad_y)
    assert asked == [False, True]


def test_torch_keeps_nothing_alive_and_refuses_what_it_cannot_do() -> None:
    layer, params, noise, x, _ = problem("local", "dense", TORCH)
    function = bayesnoise_backends.backend("torch").differentiable(layer)
    leaves = tree.map(lambda leaf: leaf.clone().requires_grad_(), params)
    y = function(leaves, noise, x)
    (grad,) = torch.autograd.grad(torch.sum(y * y), [leaves.mu], create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        torch.sum(grad).backward()
    y = function(leaves, noise, x)
    with torch.no_grad():
        leaves.mu.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.sum(y).backward()
    y = function(leaves, noise, x)
    alive = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert alive() is None  # by its count of references alone: no cycle holds the saved arrays
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["numpy"])
def test_a_backend_without_gradients_says_so(name: str) -> None:
    with pytest.raises(TypeError, match="which does not differentiate: call its backward, or use torch or JAX"):
        bayesnoise_backends.backend(name).differentiable(problem("local", "dense", TORCH)[0])


def test_torch_module_trains_in_a_torch_model() -> None:
    torch.manual_seed(0)
    layer = Stochastic(maps.Dense(3, 2), posteriors.Gaussian(0.3), Flipout(), ScaleMixture())
    module: Any = Module(layer, like=torch.zeros((), dtype=torch.float64))
    model = torch.nn.Sequential(module, torch.nn.Tanh(), torch.nn.Linear(2, 1, dtype=torch.float64))
    assert [name for name, _ in module.named_parameters()] == ["mu", "rho"]
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.manual_seed(1)
    y = model(x)
    torch.manual_seed(1)
    assert torch.equal(model(x), y)
    assert not torch.equal(model(x), y)
    assert_close(module.predict(x), x @ module.params.mu.detach(), TORCH.eps)
    before = module.mu.detach().clone()
    loss = torch.sum(model(x) ** 2) + module.kl()
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not torch.equal(module.mu, before)
    again: Any = Module(layer, like=torch.zeros((), dtype=torch.float64))
    again.load_state_dict(module.state_dict())
    assert torch.equal(again.rho, module.rho)
    assert "Flipout" in repr(module)


def test_torch_module_updates_the_statistics_that_a_layer_keeps() -> None:
    from bayesnoise.normalisation import BatchNorm

    module: Any = Module(BatchNorm(3))
    statistics = dict(module.named_buffers())
    assert statistics
    assert not set(statistics) & {name for name, _ in module.named_parameters()}
    x = 2.0 + torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    y = module(x)
    torch.sum(y**3).backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    after = dict(module.named_buffers())
    assert all(not torch.equal(after[name], old) for name, old in statistics.items())
    module.eval()
    y, kept = module(x), dict(module.named_buffers())
    assert all(torch.equal(kept[name], after[name]) for name in kept)
    assert_close(y.detach(), module.predict(x).detach(), 1e-6)
    assert not np.allclose(to_numpy(y), to_numpy(module.train()(x)))
