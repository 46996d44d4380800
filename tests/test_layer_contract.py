"""Every layer on every namespace against the oracle: output, gradients, prediction, moments, divergence, promises."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import numpy as np
import pytest
from agreement import (
    Truth,
    assert_agrees,
    assert_close,
    assert_trees_close,
    gradient,
    random_noise,
    run,
    truth,
)
from bayesnoise_backends.host import host_rng
from bayesnoise_reference._typing import Array
from layer_cases import CASES
from namespaces import Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.composite import Composite
from bayesnoise.layer import HasMoments

MEMBERS = ("output_shape", "init", "draw", "forward", "backward", "predict", "kl", "kl_grad")
ELSEWHERE = {  # classes whose cases other files hold, by the file
    "test_contract": {"Stochastic", "Affine"},
    "test_chain": {"Chain", "Residual"},
    "test_noise": {"Multiply", "LearnedGaussian"},
    "test_normalisation": {"BatchNorm", "FrozenBatchNorm", "LayerNorm"},
    "test_activations": {"Fixed"},
}
each = pytest.mark.parametrize("name", CASES)


@cache
def truth_of(name: str) -> Truth:
    case = CASES[name]

    def moments(params: Any, x: Array) -> tuple[Array, Array | None]:
        return (case.predict(params, x), None) if case.moments is None else case.moments(params, x)

    return truth(
        case.layer,
        case.x_shape,
        case.output,
        moments,
        seed=len(name),
        make_params=case.make_params,
        predict=case.predict,
    )


@each
def test_layer_equals_the_oracle(namespace: Namespace, name: str) -> None:
    assert_agrees(CASES[name].layer, truth_of(name), namespace)


@each
def test_moments_are_there_where_they_are_defined(name: str) -> None:
    assert isinstance(CASES[name].layer, HasMoments) == (CASES[name].moments is not None)


@each
def test_divergence_equals_the_oracle(namespace: Namespace, name: str) -> None:
    case, t = CASES[name], truth_of(name)
    params, noise = tree.map(namespace.asarray, (t.params, t.noise))

    def both(params: Any, noise: Any) -> Any:
        return case.layer.kl(params, noise), case.layer.kl_grad(params, noise)

    value, grad = run(namespace, both, params, noise)
    if case.kl is None:
        assert float(value) == 0.0
        assert all(np.all(to_numpy(leaf) == 0) for leaf in tree.leaves(grad))
        return
    define = case.kl
    tolerance = case.kl_tolerance if namespace.double else 64 * namespace.eps
    assert_close(value, np.real(define(t.params, t.noise)), tolerance, namespace)
    assert_trees_close(grad, gradient(lambda p: define(p, t.noise), t.params), tolerance, namespace)


@each
def test_layer_promises(namespace: Namespace, name: str) -> None:
    """Hashable, as many noises as asked for, gradients of the type of the parameters, and batches of nothing."""
    layer, x_shape = CASES[name].layer, CASES[name].x_shape
    assert hash(layer) == hash(CASES[name].layer)
    assert all(hasattr(layer, member) for member in MEMBERS)
    x = namespace.asarray(np.full(x_shape, 0.5))
    params = layer.init(host_rng(0), like=x)
    assert all(namespace.owns(leaf) for leaf in tree.leaves(params))
    noise = layer.draw(host_rng(3), params, x_shape, like=x)
    host = tree.map(lambda leaf: np.asarray(to_numpy(leaf), dtype=np.float64), params)
    assert_trees_close(noise, layer.draw(host_rng(3), host, x_shape, like=np.ones(())), 8 * namespace.eps, namespace)

    def call(params: Any, noise: Any, x: Any) -> Any:
        y, residuals = layer.forward(params, noise, x)
        return y, *layer.backward(residuals, y, input_grad=False), layer.kl_grad(params, noise)

    y, grad_x, grad, kl_grad = namespace.shaped(call, params, noise, x)
    assert tuple(y.shape) == tuple(layer.output_shape(x_shape))
    assert grad_x is None
    assert_same_form(grad, params)
    assert_same_form(kl_grad, params)


def assert_same_form(got: Any, want: Any) -> None:
    """Trees of one type, whose leaves have the same shapes."""
    assert type(got) is type(want)
    assert [(p, tuple(a.shape)) for p, a in tree.paths(got)] == [(p, tuple(a.shape)) for p, a in tree.paths(want)]


@each
def test_a_batch_of_nothing(name: str) -> None:
    layer, x_shape = CASES[name].layer, CASES[name].x_shape
    x = np.ones((0, *x_shape[1:]))
    params = layer.init(host_rng(0), like=x)
    y, residuals = layer.forward(params, layer.draw(host_rng(0), params, x.shape, like=x), x)
    assert y.shape == tuple(layer.output_shape(x.shape))
    grad_x, grad = layer.backward(residuals, y)
    assert grad_x.shape == x.shape
    assert all(np.all(leaf == 0) for leaf in tree.leaves(grad))


@each
def test_noise_of_another_call_is_refused(name: str) -> None:
    layer, x_shape = CASES[name].layer, CASES[name].x_shape
    params = layer.init(host_rng(0), like=np.ones(()))
    here, there = ((n, *x_shape[1:]) for n in (2, 3))
    noise, fitting = (random_noise(layer, params, shape, seed=1) for shape in (there, here))
    if [a.shape for a in tree.leaves(noise)] == [a.shape for a in tree.leaves(fitting)]:
        pytest.skip("no noise of this layer depends on the size of the batch")
    with pytest.raises(ValueError, match=r"noise.* has shape .*expected"):
        layer.forward(params, noise, np.ones(here))


def _layer_classes() -> set[type]:
    """Every public class of the package that is a layer."""
    found: set[type] = set()
    for module in pkgutil.walk_packages(bn.__path__, "bayesnoise."):
        if any(part.startswith("_") for part in module.name.split(".")) or ".cli" in module.name:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and not getattr(value, "_is_protocol", False):
                found |= {value} if all(hasattr(value, member) for member in MEMBERS) else set()
    return {c for c in found if c.__module__.startswith("bayesnoise.") and not c.__name__.startswith("_")}


def _inside(layer: Any) -> set[type]:
    parts = layer.parts if isinstance(layer, Composite) else ()
    return {type(layer)}.union(*(_inside(part) for _, part in parts))


def test_every_layer_class_has_a_case() -> None:
    covered: set[type] = set().union(*(_inside(case.layer) for case in CASES.values())) if CASES else set()
    names = {c.__name__ for c in covered}.union(*ELSEWHERE.values())
    assert {c.__name__ for c in _layer_classes()} <= names
