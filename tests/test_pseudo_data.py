"""Weights given pseudo-data: when these change nothing, what they fix, what they leave, and which law is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends import backend, host_rng
from bayesnoise_reference import matrix_gaussian, pseudo_data
from bayesnoise_reference.numerics import sign_vectors
from closeness import assert_close
from namespaces import Namespace

import bayesnoise as bn
from bayesnoise import estimators, maps, methods, tree
from bayesnoise._linalg import cholesky_factor
from bayesnoise.affine import BiasedWithMoments
from bayesnoise.divergences import GaussianKL, ScaleMixture
from bayesnoise.maps import Dense
from bayesnoise.pseudo_data import PseudoData

JITTER = 0.3
DENSE = Dense(3, 2)


def _drawn(layer: Any, seed: int = 0) -> Any:
    return random_params(layer, np.random.default_rng(seed))


def _given(params: Any) -> pseudo_data.Given:
    mu, log_u, log_v = params.matrix
    return pseudo_data.Given(mu, log_u, log_v, params.inputs, params.outputs)


def _x(n: int = 4) -> Any:
    return np.random.default_rng(1).standard_normal((n, 3))


def test_without_pseudo_data_it_is_the_matrix_gaussian() -> None:
    plain = methods.variational_matrix_gaussian(DENSE)
    assert methods.variational_matrix_gaussian(DENSE, pseudo_data=0) == plain
    assert isinstance(methods.variational_matrix_gaussian(DENSE, pseudo_data=1), BiasedWithMoments)


@pytest.mark.parametrize("change", ["orthogonal", "zero", "uncertain"])
def test_pseudo_data_that_say_nothing_of_an_input_change_nothing(change: str) -> None:
    """Pseudo-inputs with no covariance with x, inputs of zeros, or outputs with a variance beyond any use."""
    layer = PseudoData(DENSE, 2, jitter=1e25 if change == "uncertain" else JITTER)
    params, x = _drawn(layer), _x()
    if change == "orthogonal":  # x has the first feature alone, the pseudo-inputs have the others
        x, params = x * np.array([1.0, 0.0, 0.0]), params._replace(inputs=params.inputs * np.array([0.0, 1.0, 1.0]))
    if change == "zero":
        params = params._replace(inputs=0.0 * params.inputs)
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    want, _ = layer.matrix.forward(params.matrix, noise, x)
    np.testing.assert_allclose(layer.forward(params, noise, x)[0], want, rtol=1e-11)
    for got, plain in zip(layer.moments(params, x), layer.matrix.moments(params.matrix, x), strict=True):
        np.testing.assert_allclose(got, plain, rtol=1e-11)


def test_at_a_pseudo_input_the_output_is_the_pseudo_output() -> None:
    """The distance from it falls with the jitter, and the variance is at most `jitter v`."""
    for jitter in (1e-2, 1e-4, 1e-6):
        layer = PseudoData(DENSE, 2, jitter=jitter)
        params = _drawn(layer)
        mean, variance = layer.moments(params, params.inputs)
        least = np.linalg.eigvalsh(params.inputs * np.exp(params.matrix.log_u) @ params.inputs.T)[0]
        wrong = np.linalg.norm(params.outputs - params.inputs @ params.matrix.mu, axis=0)
        assert np.all(np.abs(mean - params.outputs) <= jitter / least * wrong * (1 + 1e-6))
        assert np.all(variance <= jitter * np.exp(params.matrix.log_v))


@pytest.mark.parametrize("count", [1, 3, 6])
def test_the_variance_is_that_of_the_paper_and_never_more_than_without(count: int) -> None:
    """A sum of squares here, a difference there, and both the quadratic form of a covariance that is not negative."""
    layer = PseudoData(DENSE, count, jitter=JITTER)
    params, x = _drawn(layer, count), _x(50)
    u, v, a = np.exp(params.matrix.log_u), np.exp(params.matrix.log_v), params.inputs
    kernel = a * u @ a.T + JITTER * np.eye(count)
    t = x * u @ a.T
    mean = x @ params.matrix.mu + t @ np.linalg.solve(kernel, params.outputs - a @ params.matrix.mu)
    row_variance = np.sum(x * x * u, axis=1) - np.sum(t * np.linalg.solve(kernel, t.T).T, axis=1)
    got = layer.moments(params, x)
    np.testing.assert_allclose(got[0], mean, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(got[1], np.outer(row_variance, v), rtol=1e-10)
    assert np.all(got[1] <= layer.matrix.moments(params.matrix, x)[1])
    _, covariance = pseudo_data.weights_given_outputs(_given(params), JITTER)
    assert np.linalg.eigvalsh(covariance)[0] > 0


def test_the_variance_stays_above_zero_where_the_difference_of_the_paper_does_not() -> None:
    """In float32, at a pseudo-input and a jitter below the rounding of `x^2 u`."""
    layer = PseudoData(Dense(8, 1), 1, jitter=1e-6)
    params = tree.map(lambda leaf: leaf.astype(np.float32), _drawn(layer, 3))
    x, u = params.inputs, np.exp(params.matrix.log_u)
    t = x * u @ x.T
    difference = np.sum(x * x * u, axis=1) - t[0] * t[0] / (t[0] + np.float32(1e-6))
    assert difference[0] == 0 or abs(difference[0] / 1e-6 - 1) > 0.1
    variance = layer.moments(params, x)[1][0, 0] / np.exp(params.matrix.log_v[0])
    np.testing.assert_allclose(variance, 1e-6, rtol=1e-2)


@pytest.mark.parametrize("estimator", [estimators.Shared(), estimators.Flipout(), estimators.Local()], ids=repr)
def test_every_estimator_draws_the_law_of_the_weights_given_the_outputs(estimator: Any) -> None:
    """One example's outputs are linear in each number of the noise: over all its signs, their covariance is exact."""
    layer = PseudoData(Dense(2, 2), 1, estimator, jitter=JITTER)
    params, x = _drawn(layer), np.array([[0.5, -1.25]])
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    leaves = tree.leaves(noise)
    ends = np.cumsum([leaf.size for leaf in leaves])
    outputs = []
    for signs in sign_vectors(int(ends[-1])):
        parts = [p.reshape(leaf.shape) for p, leaf in zip(np.split(signs, ends[:-1]), leaves, strict=True)]
        outputs.append(layer.forward(params, tree.unflatten(noise, iter(parts)), x)[0][0])
    mean, covariance = pseudo_data.moments(x, pseudo_data.weights_given_outputs(_given(params), JITTER), 2)
    np.testing.assert_allclose(np.mean(outputs, axis=0), mean[0], rtol=1e-12)
    np.testing.assert_allclose(np.cov(np.stack(outputs).T, bias=True), covariance[0], rtol=1e-12, atol=1e-14)


def test_two_ways_to_the_conditional_law_agree() -> None:
    """The oracle's own third way: weights drawn by Matheron's rule have the covariance that conditioning gives."""
    params = _drawn(PseudoData(DENSE, 2))
    mean, covariance = pseudo_data.weights_given_outputs(_given(params), JITTER)
    at = [np.ravel(pseudo_data.sampled_weights(_given(params), JITTER, e.reshape(5, 2))) for e in np.eye(10)]
    center = np.ravel(pseudo_data.sampled_weights(_given(params), JITTER, np.zeros((5, 2))))
    np.testing.assert_allclose(center, mean, rtol=1e-11)
    root = np.stack(at) - center
    np.testing.assert_allclose(root.T @ root, covariance, rtol=1e-10, atol=1e-13)


def test_more_data_never_widen_the_law() -> None:
    """The covariance of the weights given more outputs is below that given fewer, as matrices are."""
    params = _drawn(PseudoData(DENSE, 3))
    first = params._replace(inputs=params.inputs[:1], outputs=params.outputs[:1])
    fewer = pseudo_data.weights_given_outputs(_given(first), JITTER)[1]
    more = pseudo_data.weights_given_outputs(_given(params), JITTER)[1]
    assert np.linalg.eigvalsh(fewer - more)[0] > -1e-12
    before = matrix_gaussian.covariance(np.diag(np.exp(params.matrix.log_u)), np.diag(np.exp(params.matrix.log_v)))
    assert np.linalg.eigvalsh(before - fewer)[0] > -1e-12


def test_fresh_pseudo_data_leave_the_mean_where_it_is() -> None:
    layer, x = PseudoData(DENSE, 4), _x()
    params = layer.init(host_rng(0), like=x)
    np.testing.assert_allclose(layer.predict(params, x), x @ params.matrix.mu, rtol=1e-11)
    assert np.all(layer.moments(params, x)[1] < layer.matrix.moments(params.matrix, x)[1])


def test_positions_share_the_weights_and_their_pseudo_data() -> None:
    """`(n, t, i)`: each position as an input of its own, with the gradients of the parameters summed over all."""
    layer = PseudoData(DENSE, 2, jitter=JITTER)
    params, x = _drawn(layer), _x(6).reshape(2, 3, 3)
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    y, residuals = layer.forward(params, noise, x)
    flat = noise._replace(estimator=noise.estimator._replace(zeta=noise.estimator.zeta.reshape(6, 2)))
    want, of_flat = layer.forward(params, flat, x.reshape(6, 3))
    np.testing.assert_allclose(y.reshape(6, 2), want, rtol=1e-12)
    grads, flat_grads = layer.backward(residuals, y), layer.backward(of_flat, want)
    for got, expected in zip(tree.leaves(grads), tree.leaves(flat_grads), strict=True):
        np.testing.assert_allclose(got, expected.reshape(got.shape), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("log_u", [-1e4, 0.0])
def test_rows_of_zeros_and_weights_without_noise_have_finite_gradients(log_u: float) -> None:
    """The variance is exactly 0 there, and its root has no slope."""
    layer = PseudoData(DENSE, 2, jitter=JITTER)
    params, x = _drawn(layer), _x() * np.array([[0.0], [1.0], [0.0], [1.0]])
    params = params._replace(matrix=params.matrix._replace(log_u=np.full(3, log_u)))
    y, residuals = layer.forward(params, layer.draw(host_rng(0), params, x.shape, like=x), x)
    assert np.all(y[0] == 0)
    grads = layer.backward(residuals, np.ones_like(y))
    assert all(np.all(np.isfinite(leaf)) for leaf in tree.leaves(grads))
    if log_u < 0:  # nothing is uncertain, so that nothing is learned from pseudo-data
        np.testing.assert_array_equal(y, x @ params.matrix.mu)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_it_trains(name: str) -> None:
    """On every backend's own form of the layer: the loss of a network with pseudo-data falls, and stays finite."""
    where = backend(name)
    x = where.asarray(np.linspace(-2, 2, 64)[:, None])
    y = where.asarray(np.sin(2 * np.linspace(-2, 2, 64))[:, None])
    net = bn.networks.mlp(lambda m: bn.variational_matrix_gaussian(m, pseudo_data=3), (1, 8, 1))
    state = bn.fit(
        where.accelerate(net),
        bn.losses.LearnedGaussian(),
        x,
        y,
        rng=where.rng(0, x),
        optimizer=bn.optimizers.adam(2e-2),
        epochs=30,
        batch_size=32,
        compile=where.compile,
    )
    losses = [epoch.loss for epoch in state.history]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: PseudoData(maps.Conv(1, 1, (2,)), 1), TypeError, "map is Conv.*expected Dense"),  # type: ignore[arg-type]
        (lambda: PseudoData(DENSE, 0), ValueError, "count is 0, expected at least 1"),
        (lambda: PseudoData(DENSE, 1.5), TypeError, "count is 1.5, expected an integer"),  # type: ignore[arg-type]
        (lambda: PseudoData(DENSE, 1, jitter=0.0), ValueError, "jitter is 0.0, expected a finite number above 0"),
        (lambda: PseudoData(DENSE, 1, initial_scale=-1.0), ValueError, "initial_scale is -1.0"),
        (lambda: PseudoData(DENSE, 1, divergence=ScaleMixture()), ValueError, "a Monte Carlo one: expected a closed"),
        (lambda: PseudoData(DENSE, 1, estimators.Plain()), ValueError, "it drops the randomness"),
        (lambda: methods.variational_matrix_gaussian(DENSE, pseudo_data=-1), ValueError, "pseudo_data is -1"),
        (
            lambda: methods.variational_matrix_gaussian(maps.Conv(1, 1, (2,)), pseudo_data=2),
            TypeError,
            "map is Conv.*expected Dense: pseudo-data are inputs of a product with the weights",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_it_is_a_record() -> None:
    layer = PseudoData(DENSE, 2, divergence=GaussianKL(0.5))
    assert layer == PseudoData(DENSE, 2, divergence=GaussianKL(0.5))
    assert hash(layer) == hash(PseudoData(DENSE, 2, divergence=GaussianKL(0.5)))
    assert not layer.traits.independent


@pytest.mark.parametrize("k", [1, 2, 5])
def test_cholesky_factor(namespace: Namespace, k: int) -> None:
    a = np.random.default_rng(k).standard_normal((k, k + 2)).astype(np.float32).astype(np.float64)
    s = (a @ a.T).astype(np.float32).astype(np.float64)
    got = namespace.run(cholesky_factor, namespace.asarray(s))
    want = np.linalg.cholesky(s)
    # The backward error of the factorisation, amplified by the condition number.
    assert_close(got, want, 4 * namespace.eps * float(np.linalg.cond(s)), namespace, size=float(np.max(np.abs(want))))
