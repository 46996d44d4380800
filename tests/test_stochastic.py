"""What `Stochastic` and `Affine` promise beside their output: moments, noise, fresh parameters and divergences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, gradient, random_params, run
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import divergences as reference
from bayesnoise_reference.numerics import sign_vectors
from cases import MAPS, POSTERIORS, name_of, oracle_law
from namespaces import Namespace, to_numpy

from bayesnoise import maps, tree
from bayesnoise.affine import Affine, AffineParams
from bayesnoise.divergences import ARD, L2, GaussianKL, Laplace, LogUniform, ScaleMixture, Zero
from bayesnoise.estimators import Flipout, Local, Plain, Shared
from bayesnoise.posteriors import Additive, Gaussian, LogSigmaGaussian, Multiplicative, Point
from bayesnoise.stochastic import Stochastic

RANDOM = [p for p in POSTERIORS if p.traits.random]
TINY: list[tuple[Any, tuple[int, ...]]] = [
    (maps.Dense(2, 1), (1, 2)),
    (maps.Conv(1, 1, (2,), padding=1), (1, 1, 2)),
    (maps.ConvTranspose(1, 1, (2,), stride=2), (1, 1, 2)),
]


@pytest.mark.parametrize("with_bias", [False, True], ids=["none", "random"])
@pytest.mark.parametrize("estimator", [Shared(), Flipout(), Local()], ids=name_of)
@pytest.mark.parametrize(("m", "x_shape"), TINY, ids=[name_of(m) for m, _ in TINY])
def test_moments_are_those_of_the_output(m: Any, x_shape: tuple[int, ...], estimator: Any, with_bias: bool) -> None:
    """By enumeration: the output is linear in each number of the noise, so signs have the moments of normal numbers."""
    weight = Stochastic(m, Gaussian(), estimator, Zero())
    layer = Affine(weight, Stochastic(m.bias(), Gaussian(), estimator, Zero())) if with_bias else weight
    rng = np.random.default_rng(0)
    params, x = random_params(layer, rng), rng.standard_normal(x_shape)
    noise = layer.draw(host_rng(0), params, x_shape, like=x)
    leaves = tree.leaves(noise)
    ends = np.cumsum([leaf.size for leaf in leaves])
    outputs = []
    for signs in sign_vectors(int(ends[-1])):
        parts = np.split(signs, ends[:-1])
        replaced = [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
        outputs.append(layer.forward(params, tree.unflatten(noise, iter(replaced)), x)[0])
    mean, variance = layer.moments(params, x)
    np.testing.assert_allclose(np.mean(outputs, axis=0), mean, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.var(outputs, axis=0), variance, rtol=1e-12)


@pytest.mark.parametrize("estimator", [Shared(), Flipout(), Local()], ids=name_of)
@pytest.mark.parametrize(("m", "x_shape"), MAPS, ids=[name_of(m) for m, _ in MAPS])
def test_noise_belongs_to_the_namespace(namespace: Namespace, m: Any, x_shape: tuple[int, ...], estimator: Any) -> None:
    layer = Stochastic(m, Gaussian(), estimator, Zero())
    x = namespace.asarray(np.ones(x_shape))
    params = layer.init(host_rng(1), like=x)
    noise = layer.draw(host_rng(2), params, x_shape, like=x)
    expected = layer.draw(host_rng(2), params, x_shape, like=np.ones(x_shape))
    for leaf in tree.leaves(params):
        assert namespace.owns(leaf)
        assert tuple(leaf.shape) == m.weight_shape
    assert_trees_close(noise, expected, namespace.eps, namespace)
    if isinstance(estimator, Flipout):
        for signs in (noise.estimator.sign_in, noise.estimator.sign_out):
            assert set(np.unique(to_numpy(signs))) <= {-1.0, 1.0}
        assert (noise.estimator.sign_in.shape, noise.estimator.sign_out.shape) == m.sign_shapes(x_shape)


@pytest.mark.parametrize("posterior", POSTERIORS, ids=name_of)
def test_fresh_parameters(namespace: Namespace, posterior: Any) -> None:
    """The initial scale is the one asked for, and the divergence of the types of the parameters."""
    wide = {
        Gaussian: Gaussian(initial_scale=0.3),
        LogSigmaGaussian: LogSigmaGaussian(initial_scale=0.3),
        Multiplicative: Multiplicative(initial_log_alpha=-1.0),
        Additive: Additive(initial_log_sigma2=float(np.log(0.09))),
        Point: posterior,
    }[type(posterior)]
    like = namespace.asarray(np.ones(()))
    params = wide.init(host_rng(0), maps.Dense(3, 2), like=like)
    assert all(namespace.owns(leaf) for leaf in tree.leaves(params))
    mean = to_numpy(wide.mean(params)).astype(np.float64)
    drawn = host_rng(0).normal((3, 2), like=np.ones(())) / np.sqrt(3)
    np.testing.assert_allclose(mean, drawn, rtol=8 * namespace.eps)
    if not isinstance(posterior, Point):
        scale = np.exp(-0.5) * mean if isinstance(posterior, Multiplicative) else np.full((3, 2), 0.3)
        np.testing.assert_allclose(to_numpy(wide.scale(params)), scale, rtol=16 * namespace.eps)


def _kl(divergence: Any, mean: Any, scale: Any) -> Any:
    """The divergence by its definition."""
    return {
        GaussianKL: lambda: reference.gaussian(mean, scale, 0.2, 0.7),
        Laplace: lambda: reference.laplace(mean, scale, 0.7),
        LogUniform: lambda: reference.log_uniform(mean, scale),
        ARD: lambda: reference.ard(mean, scale),
        L2: lambda: np.sum(mean**2) / (2 * 0.7**2),
        Zero: lambda: 0.0 * np.sum(mean),
    }[type(divergence)]()


DIVERGENCES = [GaussianKL(0.7, 0.2), Laplace(0.7), LogUniform(), ARD(), L2(0.7), Zero()]


@pytest.mark.parametrize("divergence", DIVERGENCES, ids=name_of)
@pytest.mark.parametrize(
    "posterior", [*RANDOM, Multiplicative(alpha="input"), Multiplicative(alpha="output")], ids=repr
)
def test_divergence_reaches_the_parameters(posterior: Any, divergence: Any) -> None:
    """Through every coordinate of every posterior: value and gradient are those of the definition."""
    layer = Stochastic(maps.Dense(2, 2), posterior, Shared(), divergence)
    params = random_params(layer, np.random.default_rng(5))
    value = layer.kl(params)
    assert value.shape == ()
    assert float(value) == pytest.approx(
        float(np.real(_kl(divergence, *oracle_law(layer, params)))), rel=1e-11, abs=1e-12
    )
    expected = gradient(lambda p: _kl(divergence, *oracle_law(layer, p)), params)
    grad = layer.kl_grad(params)
    assert type(grad) is type(params)
    for got, want in zip(tree.leaves(grad), tree.leaves(expected), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 * max(1.0, float(np.max(np.abs(want)))))


@pytest.mark.parametrize("posterior", POSTERIORS, ids=name_of)
def test_divergence_on_every_namespace(namespace: Namespace, posterior: Any) -> None:
    estimator, divergence = (Shared(), GaussianKL(0.7, 0.2)) if posterior.traits.random else (Plain(), L2(0.7))
    weight = Stochastic(maps.Dense(3, 2), posterior, estimator, divergence)
    layer = Affine(weight, Stochastic(maps.Dense(3, 2).bias(), posterior, estimator, divergence))
    host = random_params(layer, np.random.default_rng(0))
    params = tree.map(namespace.asarray, host)
    value, grad = run(namespace, lambda p: (layer.kl(p), layer.kl_grad(p)), params)
    tolerance = 1e-13 if namespace.double else 64 * namespace.eps
    assert_close(value, layer.kl(host), tolerance, namespace)
    assert_trees_close(grad, layer.kl_grad(host), tolerance, namespace)
    assert isinstance(grad, AffineParams)


@pytest.mark.parametrize("estimator", [Shared(), Flipout(), Local()], ids=name_of)
def test_monte_carlo_divergence_uses_the_draw(estimator: Any) -> None:
    """Its weights are those of the loss where the estimator draws weights, and its own draw where it does not."""
    layer = Stochastic(maps.Dense(2, 3), Gaussian(), estimator, ScaleMixture())
    params = random_params(layer, np.random.default_rng(0))
    noise = layer.draw(host_rng(0), params, (4, 2), like=np.ones(()))
    assert noise.divergence is not None
    assert noise.divergence.shape == (2, 3)
    drawn = estimator.weight_noise(noise.estimator)
    assert (drawn is None) == isinstance(estimator, Local)
    assert drawn is None or drawn is noise.divergence
    assert layer.kl(params, noise).shape == ()
    assert type(layer.kl_grad(params, noise)) is type(params)
    for call in (layer.kl, layer.kl_grad):
        with pytest.raises(ValueError, match="noise is None, expected that of a draw"):
            call(params)
