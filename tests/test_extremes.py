"""Layers at the edges of what they may be given: any batch, any scale a parameter can express, rows of zeros."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, gradient, random_noise, random_params, run
from bayesnoise_backends.host import host_rng
from bayesnoise_reference.numerics import complex_step
from cases import ESTIMATORS, MAPS, POSTERIORS, name_of, oracle_forward, oracle_moments
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

from bayesnoise import maps, posteriors, tree
from bayesnoise.affine import Affine
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Local, Shared
from bayesnoise.posteriors import Gaussian, Multiplicative
from bayesnoise.stochastic import Stochastic

PAIRS = [(p, e) for p, e in itertools.product(POSTERIORS, ESTIMATORS) if e.refusal(p.traits) is None]

# How far a raw scale may go: to standard deviations of e^-50 and of the most that squares to a finite float32.
RAW_SCALES: dict[type, tuple[float, float]] = {
    posteriors.Gaussian: (-100.0, 100.0),
    posteriors.LogSigmaGaussian: (-50.0, 35.0),
    posteriors.Multiplicative: (-100.0, 70.0),
    posteriors.Additive: (-100.0, 70.0),
}


def extreme(params: Any, posterior: Any, rng: np.random.Generator, zero_mean: bool) -> Any:
    """Raw scales over their whole range; means of the order of 1, or all 0."""
    mean = np.zeros_like(params[0]) if zero_mean else params[0]
    if type(posterior) not in RAW_SCALES:
        return params._replace(**{params._fields[0]: mean})
    raw = rng.uniform(*RAW_SCALES[type(posterior)], params[1].shape).astype(np.float32).astype(np.float64)
    return type(params)(mean, raw)


@pytest.mark.parametrize(("posterior", "estimator"), PAIRS, ids=name_of)
def test_any_batch_any_shape_any_scale(posterior: Any, estimator: Any) -> None:
    """Finite in float64 and float32; in float64 equal to the oracle, each output and each gradient by its own size."""

    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(st.integers(0, 3), st.integers(1, 3), st.integers(1, 3), st.booleans(), st.integers(0, 2**32 - 1))
    def check(n: int, i: int, o: int, zero_mean: bool, seed: int) -> None:
        layer = Stochastic(maps.Dense(i, o), posterior, estimator, Zero())
        rng = np.random.default_rng(seed)
        params = extreme(random_params(layer, rng), posterior, rng, zero_mean)
        x, grad_y = rng.standard_normal((n, i)), rng.standard_normal((n, o))
        noise = random_noise(layer, params, x.shape, seed)
        y, residuals = layer.forward(params, noise, x)
        grad_x, grad = layer.backward(residuals, grad_y)
        if n:
            want = oracle_forward(layer, params, noise, x)
            np.testing.assert_allclose(y, want, rtol=0, atol=1e-12 * float(np.max(np.abs(want))))
            # At theta = 0 the standard deviation under Local has a kink, and a complex step sees one side of it.
            kink = zero_mean and isinstance(posterior, Multiplicative) and isinstance(estimator, Local)
            expected = gradient(lambda p: np.sum(grad_y * oracle_forward(layer, p, noise, x)), params)
            for got, true in () if kink else zip(tree.leaves(grad), tree.leaves(expected), strict=True):
                np.testing.assert_allclose(got, true, rtol=0, atol=1e-11 * float(np.max(np.abs(true))))
        half = tree.map(lambda leaf: leaf.astype(np.float32), (params, noise, x, grad_y))
        y32, residuals32 = layer.forward(*half[:3])
        for leaf in tree.leaves((y, grad_x, grad, y32, layer.backward(residuals32, half[3]))):
            assert np.all(np.isfinite(leaf))

    check()


@pytest.mark.parametrize("index", [1, 5, 8], ids=[name_of(MAPS[i][0]) for i in (1, 5, 8)])
def test_empty_batch(namespace: Namespace, index: int) -> None:
    """Outputs of no example, and gradients that are exactly zero."""
    m, x_shape = MAPS[index]
    weight = Stochastic(m, Gaussian(), Local(), Zero())
    layer = Affine(weight, Stochastic(m.bias(), Gaussian(), Local(), Zero()))
    x = namespace.asarray(np.ones((0, *x_shape[1:])))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(0), params, x.shape, like=x)

    def everything(params: Any, noise: Any, x: Any) -> Any:
        y, residuals = layer.forward(params, noise, x)
        return y, layer.backward(residuals, y), layer.moments(params, x)

    y, (grad_x, grad), (mean, variance) = run(namespace, everything, params, noise, x)
    for array in (y, mean, variance):
        assert tuple(array.shape) == layer.output_shape(tuple(x.shape))
    assert tuple(grad_x.shape) == tuple(x.shape)
    assert all(np.array_equal(to_numpy(leaf), np.zeros(leaf.shape)) for leaf in tree.leaves(grad))


@pytest.mark.parametrize("index", [0, 4, 7], ids=[name_of(MAPS[i][0]) for i in (0, 4, 7)])
def test_rows_of_zeros_under_local(namespace: Namespace, index: int) -> None:
    """A dead example has no noise. It adds nothing to the gradients of the parameters, and its own gradient is the mean
    of the limits from both sides: the standard deviation has a kink there.
    """
    m, x_shape = MAPS[index]
    layer = Stochastic(m, Gaussian(), Local(), Zero())
    rng = np.random.default_rng(index)
    params = random_params(layer, rng)
    x = np.asarray(rng.standard_normal((2, *x_shape[1:])), dtype=np.float32).astype(np.float64)
    dead = x * np.reshape([1.0, 0.0], (2, *(1,) * (x.ndim - 1)))
    noise = random_noise(layer, params, x.shape, index)
    grad_y = np.asarray(rng.standard_normal(layer.output_shape(x.shape)), dtype=np.float32).astype(np.float64)

    def loss(params: Any, x: Any, rows: slice) -> Any:
        y = oracle_forward(layer, params, tree.map(lambda leaf: leaf[rows], noise), x[rows])
        return np.sum(grad_y[rows] * y)

    alive = slice(0, 1)
    expected = gradient(lambda p: loss(p, x, alive), params)
    towards = x * np.reshape([0.0, 1e-3], (2, *(1,) * (x.ndim - 1)))
    sides = [complex_step(lambda x: loss(params, x, slice(None)), dead + t * towards) for t in (1.0, -1.0)]

    def everything(params: Any, noise: Any, x: Any, grad_y: Any) -> Any:
        y, residuals = layer.forward(params, noise, x)
        return y, layer.backward(residuals, grad_y)

    inputs = tree.map(namespace.asarray, (params, noise, dead, grad_y))
    y, (grad_x, grad) = run(namespace, everything, *inputs)
    tolerance = 1e-11 if namespace.double else 64 * namespace.eps
    assert_trees_close(grad, expected, tolerance, namespace)
    assert np.array_equal(to_numpy(y)[1], np.zeros(y.shape[1:]))
    assert_close(grad_x[1, ...], 0.5 * (sides[0] + sides[1])[1], tolerance, namespace)
    # The limit: as the row shrinks, so does what it adds to the gradients of the parameters.
    shrunk = gradient(lambda p: loss(p, dead + 1e-6 * towards, slice(None)), params)
    for limit, at_zero in zip(tree.leaves(shrunk), tree.leaves(expected), strict=True):
        np.testing.assert_allclose(limit, at_zero, rtol=0, atol=1e-7)


@pytest.mark.parametrize("order", ["fortran", "strided", "read-only"])
@pytest.mark.parametrize(("m", "x_shape"), MAPS, ids=[name_of(m) for m, _ in MAPS])
def test_layout_of_the_input_does_not_matter(m: Any, x_shape: tuple[int, ...], order: str) -> None:
    layer = Stochastic(m, Gaussian(), Shared(), Zero())
    rng = np.random.default_rng(0)
    params, x = random_params(layer, rng), rng.standard_normal(x_shape)
    noise, grad_y = random_noise(layer, params, x_shape, 0), rng.standard_normal(m.output_shape(x_shape))

    def other(array: Any) -> Any:
        if order == "fortran":
            return np.asfortranarray(array)
        if order == "strided":
            return np.repeat(array, 2, axis=-1)[..., ::2]
        array = array.copy()
        array.flags.writeable = False
        return array

    def everything(params: Any, noise: Any, x: Any, grad_y: Any) -> Any:
        y, residuals = layer.forward(params, noise, x)
        return y, *layer.backward(residuals, grad_y), *layer.moments(params, x)

    plain = everything(params, noise, x, grad_y)
    again = everything(*tree.map(other, (params, noise, x, grad_y)))
    for a, b in zip(tree.leaves(plain), tree.leaves(again), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14 * float(np.max(np.abs(a))))


def test_moments_at_extreme_scales() -> None:
    layer = Stochastic(maps.Dense(3, 2), Gaussian(), Local(), Zero())
    params = layer.init(host_rng(0), like=np.ones(()))
    x = np.ones((1, 3))
    for rho in (-100.0, -20.0, 20.0, 100.0):
        at = params._replace(rho=np.full((3, 2), rho))
        np.testing.assert_allclose(layer.moments(at, x)[1], oracle_moments(layer, at, x)[1], rtol=1e-12)
