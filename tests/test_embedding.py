"""The embedding: a map whose input is integers, under every estimator, and the sum that is its adjoint."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from agreement import Truth, assert_agrees, random_noise, random_params, run, truth
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import embedding as reference
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors
from cases import ESTIMATORS, INDEX_MAPS, name_of, oracle_forward, oracle_moments
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import maps
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Flipout, FlipoutNoise, Plain
from bayesnoise.maps._segments import sum_rows
from bayesnoise.methods import METHODS
from bayesnoise.posteriors import Gaussian, Multiplicative, Point, Posterior
from bayesnoise.stochastic import Stochastic, StochasticNoise


def _layers() -> list[tuple[Any, Shape]]:
    (words, x_shape), (one_each, n_alone) = INDEX_MAPS
    laws: list[Posterior] = [Point(), Gaussian()]
    pairs = [(p, e) for p, e in itertools.product(laws, ESTIMATORS) if e.refusal(p.traits) is None]
    layers: list[tuple[Any, Shape]] = [(Stochastic(words, p, e, Zero()), x_shape) for p, e in pairs]
    layers.append((Stochastic(one_each, Gaussian(), Flipout(), Zero()), n_alone))
    layers.append((Stochastic(words, Multiplicative(alpha="input"), Flipout(), Zero()), x_shape))
    layers += [
        (bn.flipout(words, divergence=Zero()), x_shape),
        (bn.flipout(words, divergence=Zero(), bias="random"), x_shape),
        (bn.local_reparameterization(one_each, divergence=Zero()), n_alone),
    ]
    return layers


LAYERS = _layers()


def name(layer: Any) -> str:
    weight = layer.weight if isinstance(layer, Affine) else layer
    bias = [layer.bias.posterior] if isinstance(layer, Affine) else []
    return name_of(weight.map, weight.posterior, weight.estimator, *bias)


@cache
def truth_of(index: int) -> Truth:
    layer, x_shape = LAYERS[index]
    weight: Any = layer.weight if isinstance(layer, Affine) else layer
    return truth(
        layer,
        x_shape,
        lambda params, noise, x: oracle_forward(layer, params, noise, x),
        lambda params, x: oracle_moments(layer, params, x),
        seed=index,
        make_x=lambda rng, shape: rng.integers(0, weight.map.vocabulary, shape, dtype=np.int32),
    )


@pytest.mark.parametrize("index", range(len(LAYERS)), ids=[name(layer) for layer, _ in LAYERS])
def test_layer_equals_the_oracle(namespace: Namespace, index: int) -> None:
    assert_agrees(LAYERS[index][0], truth_of(index), namespace)


@given(st.integers(0, 20), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_map_is_its_definition_and_its_adjoint_is_adjoint(positions: int, rows: int, seed: int) -> None:
    rng, m = np.random.default_rng(seed), maps.Embedding(rows, 2)
    x, w = rng.integers(0, rows, (3, positions)), rng.standard_normal((rows, 2))
    y = m.apply(x, w)
    np.testing.assert_array_equal(y, np.stack([reference.output(x_n, w) for x_n in x]))
    g = rng.standard_normal(y.shape)
    by_w = m.adjoint_w(g, x, w.shape)
    assert abs(np.sum(g * y) - np.sum(w * by_w)) <= 1e-13 * np.sum(np.abs(g * y))
    alone = rows if positions == 0 else int(x.ravel()[0])
    assert all(np.any(x == v) or np.all(by_w[v] == 0) for v in range(rows) if v != alone)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_integers_of_any_kind(dtype: str) -> None:
    m, x = maps.Embedding(3, 2), np.array([[0, 2, 2]], dtype=dtype)
    w = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(m.apply(x, w), [[[0, 1], [4, 5], [4, 5]]])
    np.testing.assert_array_equal(m.adjoint_w(np.ones((1, 3, 2)), x, w.shape), [[1, 1], [0, 0], [2, 2]])


def test_the_sum_by_rows_on_every_namespace(namespace: Namespace) -> None:
    """With rows of none at either end, and of all sizes between."""
    index = np.array([5, 1, 1, 3, 1, 5, 1, 1, 4, 1], dtype=np.int32)
    g = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32).astype(np.float64)
    want = np.zeros((7, 3))
    np.add.at(want, index, g)
    got = run(namespace, lambda g, i: sum_rows(g, i, 7), namespace.asarray(g), namespace.asarray(index))
    assert namespace.owns(got)
    np.testing.assert_allclose(to_numpy(got), want, rtol=0, atol=8 * namespace.eps)


def test_a_rare_row_beside_a_frequent_one_keeps_its_digits() -> None:
    """A running sum of 1e8 would round 1 away in float32, and a difference of two would not bring it back."""
    index = np.array([0] * 1000 + [1])
    g = np.full((1001, 1), 1e5, dtype=np.float32)
    g[-1] = 1.0
    assert sum_rows(g, index, 2)[1, 0] == 1.0
    assert sum_rows(g, index, 2)[0, 0] == np.float32(1e8)


def test_flipout_sees_one_weight_sample_an_example() -> None:
    """Over all of flipout's noise of two rows, by enumeration: the law of two independent rows, met in any order."""
    layer = Stochastic(maps.Embedding(2, 2), Gaussian(), Flipout(), Zero())
    params = random_params(layer, np.random.default_rng(0))
    signs = sign_vectors(4)
    x = np.array([[0, 1, 0]])
    runs = []
    for eps in sign_vectors(4):
        noise = FlipoutNoise(eps.reshape(2, 2), signs[:, :2], signs[:, None, 2:])
        y, _ = layer.forward(params, noise_of(noise), np.broadcast_to(x, (16, 3)))
        assert np.array_equal(y[:, 0], y[:, 2])  # the same word, the same row
        runs.append(y[:, :2].reshape(16, 4))
    sd = np.log1p(np.exp(params.rho)).ravel()
    want = params.mu.ravel() + sd * sign_vectors(4)
    assert _sorted(np.concatenate(runs)) == _sorted(np.repeat(want, 16, axis=0))


def test_flipout_draws_examples_apart() -> None:
    """Two examples with the same words: the four products of their perturbations have mean 0, all of them together."""
    layer = Stochastic(maps.Embedding(2, 1), Gaussian(), Flipout(), Zero())
    params = random_params(layer, np.random.default_rng(1))
    rows = sign_vectors(6)
    x = np.array([[0, 1], [0, 1]])
    products = []
    for row in rows:
        noise = FlipoutNoise(np.ones((2, 1)), row[:4].reshape(2, 2), row[4:].reshape(2, 1, 1))
        d = layer.forward(params, noise_of(noise), x)[0][..., 0] - params.mu[:, 0]
        products.append([d[0, 0] * d[1, 0], d[0, 1] * d[1, 1], d[0, 0] * d[0, 1], np.prod(d)])
    np.testing.assert_allclose(np.mean(products, axis=0), 0.0, atol=1e-15)


def noise_of(noise: FlipoutNoise) -> Any:
    return StochasticNoise(noise, None)


MULTIPLY_INPUT = {
    *("dropout", "gaussian_dropout", "spatial_dropout", "drop_block", "concrete_dropout", "information_dropout"),
    *("variational_structured_dropout", "structured_variational_dropout", "multiplicative_normalizing_flow"),
    "bayesian_compression",
}


def _sorted(rows: Array) -> list[tuple[float, ...]]:
    return sorted(tuple(float(v) for v in row) for row in np.round(rows, 12))


def test_the_divergence_counts_every_row_once_however_often_it_is_read() -> None:
    layer = bn.flipout(maps.Embedding(5, 2), bias="none")
    params = layer.init(host_rng(0), like=np.ones(()))
    dense = bn.flipout(maps.Dense(5, 2), bias="none")
    assert float(layer.kl(params)) == float(dense.kl(params))


@pytest.mark.parametrize("row", METHODS, ids=lambda row: row.name)
def test_a_method_takes_it_or_is_refused_when_it_is_built(row: Any) -> None:
    if row.name in MULTIPLY_INPUT:
        with pytest.raises(
            TypeError, match=r"map is Embedding.* input is integers, expected one of numbers: use determ"
        ):
            row.build(maps.Embedding(4, 3))
        return
    layer = row.build(maps.Embedding(4, 3))
    x = np.array([[0, 3], [1, 1]])
    params = layer.init(host_rng(0), like=np.ones(()))
    y, residuals = layer.forward(params, layer.draw(host_rng(1), params, x.shape, like=np.ones(())), x)
    assert y.shape == layer.output_shape(x.shape) == (2, 2, 3)
    assert layer.backward(residuals, y)[0] is None
    assert np.array_equal(layer.predict(params, x)[1, 0], layer.predict(params, x)[1, 1])


def test_a_batch_of_nothing_and_a_sequence_of_nothing() -> None:
    for estimator in ESTIMATORS:
        layer = Stochastic(
            maps.Embedding(4, 3), Point() if isinstance(estimator, Plain) else Gaussian(), estimator, Zero()
        )
        params = random_params(layer, np.random.default_rng(0))
        for shape in ((0, 2), (2, 0), (0,)):
            x = np.zeros(shape, dtype=np.int64)
            y, residuals = layer.forward(params, random_noise(layer, params, shape, 0), x)
            assert y.shape == (*shape, 3)
            assert all(np.all(leaf == 0) for leaf in layer.backward(residuals, y)[1])


@pytest.mark.parametrize("call", ["forward", "predict", "moments"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((2, 3)), TypeError, "x has dtype float64, expected integers"),
        (np.array([[0, 1, 4]] * 2), ValueError, "x holds integers from 0 to 4, expected 0 to 3 for Embedding"),
        (np.array([[0, -1, 2]] * 2), ValueError, "x holds integers from -1 to 2"),
        (torch.ones((2, 3), dtype=torch.int64), TypeError, "must come from one backend"),
        ([[0, 1, 2]], TypeError, "x is a list, expected an array of integers"),
    ],
    ids=["floats", "above", "below", "backend", "list"],
)
def test_wrong_input_is_named(call: str, x: Any, error: type[Exception], message: str) -> None:
    layer = bn.flipout(maps.Embedding(4, 2), bias="none")
    params = layer.init(host_rng(0), like=np.ones(()))
    noise = layer.draw(host_rng(0), params, (2, 3), like=np.ones(()))
    with pytest.raises(error, match=message):
        getattr(layer, call)(*((params, noise, x) if call == "forward" else (params, x)))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: maps.Embedding(0, 2), ValueError, "vocabulary is 0, expected at least 1"),
        (lambda: maps.Embedding(3, 2.0), TypeError, "features is 2.0, expected an integer"),  # type: ignore[arg-type]
        (lambda: maps.Embedding(3, 2).output_shape(()), ValueError, r"x has shape \(\), expected \(n, \.\.\.\)"),
        (lambda: maps.Embedding(3, 2).unit_shape("row"), ValueError, "unit is 'row'"),  # type: ignore[arg-type]
        (lambda: maps.Embedding(3, 2).adjoint_x(None, None, (1,)), TypeError, "which have no gradient"),
        (lambda: bn.variational_dropout(maps.Embedding(3, 2), type="B"), TypeError, "whose input is integers"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
