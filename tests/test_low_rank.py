"""A covariance of low rank beside a diagonal: that of the outputs, the divergence, and why signs may not flip it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import dense, low_rank_gaussian
from bayesnoise_reference.numerics import sign_vectors
from cases import MAP_ORACLES
from scipy import stats

from bayesnoise import maps, methods, tree
from bayesnoise.divergences import multivariate_gaussian_kl
from bayesnoise.estimators import Flipout, Local, Plain, Shared
from bayesnoise.low_rank import LowRank

DENSE = maps.Dense(2, 2)


def _drawn(layer: Any, seed: int = 0) -> Any:
    return random_params(layer, np.random.default_rng(seed))


def _outputs(layer: Any, params: Any, x: Any) -> Any:
    """One row a vector of signs for all the noise: the output has degree 1 in each number, so they have its moments."""
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    leaves = tree.leaves(noise)
    ends = np.cumsum([leaf.size for leaf in leaves])
    rows = []
    for signs in sign_vectors(int(ends[-1])):
        parts = np.split(signs, ends[:-1])
        replaced = [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
        rows.append(np.ravel(layer.forward(params, tree.unflatten(noise, iter(replaced)), x)[0]))
    return np.stack(rows)


@pytest.mark.parametrize(
    "layer",
    [
        LowRank(DENSE, 2),
        LowRank(DENSE, 1, Shared()),
        LowRank(maps.Dense(2, 1), 1, Flipout()),
        LowRank(maps.Conv(1, 1, (2,)), 2, Shared()),
        LowRank(maps.Conv(1, 1, (2,)), 1, Flipout()),
    ],
    ids=repr,
)
def test_outputs_of_an_example_have_the_covariance_of_the_weights(layer: LowRank) -> None:
    """All pairs of outputs, positions included: `c_a' Sigma c_b` with their coefficients."""
    x = np.random.default_rng(1).standard_normal((1, 2) if isinstance(layer.map, maps.Dense) else (1, 1, 3))
    params = _drawn(layer)
    contract = MAP_ORACLES[type(layer.map)](layer.map).contract
    shape = layer.map.weight_shape
    units = np.eye(int(np.prod(shape)))
    coefficients = np.stack([np.ravel(contract(x[0], np.reshape(w, shape))) for w in units])
    want = coefficients.T @ low_rank_gaussian.covariance(params.diagonal.log_sigma, params.factor) @ coefficients
    np.testing.assert_allclose(np.cov(_outputs(layer, params, x).T, bias=True), want, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("bias", ["deterministic", "random"])
def test_with_a_bias_the_outputs_have_the_moments(bias: Any) -> None:
    """Each output is normal, so that mean and variance are its law: both over all signs of all the noise, exactly."""
    layer: Any = methods.low_rank_gaussian(maps.Dense(2, 1), rank=2, bias=bias)
    x = np.random.default_rng(1).standard_normal((2, 2))
    params = _drawn(layer)
    outputs = _outputs(layer, params, x)
    mean, variance = layer.moments(params, x)
    np.testing.assert_allclose(outputs.mean(axis=0), mean[:, 0], rtol=1e-13)
    np.testing.assert_allclose(outputs.var(axis=0), variance[:, 0], rtol=1e-13)


def test_draws_with_a_random_bias_have_their_exact_law() -> None:
    """One output is one normal number: z and chi-square laws, each with an error of 1e-6."""
    layer: Any = methods.low_rank_gaussian(maps.Dense(2, 1), rank=2, bias="random")
    x, n = np.tile([[0.5, -2.0]], (2000, 1)), 2000
    params = _drawn(layer)
    y, _ = layer.forward(params, layer.draw(host_rng(5), params, x.shape, like=x), x)
    mean, variance = layer.moments(params, x[:1])
    z = (y[:, 0] - mean[0, 0]) / np.sqrt(variance[0, 0])
    assert abs(z.sum()) / np.sqrt(n) < stats.norm.isf(0.5e-6)
    low, high = stats.chi2.ppf([0.5e-6, 1 - 0.5e-6], n)
    assert low < np.sum(z * z) < high


def test_local_noise_of_a_convolution_keeps_the_correlation_of_the_factor_alone() -> None:
    """Each output has its variance; between positions the part of the diagonal is missing, as the docs say."""
    layer = LowRank(maps.Conv(1, 1, (2,)), 1, Local())
    x = np.ones((1, 1, 3))
    params = _drawn(layer)
    got = np.cov(_outputs(layer, params, x).T, bias=True)
    along = float(np.sum(params.factor))
    variance = along**2 + float(np.sum(np.exp(2.0 * params.diagonal.log_sigma)))
    np.testing.assert_allclose(got, [[variance, along**2], [along**2, variance]], rtol=1e-12)


def test_examples_are_independent_under_local() -> None:
    layer, x = LowRank(maps.Dense(2, 1), 1), np.random.default_rng(2).standard_normal((2, 2))
    outputs = _outputs(layer, _drawn(layer), x)
    assert abs(np.cov(outputs.T, bias=True)[0, 1]) < 1e-14


def test_signs_would_destroy_the_correlation() -> None:
    """Over the signs of flipout the covariance keeps its diagonal and nothing else; so the law says that it is not
    independent, and Flipout refuses it.
    """
    layer = LowRank(DENSE, 2)
    params = _drawn(layer)
    full = low_rank_gaussian.covariance(params.diagonal.log_sigma, params.factor)
    patterns = [np.ravel(dense.sign_pattern(signs[:2], signs[2:])) for signs in sign_vectors(4)]
    flipped = np.mean([full * np.outer(e, e) for e in patterns], axis=0)
    np.testing.assert_allclose(flipped, np.diag(np.diag(full)), atol=1e-15)
    assert np.max(np.abs(full - flipped)) > 0.5
    assert "destroy the correlation" in str(Flipout().refusal(layer.traits))
    assert Local().refusal(layer.traits) is not None
    assert Shared().refusal(layer.traits) is None


@pytest.mark.parametrize(("rank", "prior_scale"), [(1, 1.0), (3, 0.5), (4, 2.0)])
def test_the_divergence_is_that_of_the_dense_covariance(rank: int, prior_scale: float) -> None:
    """Against the divergence of two multivariate Gaussians, by Cholesky factors."""
    layer = LowRank(DENSE, rank, prior_scale=prior_scale)
    params = _drawn(layer, rank)
    factor = np.linalg.cholesky(low_rank_gaussian.covariance(params.diagonal.log_sigma, params.factor))
    want = multivariate_gaussian_kl(np.ravel(params.diagonal.mu), factor, np.zeros(4), prior_scale * np.eye(4))
    np.testing.assert_allclose(layer.kl(params), want, rtol=1e-12)


def test_only_the_covariance_matters() -> None:
    """A rotation of the factor changes neither covariance nor divergence; a factor of zeros leaves the diagonal."""
    layer = LowRank(DENSE, 2)
    params = _drawn(layer)
    c, s = np.cos(0.7), np.sin(0.7)
    turned = params._replace(factor=np.tensordot(np.array([[c, -s], [s, c]]), params.factor, 1))
    np.testing.assert_allclose(layer.kl(turned), layer.kl(params), rtol=1e-13)
    np.testing.assert_allclose(layer.moments(turned, np.eye(2))[1], layer.moments(params, np.eye(2))[1], rtol=1e-13)
    none = params._replace(factor=np.zeros_like(params.factor))
    np.testing.assert_allclose(layer.kl(none), layer.diagonal.kl(params.diagonal), rtol=1e-14)
    assert np.all(layer.kl_grad(none).factor == 0)


def test_fresh_parameters() -> None:
    """Half of the expected variance is the factor's, whatever the rank: its entries are those of the draw, scaled."""
    for rank in (1, 4):
        params = LowRank(DENSE, rank, initial_scale=0.2).init(host_rng(0), like=np.ones(()))
        drawn = host_rng(0).split(2)[1].normal((rank, 2, 2), like=np.ones(()))
        np.testing.assert_allclose(params.factor, 0.2 / np.sqrt(rank) * drawn, rtol=1e-14)
        np.testing.assert_allclose(np.exp(params.diagonal.log_sigma), 0.2, rtol=1e-14)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: LowRank(DENSE, 0), ValueError, "rank is 0, expected at least 1"),
        (lambda: LowRank(DENSE, 5), ValueError, "rank is 5, expected at most 4, the largest rank for Dense"),
        (lambda: LowRank(DENSE, 1.0), TypeError, "rank is 1.0, expected an integer"),  # type: ignore[arg-type]
        (lambda: LowRank(DENSE, 1, prior_scale=0.0), ValueError, "prior_scale is 0.0"),
        (lambda: LowRank(DENSE, 1, initial_scale=-1.0), ValueError, "initial_scale is -1.0"),
        (lambda: LowRank(DENSE, 1, Plain()), ValueError, "it drops the randomness"),
        (lambda: methods.low_rank_gaussian(DENSE, rank=9), ValueError, "rank is 9, expected at most 4"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_noise_of_another_rank_is_refused() -> None:
    layer, x = LowRank(DENSE, 2), np.ones((3, 2))
    params = layer.init(host_rng(0), like=x)
    noise = LowRank(DENSE, 1).draw(host_rng(0), params, x.shape, like=x)
    with pytest.raises(ValueError, match=r"noise.e has shape \(3, 1\), expected \(3, 2\)"):
        layer.forward(params, noise, x)


def test_a_layer_of_one_weight_has_rank_one() -> None:
    assert methods.low_rank_gaussian(maps.Dense(1, 1), bias="none") == LowRank(maps.Dense(1, 1), 1)
