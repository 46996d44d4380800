"""A draw of the weights for each example: one example at a time on any map, and a variance that falls with n."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from cases import MAPS, name_of, representable

from bayesnoise import maps, recurrent, tree
from bayesnoise._typing import Array, Shape
from bayesnoise.divergences import GaussianKL, Zero
from bayesnoise.estimators import Estimator, PerExample, Shared
from bayesnoise.maps.each import adjoint_w_each, adjoint_x_each, apply_each
from bayesnoise.methods import compose
from bayesnoise.posteriors import Gaussian, Point
from bayesnoise.recurrent import Recurrent
from bayesnoise.stochastic import Stochastic


@dataclass(frozen=True)
class Wrapped:
    """A map of no known class: its functions are those of another."""

    inner: maps.Map

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


@pytest.mark.parametrize(("map", "x_shape"), MAPS, ids=[name_of(m) for m, _ in MAPS])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_each_example_is_a_call_of_its_own(map: maps.Map, x_shape: Shape, n: int) -> None:
    rng = np.random.default_rng(1)
    x, w = representable(rng, (n, *x_shape[1:])), representable(rng, (n, *map.weight_shape))
    g = representable(rng, map.output_shape(x.shape))
    one = (1, *x_shape[1:])
    y = [map.apply(x[i : i + 1], w[i]) for i in range(n)]
    grad_x = [map.adjoint_x(g[i : i + 1], w[i], one) for i in range(n)]
    grad_w = [map.adjoint_w(g[i : i + 1], x[i : i + 1], map.weight_shape)[None] for i in range(n)]
    for each in (map, Wrapped(map)):
        for got, want, shape in (
            (apply_each(each, x, w), y, g.shape),  # type: ignore[arg-type]
            (adjoint_x_each(each, g, w, x.shape), grad_x, x.shape),  # type: ignore[arg-type]
            (adjoint_w_each(each, g, x, w.shape), grad_w, w.shape),  # type: ignore[arg-type]
        ):
            assert got.shape == shape
            np.testing.assert_allclose(got, np.concatenate([np.zeros((0, *shape[1:])), *want]), rtol=0, atol=1e-14)


def test_equal_draws_are_a_shared_draw() -> None:
    rng = np.random.default_rng(2)
    map, x = maps.Conv(2, 3, (2, 2)), representable(rng, (4, 2, 3, 3))
    layers = [Stochastic(map, Gaussian(0.3), estimator, Zero()) for estimator in (PerExample(), Shared())]
    params = layers[0].init(host_rng(0), like=x)
    shared = layers[1].draw(host_rng(1), params, x.shape, like=x)
    noise = layers[0].draw(host_rng(1), params, x.shape, like=x)
    eps = np.broadcast_to(shared.estimator.eps, noise.estimator.eps.shape)
    noise = noise._replace(estimator=noise.estimator._replace(eps=eps))
    y, residuals = layers[0].forward(params, noise, x)
    want, of_shared = layers[1].forward(params, shared, x)
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-14)
    for got, expected in zip(layers[0].backward(residuals, y)[1], layers[1].backward(of_shared, y)[1], strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13)


def test_each_sequence_meets_its_own_weights_at_every_step() -> None:
    """A recurrent layer on three sequences is three calls on one, with shared weights: those of the sequence."""
    x = representable(np.random.default_rng(3), (3, 4, 2))

    def gru(estimator: Estimator) -> Recurrent:
        return recurrent.gru(lambda map: compose(map, Gaussian(0.3), estimator, Zero(), bias="none"), 2, 3)

    layer, one = gru(PerExample()), gru(Shared())
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(1), params, x.shape, like=x)
    y, residuals = layer.forward(params, noise, x)
    grad_x, grad = layer.backward(residuals, y)
    parts = []
    for i in range(3):
        template = one.draw(host_rng(2), params, (1, 4, 2), like=x)
        own = tree.unflatten(template, iter([eps[i] for eps in tree.leaves(noise)]))
        alone, of_one = one.forward(params, own, x[i : i + 1])
        np.testing.assert_allclose(y[i : i + 1], alone, rtol=1e-13)
        parts.append(one.backward(of_one, alone))
    assert grad_x is not None
    np.testing.assert_allclose(grad_x, np.concatenate([g for g, _ in parts]), rtol=1e-12, atol=1e-15)
    for total, *each in zip(tree.leaves(grad), *(tree.leaves(p) for _, p in parts), strict=True):
        np.testing.assert_allclose(total, sum(each), rtol=1e-12, atol=1e-15)


def test_the_variance_of_the_mean_gradient_falls_with_the_batch() -> None:
    """One input and output, x = 1, loss `y^2 / 2`: d/dmu is the mean of the w_n, whose variance is `scale^2 / n`.

    Exact, with two-point noise: all 2^n sign vectors are drawn.
    """
    map = maps.Dense(1, 1)
    layer = Stochastic(map, Gaussian(0.5), PerExample(), Zero())
    for n in (1, 2, 4):
        x = np.ones((n, 1))
        params = layer.init(host_rng(0), like=x)
        grads: list[float] = []
        for signs in np.ndindex(*(2,) * n):
            noise = layer.draw(host_rng(0), params, x.shape, like=x)
            eps: Array = (2.0 * np.asarray(signs) - 1.0).reshape(n, 1, 1)
            y, residuals = layer.forward(params, noise._replace(estimator=noise.estimator._replace(eps=eps)), x)
            grads.append(float(layer.backward(residuals, y / n)[1].mu[0, 0]))
        assert np.var(grads) == pytest.approx(0.25 / n, rel=1e-12)
        assert np.mean(grads) == pytest.approx(float(params.mu[0, 0]), abs=1e-14)


def test_a_point_is_refused_and_a_monte_carlo_divergence_draws_for_itself() -> None:
    with pytest.raises(ValueError, match="the posterior is not random: use Plain"):
        Stochastic(maps.Dense(1, 1), Point(), PerExample(), Zero())
    layer = Stochastic(maps.Dense(2, 1), Gaussian(), PerExample(), GaussianKL())
    params = layer.init(host_rng(0), like=np.ones(1))
    noise = layer.draw(host_rng(0), params, (3, 2), like=np.ones(1))
    assert noise.estimator.eps.shape == (3, 2, 1)
    assert noise.divergence is None
    with pytest.raises(ValueError, match=r"noise\.eps has shape \(3, 2, 1\), expected \(2, 2, 1\) here"):
        layer.forward(params, noise, np.ones((2, 2)))
