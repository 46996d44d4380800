"""What is said of flipout and is not so: every row of docs/errata.md about it, with numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import rng
from bayesnoise_reference import dense, flipout
from bayesnoise_reference.numerics import complex_step, masks, sign_vectors

import bayesnoise as bn
from bayesnoise import maps, tree

Array = Any

RNG = np.random.default_rng(3)
X = np.array([[1.0, -2.0, 0.5]])
W = RNG.standard_normal((3, 2))
SCALE = np.exp(0.3 * RNG.standard_normal((3, 2)))
T = np.array([0.7, -0.4])
PERTURBATIONS = sign_vectors(6).reshape(-1, 3, 2)  # two-point noise: symmetric about zero, and finite
PATTERNS = [np.outer(r, s) for r in sign_vectors(3) for s in sign_vectors(2)]


def loss(w: Array) -> Array:
    return 0.5 * np.sum((X[0] @ w - T) ** 2)


def flipped_loss(pattern: Array, w: Array) -> Array:
    return loss(w * pattern)


def test_flipping_the_whole_weight_leaves_no_mean() -> None:
    """`W E` has mean zero, whatever W is; `M + D E` has the mean M."""
    whole = np.mean([W * e for e in PATTERNS], axis=0)
    perturbation = np.mean([W + SCALE * d * e for d in PERTURBATIONS for e in PATTERNS], axis=0)
    np.testing.assert_allclose(whole, 0.0, atol=1e-15)
    np.testing.assert_allclose(perturbation, W, atol=1e-14)
    assert np.max(np.abs(W)) > 1.0


def test_flipping_the_whole_weight_biases_the_gradient() -> None:
    """The expected gradient at the mean: right for the perturbation, wrong for the whole weight."""

    def expected(weights: list[Array]) -> Array:
        return np.mean([complex_step(loss, w) for w in weights], axis=0)

    flipped = [W + SCALE * d * e for d in PERTURBATIONS for e in PATTERNS]
    np.testing.assert_allclose(expected(flipped), expected([W + SCALE * d for d in PERTURBATIONS]))
    whole = np.mean([complex_step(partial(flipped_loss, e), W) for e in PATTERNS], axis=0)
    assert np.max(np.abs(whole - complex_step(loss, W))) > 0.3


@pytest.mark.parametrize("chance", [0.1, 0.3, 0.5, 0.9])
def test_there_is_no_rate(chance: float) -> None:
    """The law of an example's weight does not depend on how often its signs are -1: there is nothing to choose."""
    bits, probabilities = masks(5, chance)
    signs = 2.0 * bits - 1.0
    for power in (1, 2, 3, 4):
        flipped = sum(
            p * np.mean((PERTURBATIONS * np.outer(s[:3], s[3:])) ** power, axis=0)
            for s, p in zip(signs, probabilities, strict=True)
        )
        np.testing.assert_allclose(flipped, np.mean(PERTURBATIONS**power, axis=0), atol=1e-14)


def test_signs_are_fewer_than_weights() -> None:
    layer: Any = bn.flipout(maps.Dense(1024, 1024), bias="none")
    like = np.zeros((), dtype=np.float32)
    noise = layer.draw(rng(0, like=like), layer.init(rng(0, like=like), like=like), (32, 1024), like=like)
    signs = noise.estimator.sign_in.size + noise.estimator.sign_out.size
    assert signs == 32 * (1024 + 1024) == 65_536
    assert noise.estimator.eps.size == 1_048_576


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_sign_is_exact(dtype: type) -> None:
    """Multiplying by -1 changes one bit, in subnormal numbers too."""
    info = np.finfo(dtype)
    x: Array = np.array([info.smallest_subnormal, info.tiny, 1 / 3, info.max, 0.0], dtype=dtype)
    assert np.array_equal(-x, dtype(-1) * x)
    assert np.array_equal(x, dtype(-1) * (dtype(-1) * x))


def test_one_example_sees_the_law_of_one_draw() -> None:
    """The gradient of an example has the same first four moments with signs and without: no variance is added."""

    def gradients(weights: list[Array]) -> Array:
        return np.stack([np.outer(X[0], X[0] @ w - T) for w in weights])

    shared = gradients([W + SCALE * d for d in PERTURBATIONS])
    flipped = gradients([W + SCALE * d * e for d in PERTURBATIONS for e in PATTERNS])
    for power in (1, 2, 3, 4):
        np.testing.assert_allclose(np.mean(flipped**power, axis=0), np.mean(shared**power, axis=0), rtol=1e-12)


def test_a_batch_has_less_variance_and_more_examples_help() -> None:
    """Two equal examples: the variance of the mean gradient is that of one under a shared draw, and half with signs."""

    def variance(pairs: list[tuple[Array, Array]]) -> Array:
        mean = [np.outer(X[0], X[0] @ (0.5 * (a + b)) - T) for a, b in pairs]
        return np.var(np.stack(mean), axis=0)

    draws = [SCALE * d for d in PERTURBATIONS]
    shared = variance([(W + d, W + d) for d in draws])
    flipped = variance([(W + d * e, W + d * f) for d in draws for e in PATTERNS for f in PATTERNS])
    np.testing.assert_allclose(flipped, 0.5 * shared, rtol=1e-12)


def test_the_mean_network_needs_no_second_model() -> None:
    layer: Any = bn.flipout(maps.Dense(3, 2), bias="none")
    params = layer.init(rng(0, like=X), like=X)
    np.testing.assert_allclose(layer.predict(params, X), X @ params.mu, atol=1e-15)


def test_a_pass_is_one_draw_an_input() -> None:
    """A second row of the same input is another draw: the spread is over draws, and one pass has none to show."""
    eps, signs = np.ones((3, 2)), np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]])
    y = flipout.output(np.repeat(X, 2, axis=0), W, SCALE, eps, signs, np.ones((2, 2)), dense.output)
    assert not np.allclose(y[0], y[1])
    np.testing.assert_allclose(y[0], X[0] @ (W + SCALE), rtol=1e-14)


def test_the_scale_is_learned_through_its_draw_and_the_divergence() -> None:
    """The gradient of rho is that of the weight times `eps sigmoid(rho)`; the divergence adds its own."""
    layer: Any = bn.flipout(maps.Dense(3, 2), bias="none")
    params = tree.map(lambda leaf: 0.3 + 0.0 * leaf, layer.init(rng(0, like=X), like=X))
    noise = layer.draw(rng(1, like=X), params, X.shape, like=X)
    y, residuals = layer.forward(params, noise, X)
    _, grads = layer.backward(residuals, y - T)
    n = noise.estimator
    of_weight = np.outer(X[0], (y - T)[0]) * np.outer(n.sign_in[0], n.sign_out[0])
    np.testing.assert_allclose(grads.rho, of_weight * n.eps / (1.0 + np.exp(-params.rho)), rtol=1e-12)
    assert np.all(layer.kl_grad(params).rho != 0)


def test_the_default_bias_is_not_random() -> None:
    layer: Any = bn.flipout(maps.Dense(3, 2))
    assert layer.init(rng(0, like=X), like=X).bias._fields == ("theta",)
