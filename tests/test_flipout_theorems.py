"""Flipout's theorems by exact enumeration of the library's layer: over the data, the perturbation and all signs.

Wen et al. 2018 (arXiv 1803.04386), section 3. With `G(x, D)` the gradient of one example under the perturbation D, and
x_n independent, the gradient of the mean over N examples has the variance

    independent   alpha / N
    shared        alpha / N + (N - 1) / N beta
    flipout       alpha / N + (N - 1) / N (beta - gamma)

    alpha = Var G(x, D)      beta = E_{x,x'} Cov_D(G(x, D), G(x', D))
    gamma = E_{x,x'} E_D Cov_E(G(x, D E), G(x', D E))

The loss is a polynomial, so the nodes of Gauss and Hermite integrate the normal law exactly; two-point noise is finite.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pytest
from agreement import gradient, random_params
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import gauss_hermite_grid, sign_vectors
from cases import MAP_ORACLES, oracle_law

from bayesnoise import maps, tree
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Flipout, FlipoutNoise, Shared, SharedNoise
from bayesnoise.posteriors import Gaussian
from bayesnoise.stochastic import Stochastic, StochasticNoise


def loss(y: Any, c: Array) -> Any:
    """Of one example: a cubic of a combination of its outputs, and a square of each."""
    return np.sum(c * y) ** 3 / 3 + np.sum(y**2) / 2


def loss_grad(y: Array, c: Array) -> Array:
    """Of a batch, each example by itself."""
    s = np.sum(c * y, axis=tuple(range(1, y.ndim)), keepdims=True)
    return np.asarray(s**2 * c + y)


def flat(grads: Any) -> Array:
    return np.concatenate([leaf.ravel() for leaf in tree.leaves(grads)])


@dataclass(frozen=True)
class Setting:
    """A map, the finite set its inputs are uniform over, the noise of a weight, and the size of the batch."""

    map: Any
    example: tuple[int, ...]  # the shape of one input
    gaussian: bool
    n: int

    @cached_property
    def points(self) -> Array:
        return np.asarray(np.random.default_rng(1).standard_normal((2, *self.example)))

    @cached_property
    def params(self) -> Any:
        params = random_params(Stochastic(self.map, Gaussian(), Shared(), Zero()), np.random.default_rng(2))
        return params._replace(mu=0.5 * params.mu)

    @cached_property
    def c(self) -> Array:
        shape = self.map.output_shape((1, *self.example))[1:]
        return np.asarray(np.random.default_rng(3).standard_normal(shape))

    @cached_property
    def eps(self) -> tuple[Array, Array]:
        """Values of the noise of all weights, `(m, *weights)`, and their probabilities."""
        count = int(np.prod(self.map.weight_shape))
        if self.gaussian:
            nodes, chances = gauss_hermite_grid(4, count)  # exact to degree 7; the squares below have degree 6
        else:
            nodes, chances = sign_vectors(count), np.full(2**count, 0.5**count)
        return nodes.reshape(-1, *self.map.weight_shape), chances

    def batches(self, flip: bool) -> Iterator[tuple[float, Array, Any]]:
        """Every batch and every noise of one call, with its probability."""
        shape_in, shape_out = self.map.sign_shapes((self.n, *self.example))
        size_in, size_out = int(np.prod(shape_in)), int(np.prod(shape_out))
        signs = sign_vectors(size_in + size_out) if flip else np.empty((1, 0))
        for chosen in itertools.product(range(len(self.points)), repeat=self.n):
            x = self.points[list(chosen)]
            for eps, chance in zip(*self.eps, strict=True):
                weight = chance / len(signs) / len(self.points) ** self.n
                for row in signs:
                    noise: Any = SharedNoise(eps)
                    if flip:
                        noise = FlipoutNoise(eps, row[:size_in].reshape(shape_in), row[size_in:].reshape(shape_out))
                    yield weight, x, StochasticNoise(noise, None)

    def gradients(self, flip: bool) -> tuple[Array, Array]:
        """The library's gradient of the mean loss in every one of those calls, `(calls, parameters)`, and its mass."""
        layer = Stochastic(self.map, Gaussian(), Flipout() if flip else Shared(), Zero())
        rows, masses = [], []
        for weight, x, noise in self.batches(flip):
            y, residuals = layer.forward(self.params, noise, x)
            rows.append(flat(layer.backward(residuals, loss_grad(y, self.c) / self.n, input_grad=False)[1]))
            masses.append(weight)
        return np.array(rows), np.array(masses)

    def one_loss(self, params: Any, x: Array, eps: Array) -> Any:
        """The loss of one example with the weights `mean + scale * eps`, by definition."""
        mean, scale = oracle_law(Stochastic(self.map, Gaussian(), Shared(), Zero()), params)
        return loss(MAP_ORACLES[type(self.map)](self.map).contract(x, mean + scale * eps), self.c)

    @cached_property
    def table(self) -> Array:
        """`G(x, eps)`, `(points, values of eps, parameters)`, by complex step."""
        by_example = [
            [gradient(partial(self.one_loss, x=x, eps=e), self.params) for e in self.eps[0]] for x in self.points
        ]
        return np.array([[flat(grads) for grads in row] for row in by_example])

    @cached_property
    def flips(self) -> Array:
        """`(sign patterns, values of eps)`: the number of the value `eps * E`."""
        shape_in, shape_out = self.map.sign_shapes((1, *self.example))
        size_in, size_out = int(np.prod(shape_in)), int(np.prod(shape_out))
        number = {tuple(np.round(e.ravel(), 9) + 0.0): i for i, e in enumerate(self.eps[0])}
        pattern = MAP_ORACLES[type(self.map)](self.map).pattern
        rows = []
        for signs in sign_vectors(size_in + size_out):
            e = pattern(signs[:size_in], signs[size_in:])
            rows.append([number[tuple(np.round((value * e).ravel(), 9) + 0.0)] for value in self.eps[0]])
        return np.array(rows)

    def constants(self) -> tuple[Array, Array, Array, Array]:
        """The expected gradient, alpha, beta and gamma, each a vector over parameters, from their definitions."""
        g, chances = self.table, self.eps[1]
        k = len(self.points)
        mean = np.einsum("xdp,d->p", g, chances) / k
        alpha = np.einsum("xdp,d->p", (g - mean) ** 2, chances) / k
        beta, gamma = np.zeros_like(mean), np.zeros_like(mean)
        for a, b in itertools.product(range(k), repeat=2):
            both, mean_a, mean_b = ((chances @ t) for t in (g[a] * g[b], g[a], g[b]))
            beta += (both - mean_a * mean_b) / k**2
            flipped_a, flipped_b = g[a][self.flips], g[b][self.flips]  # (patterns, values, parameters)
            given_d = (flipped_a * flipped_b).mean(axis=0) - flipped_a.mean(axis=0) * flipped_b.mean(axis=0)
            gamma += chances @ given_d / k**2
        return mean, alpha, beta, gamma


SETTINGS = {
    "dense-normal": Setting(maps.Dense(2, 1), (2,), True, 2),
    "dense-two-point": Setting(maps.Dense(2, 2), (2,), False, 2),
    "dense-three-examples": Setting(maps.Dense(1, 2), (1,), False, 3),
    "conv-normal": Setting(maps.Conv(1, 1, (2,)), (1, 3), True, 2),
    "conv-two-point": Setting(maps.Conv(1, 2, (2,), padding=1), (1, 2), False, 2),
    "transposed-two-point": Setting(maps.ConvTranspose(1, 1, (2,), stride=2), (1, 2), False, 2),
}


def law(rows: Array, masses: Array) -> tuple[Array, Array]:
    mean = masses @ rows
    return mean, masses @ (rows - mean) ** 2


@pytest.mark.parametrize("name", SETTINGS)
def test_gradient_is_unbiased_and_its_variance_is_that_of_the_theorem(name: str) -> None:
    setting = SETTINGS[name]
    n = setting.n
    mean, alpha, beta, gamma = setting.constants()

    def expected_loss(params: Any) -> Any:
        terms = [
            chance * setting.one_loss(params, x, e)
            for x in setting.points
            for e, chance in zip(*setting.eps, strict=True)
        ]
        return sum(terms) / len(setting.points)

    assert np.allclose(mean, flat(gradient(expected_loss, setting.params)), rtol=1e-12, atol=1e-12)
    for flip, floor in ((True, beta - gamma), (False, beta)):
        rows, masses = setting.gradients(flip)
        assert np.sum(masses) == pytest.approx(1.0, abs=1e-12)
        seen_mean, seen_variance = law(rows, masses)
        np.testing.assert_allclose(seen_mean, mean, rtol=0, atol=1e-12 * np.max(np.sqrt(alpha)))
        predicted = alpha / n + (n - 1) / n * floor
        np.testing.assert_allclose(seen_variance, predicted, rtol=0, atol=1e-12 * np.max(alpha))
    size = np.max(alpha)
    assert np.all(gamma >= -1e-12 * size)
    assert np.all(beta - gamma >= -1e-12 * size)
    assert np.max(gamma) > 1e-3 * size  # the signs do remove something here


@pytest.mark.parametrize("name", SETTINGS)
def test_outputs_of_two_examples_are_uncorrelated(name: str) -> None:
    """And so are the outputs of one example that share no weight; one draw for the batch correlates them instead."""
    setting = SETTINGS[name]
    x = np.random.default_rng(4).standard_normal((setting.n, *setting.example))
    covariances = {}
    for flip in (True, False):
        layer = Stochastic(setting.map, Gaussian(), Flipout() if flip else Shared(), Zero())
        calls = [(w, noise) for w, first, noise in setting.batches(flip) if np.all(first == setting.points[0])]
        masses = np.array([w for w, _ in calls]) * len(setting.points) ** setting.n
        y = np.array([layer.forward(setting.params, noise, x)[0] for _, noise in calls])
        mean = np.tensordot(masses, y, 1)
        np.testing.assert_allclose(mean, layer.predict(setting.params, x), rtol=0, atol=1e-12)
        centred = (y - mean).reshape(len(calls), setting.n, -1)
        covariances[flip] = np.einsum("c,cai,cbj->abij", masses, centred, centred)
    for a, b in itertools.combinations(range(setting.n), 2):
        assert np.max(np.abs(covariances[True][a, b])) <= 1e-12
        assert np.max(np.abs(covariances[False][a, b])) > 1e-2
    for a in range(setting.n):  # the law of one example is that of the weights
        np.testing.assert_allclose(covariances[True][a, a], covariances[False][a, a], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("gaussian", "fourth"), [(True, 2.0), (False, 0.0)], ids=["normal", "two-point"])
def test_examples_are_uncorrelated_but_not_independent(gaussian: bool, fourth: float) -> None:
    """`Cov(z_nj^2, z_mj^2) = Var(eps^2) sum_i x_ni^2 x_mi^2 sigma_ij^4`, the trace that the shared draw leaves."""
    setting = Setting(maps.Dense(2, 1), (2,), gaussian, 2)
    x = np.random.default_rng(5).standard_normal((2, 2))
    layer = Stochastic(setting.map, Gaussian(), Flipout(), Zero())
    sigma = np.log1p(np.exp(setting.params.rho))
    calls = [(w * 4, noise) for w, first, noise in setting.batches(True) if np.all(first == setting.points[0])]
    z = np.array([layer.forward(setting.params, noise, x)[0] - x @ setting.params.mu for _, noise in calls])[:, :, 0]
    masses = np.array([w for w, _ in calls])
    second = masses @ z**2
    seen = masses @ (z[:, 0] ** 2 * z[:, 1] ** 2) - second[0] * second[1]
    assert seen == pytest.approx(fourth * np.sum(x[0] ** 2 * x[1] ** 2 * sigma[:, 0] ** 4), abs=1e-12)
