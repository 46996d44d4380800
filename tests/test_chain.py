"""A chain of layers against the composition of their definitions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from agreement import Truth, assert_agrees, assert_trees_close, truth
from bayesnoise_reference import dropout
from bayesnoise_reference._typing import Array
from cases import oracle_forward, oracle_moments
from namespaces import Namespace

from bayesnoise import maps, methods
from bayesnoise.affine import Affine
from bayesnoise.chain import chain
from bayesnoise.noise import Bernoulli, LearnedGaussian, Multiply
from bayesnoise.stochastic import Stochastic

FIRST = methods.flipout(maps.Conv(1, 2, (2,)), prior_scale=0.5)
NOISE = Multiply(Bernoulli(0.5))
UNITS = LearnedGaussian(2, positions=1)
LAST = methods.local_reparameterization(maps.Conv(2, 2, (1,)), prior_scale=0.7, bias="random")
LAYER = chain(FIRST, NOISE, UNITS, LAST)
X_SHAPE = (2, 1, 3)


def _stochastic(layer: Any) -> Stochastic | Affine:
    assert isinstance(layer, Stochastic | Affine)
    return layer


def _forward(params: Any, noise: Any, x: Array) -> Array:
    y = oracle_forward(_stochastic(FIRST), params[0], noise[0], x)
    y = dropout.bernoulli(y, noise[1].multiplier != 0, 0.5)
    y = dropout.gaussian(y, noise[2].zeta, np.exp(params[2].log_alpha))
    return oracle_forward(_stochastic(LAST), params[3], noise[3], y)


def _means(params: Any, x: Array) -> tuple[Array, Array]:
    first = oracle_moments(_stochastic(FIRST), params[0], x)[0]
    return oracle_moments(_stochastic(LAST), params[3], first)[0], np.zeros(())


@cache
def _truth() -> Truth:
    return truth(LAYER, X_SHAPE, _forward, _means, seed=3)


def test_chain_equals_the_composition(namespace: Namespace) -> None:
    assert_agrees(LAYER, _truth(), namespace)


def test_only_the_first_layer_may_leave_out_its_input_gradient() -> None:
    t = _truth()
    y, residuals = LAYER.forward(t.params, t.noise, t.x)
    with_x, without_x = LAYER.backward(residuals, y), LAYER.backward(residuals, y, input_grad=False)
    assert with_x[0] is not None
    assert without_x[0] is None
    assert_trees_close(without_x[1], with_x[1], 0.0)


def test_divergence_is_the_sum_over_layers() -> None:
    t = _truth()
    parts = [layer.kl(p) for layer, p in zip(LAYER.layers, t.params, strict=True)]
    assert float(LAYER.kl(t.params)) == pytest.approx(float(sum(parts)), rel=1e-14)
    grads = tuple(layer.kl_grad(p) for layer, p in zip(LAYER.layers, t.params, strict=True))
    assert_trees_close(LAYER.kl_grad(t.params), grads, 0.0)


def test_shapes_pass_through() -> None:
    assert LAYER.output_shape(X_SHAPE) == (2, 2, 2)
    with pytest.raises(ValueError, match="x has shape"):
        chain(FIRST, methods.flipout(maps.Dense(3, 2))).output_shape(X_SHAPE)
    assert chain(FIRST, NOISE) == chain(FIRST, NOISE) != chain(NOISE, FIRST)
