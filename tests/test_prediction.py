"""Passes through a network, and the networks themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import backend, host_rng
from scipy import stats

from bayesnoise import methods
from bayesnoise.layer import Layer
from bayesnoise.losses import Categorical, Gaussian, Heteroscedastic, LearnedGaussian, LearnedGaussianParams
from bayesnoise.maps import Dense, Map
from bayesnoise.networks import conv_net, mlp
from bayesnoise.objective import ModelParams
from bayesnoise.prediction import predict_classification, predict_regression, sample

X = np.random.default_rng(0).standard_normal((7, 3))


def flipout(map: Map) -> Layer:
    return methods.flipout(map, initial_scale=0.3)


@pytest.mark.parametrize("entry", methods.METHODS, ids=lambda m: m.name)
def test_every_method_makes_both_networks(entry: methods.Method) -> None:
    assert mlp(entry.build, (3, 5, 4, 2)).output_shape((7, 3)) == (7, 2)
    net = conv_net(entry.build, (1, 8, 8), 10, channels=(2, 3), hidden=(4,))
    params = net.init(host_rng(0), like=X)
    images = np.random.default_rng(1).standard_normal((3, 1, 8, 8))
    noise = net.draw(host_rng(1), params, images.shape, like=images)
    assert net.forward(params, noise, images)[0].shape == (3, 10)


def test_sizes_that_make_no_network_are_refused() -> None:
    with pytest.raises(ValueError, match="at least the features of the input and of the output"):
        mlp(flipout, (3,))
    with pytest.raises(ValueError, match="sizes is 0"):
        mlp(flipout, (3, 0, 1))
    with pytest.raises(ValueError, match="too small to be halved 2 times"):
        conv_net(flipout, (1, 3, 3), 2)
    with pytest.raises(ValueError, match=r"expected \(channels, height, width\)"):
        conv_net(flipout, (8, 8), 2)


def test_passes_are_independent_draws_and_repeat_with_their_source() -> None:
    net = mlp(flipout, (3, 4, 2))
    params = net.init(host_rng(0), like=X)
    f = sample(net, params, X, rng=host_rng(1), samples=5)
    assert f.shape == (5, 7, 2)
    assert len({row.tobytes() for row in f}) == 5
    np.testing.assert_array_equal(f, sample(net, params, X, rng=host_rng(1), samples=5))


def test_batches_change_the_draws_alone() -> None:
    net = mlp(methods.deterministic, (3, 4, 2))
    params = net.init(host_rng(0), like=X)
    f = sample(net, params, X, rng=host_rng(1), samples=2, batch_size=3)
    np.testing.assert_allclose(f, np.broadcast_to(net.predict(params, X), f.shape), rtol=1e-14)


@pytest.mark.parametrize("method", [methods.flipout, methods.local_reparameterization])
def test_the_passes_have_the_law_of_the_layer(method: Any) -> None:
    """One output of one such layer is exactly Gaussian: z and chi-square laws, each with an error of 1e-6."""
    layer, passes = method(Dense(3, 1), initial_scale=0.3), 2000
    params = layer.init(host_rng(0), like=X)
    f = sample(layer, params, X[:1], rng=host_rng(1), samples=passes)[:, 0, 0]
    mean, variance = (float(m[0, 0]) for m in layer.moments(params, X[:1]))
    assert abs(f.mean() - mean) / np.sqrt(variance / passes) < stats.norm.isf(0.5e-6)
    low, high = stats.chi2.ppf([0.5e-6, 1 - 0.5e-6], passes)
    assert low < np.sum((f - mean) ** 2) / variance < high


@pytest.mark.parametrize(
    ("method", "batch_size", "rows"),
    [
        (methods.local_reparameterization, 4096, [35]),
        (methods.local_reparameterization, 14, [14, 14, 7]),
        (methods.local_reparameterization, 4, [4, 3] * 5),
        (methods.flipout, 4096, [7] * 5),
    ],
)
def test_passes_go_together_where_examples_have_noise_of_their_own(
    method: Any, batch_size: int, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    net, seen = mlp(method, (3, 4, 2)), []
    params, forward = net.init(host_rng(0), like=X), type(net).forward

    def counted(self: Any, params: Any, noise: Any, x: Any) -> Any:
        if self == net:
            seen.append(x.shape[0])
        return forward(self, params, noise, x)

    monkeypatch.setattr(type(net), "forward", counted)
    f = sample(net, params, X, rng=host_rng(1), samples=5, batch_size=batch_size)
    assert seen == rows
    assert f.shape == (5, 7, 2)
    assert len({row.tobytes() for row in f}) == 5


@pytest.mark.parametrize("loss", [Gaussian(0.5), Heteroscedastic(), LearnedGaussian()])
def test_regression_comes_back_in_the_units_of_the_target(loss: Gaussian | Heteroscedastic | LearnedGaussian) -> None:
    net = mlp(flipout, (3, 4, loss.output_features(1)))
    params = ModelParams(net.init(host_rng(0), like=X), loss.init(like=X))
    plain = predict_regression(net, loss, params, X, rng=host_rng(1), samples=4)
    scaled = predict_regression(net, loss, params, X, rng=host_rng(1), samples=4, target_mean=10.0, target_scale=3.0)
    np.testing.assert_allclose(scaled.means, 10 + 3 * plain.means, rtol=1e-14)
    np.testing.assert_allclose(scaled.variances, 9 * plain.variances, rtol=1e-14)
    u = scaled.uncertainty()
    np.testing.assert_allclose(u.total_variance, scaled.means.var(axis=0) + scaled.variances.mean(axis=0), rtol=1e-12)
    assert np.all((u.lower < u.mean) & (u.mean < u.upper))


def test_learned_noise_is_the_aleatoric_variance() -> None:
    net, loss = mlp(methods.deterministic, (3, 1)), LearnedGaussian()
    params = ModelParams(net.init(host_rng(0), like=X), LearnedGaussianParams(np.asarray(np.log(0.7))))
    u = predict_regression(net, loss, params, X, rng=host_rng(1), samples=3).uncertainty()
    np.testing.assert_allclose(u.aleatoric_variance, 0.49, rtol=1e-14)
    np.testing.assert_allclose(u.epistemic_variance, 0, atol=1e-30)


def test_classification_averages_probabilities() -> None:
    net, loss = mlp(flipout, (3, 4, 3)), Categorical()
    params = ModelParams(net.init(host_rng(0), like=X), loss.init(like=X))
    passes = predict_classification(net, loss, params, X, rng=host_rng(1), samples=6)
    assert passes.log_probabilities.shape == (6, 7, 3)
    c = passes.uncertainty()
    np.testing.assert_allclose(c.probabilities, np.exp(passes.log_probabilities).mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(c.predictive_entropy, c.expected_entropy + c.mutual_information, rtol=1e-12)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_passes_come_to_the_host_from_any_backend(name: str) -> None:
    where, host = backend(name), backend("numpy")
    net = mlp(methods.deterministic, (3, 4, 2))
    here = net.init(host_rng(0), like=host.asarray(X))
    x = where.asarray(X)
    there = net.init(host_rng(0), like=x)
    f = sample(net, there, x, rng=where.rng(0, x), samples=2, to_host=where.to_host)
    assert type(f) is np.ndarray
    np.testing.assert_allclose(f[0], net.predict(here, host.asarray(X)), rtol=1e-5, atol=1e-6)


def test_numbers_of_passes_are_checked() -> None:
    net = mlp(flipout, (3, 1))
    params = net.init(host_rng(0), like=X)
    with pytest.raises(ValueError, match="samples is 0, expected at least 1"):
        sample(net, params, X, rng=host_rng(0), samples=0)
    with pytest.raises(TypeError, match="x has dtype int64"):
        sample(net, params, X.astype(np.int64), rng=host_rng(0), samples=1)
