"""Factors of groups: that two gamma laws make a half-Cauchy one, what units share, moments, and the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import bayesian_compression as reference
from bayesnoise_reference.numerics import gauss_hermite_grid, gauss_legendre

from bayesnoise import maps, tree
from bayesnoise.methods import bayesian_compression
from bayesnoise.noise import GroupFactor, HalfCauchy, NormalJeffreys

DENSE = maps.Dense(2, 2)
LAWS: list[Any] = [NormalJeffreys(), HalfCauchy(0.5)]


def small_params(layer: Any, seed: int = 0) -> Any:
    return tree.map(lambda leaf: 0.5 * leaf, random_params(layer, np.random.default_rng(seed)))


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_the_root_of_a_gamma_and_an_inverse_gamma_variable_is_half_cauchy(scale: float) -> None:
    """Densities by quadrature over log a: b is `z^2 / a`, whose density gets the Jacobian `2 z / a`."""
    log_a, weights = gauss_legendre(np.linspace(-60, 12, 145), 20)
    a = scale**2 * np.exp(log_a)
    gamma = np.exp(-0.5 * np.log(a) - a / scale**2 - 0.5 * np.log(np.pi * scale**2))
    for z in (0.1, 0.7, 2.0, 10.0):
        b = z**2 / a
        inverse = np.exp(-1.5 * np.log(b) - 1.0 / b) / np.sqrt(np.pi)
        density = np.sum(weights * a * gamma * inverse * 2.0 * z / a)
        assert density == pytest.approx(np.exp(reference.log_half_cauchy(np.array(z), scale)), rel=1e-11)


@pytest.mark.parametrize("law", LAWS, ids=["normal-Jeffreys", "half-Cauchy"])
def test_moments_are_those_of_the_draws(law: Any) -> None:
    """Over a grid of the noise of one unit and of what it shares."""
    layer = GroupFactor(1, 0, law)
    params = small_params(layer)
    x = np.array([[1.5]])
    shapes = law.noise_shapes(1, 1)
    nodes, weights = gauss_hermite_grid(40, len(shapes))
    ys = np.array([layer.forward(params, type(shapes)(*(np.array([[e]]) for e in row)), x)[0].item() for row in nodes])
    mean, variance = layer.moments(params, x)
    assert mean.item() == pytest.approx(weights @ ys, rel=1e-12)
    assert variance.item() == pytest.approx(weights @ ys**2 - (weights @ ys) ** 2, rel=1e-11)
    assert layer.predict(params, x) == mean


def test_all_units_of_an_example_share_the_half_cauchy_factor_of_their_prior() -> None:
    """Without noise of their own, the factors of two examples differ by one number, which is s."""
    layer = GroupFactor(3, 1, HalfCauchy())
    params = small_params(layer, 1)
    x = np.ones((4, 3, 5))
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    assert noise.shared_eps.shape == (4, 1)
    y, _ = layer.forward(params, noise._replace(eps=np.zeros((4, 3))), x)
    assert np.all(y == y[:, :, :1])
    ratios = y[1:, :, 0] / y[0, :, 0]
    assert np.allclose(ratios, ratios[:, :1], rtol=1e-14)
    assert len(np.unique(np.round(ratios[:, 0], 12))) == 3


@pytest.mark.parametrize("law", LAWS, ids=["normal-Jeffreys", "half-Cauchy"])
def test_fresh_factors_are_close_to_one_and_stay(law: Any) -> None:
    layer = GroupFactor(3, 0, law)
    params = layer.init(host_rng(0), like=np.ones(()))
    mean, variance = layer.moments(params, np.ones((1, 3)))
    assert np.allclose(mean, 1.0, rtol=1e-3)
    assert np.all(variance < 1e-3)
    assert np.all(law.excess(params) < 3.0)


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e3])
def test_a_fresh_half_cauchy_divergence_is_moderate_for_any_scale(scale: float) -> None:
    """Far from 1 it adds `|log scale|`: one of the two shared variables is in its heavy tail, or close to 0."""
    layer = GroupFactor(1, 0, HalfCauchy(scale))
    params = layer.init(host_rng(0), like=np.ones(()))
    at_one = GroupFactor(1, 0, HalfCauchy(1.0))
    excess = float(layer.kl(params)) - float(at_one.kl(at_one.init(host_rng(0), like=np.ones(()))))
    level = 2 * abs(np.log(scale))
    assert excess == pytest.approx(level / 2 + np.expm1(-level) * np.exp(np.exp(-9.0) / 2), rel=1e-12, abs=1e-12)


def test_half_cauchy_excess_is_minus_the_logarithm_of_the_mode() -> None:
    """The mode of the law of each factor, found on a grid of its log-normal density."""
    layer = GroupFactor(2, 0, HalfCauchy())
    params = small_params(layer, 2)
    location: Any = sum(p.mu for p in params) / 2
    sd: Any = np.sqrt(sum(np.exp(p.log_sigma) ** 2 for p in params)) / 2
    for i, excess in enumerate(layer.law.excess(params)):
        log_z = -float(excess) + np.linspace(-1e-2, 1e-2, 2001)
        log_density = -0.5 * ((log_z - location[i]) / sd[i]) ** 2 - log_z
        assert log_z[np.argmax(log_density)] == pytest.approx(-float(excess), abs=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factors_far_out_are_finite(dtype: Any) -> None:
    x = np.ones((2, 2), dtype=dtype)
    normal, horseshoe = (GroupFactor(2, 0, law) for law in LAWS)
    extremes = []
    for theta, log_sigma2 in ((0.0, -40.0), (1.0, -80.0), (-1e3, 10.0), (1e-10, 20.0)):
        p = normal.init(host_rng(0), like=x)
        extremes.append((normal, type(p)(p.theta * 0 + dtype(theta), p.log_sigma2 * 0 + dtype(log_sigma2))))
    for mean in (-40.0, 0.0, 15.0):
        q = horseshoe.init(host_rng(0), like=x)
        extremes.append((horseshoe, q._replace(gamma=q.gamma._replace(mu=q.gamma.mu + dtype(mean)))))
    for layer, params in extremes:
        y, residuals = layer.forward(params, layer.draw(host_rng(1), params, x.shape, like=x), x)
        leaves = (y, layer.backward(residuals, y), layer.kl(params), layer.kl_grad(params))
        assert all(np.all(np.isfinite(a)) and a.dtype == dtype for a in tree.leaves(leaves))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: GroupFactor(0, 0, NormalJeffreys()), ValueError, "units is 0"),
        (
            lambda: GroupFactor(2, 0, NormalJeffreys()).output_shape((1, 3)),
            ValueError,
            "expected 2 units on the last axis",
        ),
        (lambda: NormalJeffreys(float("nan")), ValueError, "initial_log_sigma2 is nan"),
        (lambda: HalfCauchy(0.0), ValueError, "scale is 0.0"),
        (lambda: bayesian_compression(DENSE, prior="cauchy"), ValueError, "prior is 'cauchy', expected one of"),  # type: ignore[arg-type]
        (lambda: bayesian_compression(DENSE, factor_scale=0.1), ValueError, "factor_scale is 0.1 with the prior"),
        (lambda: bayesian_compression(DENSE, prior="half_cauchy", factor_scale=-1.0), ValueError, "scale is -1.0"),
        (lambda: bayesian_compression(DENSE.bias()), TypeError, "map is Bias"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
