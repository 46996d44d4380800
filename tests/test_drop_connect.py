"""DropConnect: its two points, its law by enumeration, and which estimators may carry it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import dense, drop_connect
from bayesnoise_reference.numerics import masks, sign_vectors

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.divergences import ARD, GaussianKL, Laplace, LogUniform, ScaleMixture, Zero
from bayesnoise.estimators import Estimator, Flipout, FlipoutNoise, Local, PerExample, Shared, SharedNoise
from bayesnoise.posteriors import DropConnect, Multiplicative, MultiplicativeParams, PointParams, TwoPoint
from bayesnoise.stochastic import Stochastic, StochasticNoise

DENSE = maps.Dense(2, 2)
THETA = np.array([[0.7, -1.3], [0.4, 2.0]])


@dataclass(frozen=True)
class Grid:
    """A generator whose uniform numbers are `k / size`."""

    def uniform(self, shape: Shape, *, like: Any) -> Any:
        return np.arange(prod(shape)).reshape(shape) / prod(shape)


@pytest.mark.parametrize("rate", [0.125, 0.5, 0.875])
def test_the_two_points_have_mean_0_and_variance_1(rate: float) -> None:
    """Over the grid `k / 8`, exactly the rate of it falls on the lower point, and a weight there is 0."""
    eps = TwoPoint(rate).draw(Grid(), (8,), like=np.ones(()))  # type: ignore[arg-type]
    assert np.mean(eps < 0) == rate
    np.testing.assert_allclose([np.mean(eps), np.mean(eps**2)], [0.0, 1.0], rtol=0, atol=1e-15)
    posterior, params = DropConnect(rate), PointParams(np.array([-3.0]))
    w = posterior.mean(params) + posterior.scale(params) * eps
    np.testing.assert_allclose(w, np.where(eps < 0, 0.0, -3.0 / (1 - rate)), rtol=1e-15, atol=1e-15)


def outputs_of_masks(rate: float) -> tuple[Any, Any]:
    """The weights of every mask, as the layer has them, and their probabilities."""
    rows, chances = masks(4, 1 - rate)
    layer = Stochastic(DENSE, DropConnect(rate), Shared(), Zero())
    eps = np.where(rows == 1, TwoPoint(rate).deviation, -1 / TwoPoint(rate).deviation).reshape(-1, 2, 2)
    identity = np.eye(2)
    noises = [StochasticNoise(SharedNoise(e), None) for e in eps]
    return np.stack([layer.forward(PointParams(THETA), noise, identity)[0] for noise in noises]), chances


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_outputs_share_no_mask(rate: float) -> None:
    """Two outputs of one example are uncorrelated, unlike those of dropout, and their third moment is skewed."""
    w, chances = outputs_of_masks(rate)
    x = np.array([1.5, -0.5])
    y = x @ w
    centred = y - chances @ y
    assert float(chances @ (centred[:, 0] * centred[:, 1])) == pytest.approx(0.0, abs=1e-14)
    skew = (1 - rate) * (1 / (1 - rate) - 1) ** 3 - rate  # of the factor of one weight
    np.testing.assert_allclose(chances @ centred**3, (x**3) @ (THETA**3 * skew), rtol=1e-12, atol=1e-13)
    outputs, expected = drop_connect.law(x, THETA, rate, dense.output)
    np.testing.assert_allclose(y, outputs, atol=1e-14)
    np.testing.assert_allclose(chances, expected)


def weights_under_flipout(posterior: Any, params: Any, eps: Any) -> list[Any]:
    """The weights of one example for each vector of signs of 2 inputs and 2 outputs."""
    layer = Stochastic(DENSE, posterior, Flipout(), Zero())
    found = []
    for signs in sign_vectors(4):
        noise = FlipoutNoise(eps, np.tile(signs[None, :2], (2, 1)), np.tile(signs[None, 2:], (2, 1)))
        found.append(layer.forward(params, StochasticNoise(noise, None), np.eye(2))[0])
    return found


def test_flipout_of_half_has_the_law_of_masks() -> None:
    """By enumeration: over the base mask and the signs, every mask of one example comes equally often."""
    counts: Counter[bytes] = Counter()
    for eps in sign_vectors(4):
        for w in weights_under_flipout(DropConnect(0.5), PointParams(THETA), eps.reshape(2, 2)):
            kept = w != 0
            np.testing.assert_array_equal(w[kept], 2 * THETA[kept])
            counts[kept.tobytes()] += 1
    assert len(counts) == 16
    assert set(counts.values()) == {16}


def test_flipout_of_half_has_unbiased_gradients() -> None:
    """The mean gradient of a cubic loss, over all noise of one example, is that of all masks."""
    x = np.array([[1.5, -0.5]])

    def gradient(layer: Stochastic, noise: Any) -> Any:
        y, residuals = layer.forward(PointParams(THETA), StochasticNoise(noise, None), x)
        return layer.backward(residuals, 3 * y**2)[1].theta

    flipped = Stochastic(DENSE, DropConnect(0.5), Flipout(), Zero())
    plain = Stochastic(DENSE, DropConnect(0.5), Shared(), Zero())
    grids = [eps.reshape(2, 2) for eps in sign_vectors(4)]
    by_flipout = [
        gradient(flipped, FlipoutNoise(eps, signs[None, :2], signs[None, 2:]))
        for eps, signs in product(grids, sign_vectors(4))
    ]
    by_mask = [gradient(plain, SharedNoise(eps)) for eps in grids]
    np.testing.assert_allclose(np.mean(by_flipout, axis=0), np.mean(by_mask, axis=0), rtol=1e-12)


def test_flipout_carries_multiplicative_noise() -> None:
    """Given eps, signs have mean 0: the mean over them is theta, the second moment that of the perturbation."""
    eps = np.array([[0.3, -1.1], [0.8, 0.2]])
    params = MultiplicativeParams(THETA, np.log([[0.5, 0.1], [2.0, 1.0]]))
    w = np.stack(weights_under_flipout(Multiplicative(), params, eps))
    np.testing.assert_allclose(np.mean(w, axis=0), THETA, atol=1e-15)
    np.testing.assert_allclose(np.var(w, axis=0), np.exp(params.log_alpha) * THETA**2 * eps**2, rtol=1e-14)


def test_flips_of_another_rate_would_be_biased() -> None:
    """Why they are refused: at rate 0.2 a flipped factor keeps mean and variance, and has another law."""
    low, high, rate = -1.0, 0.25, 0.2
    factors = {1 + low: rate, 1 + high: 1 - rate}
    flipped = [(1 + s * e, p / 2) for s in (-1, 1) for e, p in ((low, rate), (high, 1 - rate))]

    def mean(law: Any, function: Any) -> float:
        return float(sum(p * function(w) for w, p in law))

    for function, same in ((lambda w: w, True), (lambda w: w**2, True), (np.exp, False)):
        assert (abs(mean(factors.items(), function) - mean(flipped, function)) < 1e-14) == same


@pytest.mark.parametrize("estimator", [Shared(), PerExample()])
def test_masks_are_one_a_call_or_one_an_example(estimator: Any) -> None:
    layer: Any = methods.drop_connect(maps.Dense(30, 20), rate=0.5, estimator=estimator, bias="none")
    x = np.tile(np.linspace(-1, 1, 30), (3, 1))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(1), params, x.shape, like=x)
    y, _ = layer.forward(params, noise, x)
    assert bool(np.all(y[0] == y[1])) == isinstance(estimator, Shared)


@pytest.mark.parametrize("estimator", [Shared(), PerExample(), Local(moment_matching=True)])
def test_a_random_bias_has_masks_too(estimator: Any) -> None:
    layer: Any = methods.drop_connect(DENSE, rate=0.25, estimator=estimator, bias="random", prior_scale=1.0)
    x = np.zeros((500, 2))
    params = layer.init(host_rng(0), like=x)
    params = params._replace(bias=PointParams(np.array([3.0, -3.0])))
    y, _ = layer.forward(params, layer.draw(host_rng(1), params, x.shape, like=x), x)
    values = len(np.unique(np.round(y, 9)))
    assert values == {Shared: 2, PerExample: 3, Local: 1000}[type(estimator)]
    assert float(layer.kl(params)) == pytest.approx((np.sum(params.weight.theta**2) + 18.0) / (2 * 0.75), rel=1e-14)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: methods.drop_connect(DENSE, rate=0.0), ValueError, "rate is 0.0, expected a probability strictly"),
        (lambda: DropConnect(1.0), ValueError, "rate is 1.0, expected a probability strictly between 0 and 1"),
        (lambda: TwoPoint(float("nan")), ValueError, "rate is nan"),
        (
            lambda: methods.drop_connect(DENSE, rate=0.2, estimator=Flipout()),
            ValueError,
            "random signs make its perturbation symmetric, which it is not: use Shared or PerExample",
        ),
        (
            lambda: methods.drop_connect(DENSE, estimator=Local()),
            ValueError,
            "an output is not Gaussian when its weights are not: use .*moment_matching=True",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize("divergence", [GaussianKL(), Laplace(), LogUniform(), ARD(), ScaleMixture()])
def test_divergences_of_densities_are_refused(divergence: Any) -> None:
    layer = Stochastic(DENSE, DropConnect(0.5), Shared(), divergence)
    noise = layer.draw(host_rng(0), PointParams(THETA), (2, 2), like=THETA)
    for call in (layer.kl, layer.kl_grad):
        with pytest.raises(TypeError, match="has no density: use a divergence of the mean alone, L2 or Zero"):
            call(PointParams(THETA), noise)


@pytest.mark.parametrize(("rate", "named"), [(0.5, "Shared, PerExample or Flipout"), (0.2, "Shared or PerExample")])
def test_what_a_refusal_names_is_not_refused_itself(rate: float, named: str) -> None:
    """Random signs make masks of masks at rate 1/2 alone."""
    with pytest.raises(ValueError, match=f"use {named}, or moment_matching=True"):
        methods.drop_connect(DENSE, rate=rate, estimator=Local())
    every: dict[str, Estimator] = {"Shared": Shared(), "PerExample": PerExample(), "Flipout": Flipout()}
    for name in named.replace(" or ", ", ").split(", "):
        methods.drop_connect(DENSE, rate=rate, estimator=every[name])
