"""Variational structured dropout: the rotation, the law of its noise, what its divergence is, and its edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import variational_structured_dropout as vsd
from bayesnoise_reference.numerics import gauss_hermite_grid
from layer_cases.structured_dropouts import reflected
from namespaces import Namespace, to_numpy

from bayesnoise import maps, methods, tree
from bayesnoise.divergences import ARD
from bayesnoise.noise import LogNormal, StructuredGaussian, StructuredGaussianNoise, structured_regularizer
from bayesnoise.noise.householder import rotate, unit_vector, unit_vector_backward, variances, variances_backward
from bayesnoise.noise.reflection_vectors import FullStep, ReflectionParams

each_count = pytest.mark.parametrize("count", [1, 2, 3, 4])


def call(layer: Any, seed: int, n: int = 3) -> tuple[Any, Any, Any]:
    params = random_params(layer, np.random.default_rng(seed))
    x = np.random.default_rng(seed + 1).standard_normal((n, layer.units))
    return params, layer.draw(host_rng(seed), params, x.shape, like=x), x


@each_count
def test_the_rotation_is_orthogonal_with_the_determinant_of_its_reflections(count: int) -> None:
    layer = StructuredGaussian(4, reflections=count)
    params, _, _ = call(layer, count)
    units = layer.vectors.directions(params.reflections).units
    u = rotate(units, np.eye(4)).T
    np.testing.assert_allclose(u @ u.T, np.eye(4), atol=4e-15)
    np.testing.assert_allclose(rotate(units[::-1], u.T), np.eye(4), atol=4e-15)
    np.testing.assert_allclose(u, vsd.rotation(reflected(params)), atol=4e-15)
    assert np.linalg.det(u) == pytest.approx((-1) ** count, rel=1e-13)


@each_count
def test_the_length_of_a_vector_does_not_matter(count: int) -> None:
    """Neither to the output nor to the divergence: what a vector gets of its own is orthogonal to it."""
    layer = StructuredGaussian(4, reflections=count)
    params, noise, x = call(layer, 10 + count)
    *steps, last = params.reflections.steps
    longer = FullStep(7.0 * last.matrix, 7.0 * last.shift)
    scaled = params._replace(reflections=ReflectionParams(params.reflections.start, (*steps, longer)))
    np.testing.assert_allclose(layer.forward(scaled, noise, x)[0], layer.forward(params, noise, x)[0], rtol=1e-13)
    assert float(layer.kl(scaled)) == pytest.approx(float(layer.kl(params)), rel=1e-13)
    v = layer.vectors.directions(params.reflections).vectors[-1]
    _, residuals = layer.forward(params, noise, x)
    for grad in (layer.backward(residuals, x)[1], layer.kl_grad(params)):
        own = grad.reflections.steps[-1].shift  # the last vector has no other path
        assert abs(float(v @ own)) <= 1e-14 * float(np.linalg.norm(v) * np.linalg.norm(own))


@each_count
def test_the_factors_have_mean_one_and_their_covariance(count: int) -> None:
    """They are linear in the normal numbers, so a basis in the place of these shows the law."""
    layer = StructuredGaussian(4, reflections=count)
    params, _, _ = call(layer, 20 + count)
    ones, basis = np.ones((4, 4)), StructuredGaussianNoise(np.eye(4))
    np.testing.assert_array_equal(layer.forward(params, StructuredGaussianNoise(np.zeros((4, 4))), ones)[0], ones)
    deviations = layer.forward(params, basis, ones)[0] - 1.0
    covariance = vsd.covariance(params.log_alpha, reflected(params))
    np.testing.assert_allclose(deviations.T @ deviations, covariance, atol=1e-14 * np.max(covariance))
    np.testing.assert_allclose(layer.moments(params, ones)[1][0], np.diag(covariance), rtol=1e-13)


def test_one_factor_serves_all_positions_of_an_example() -> None:
    layer = StructuredGaussian(3, positions=2)
    x = np.ones((5, 3, 4, 2))
    params = layer.init(host_rng(0), like=x)
    y, _ = layer.forward(params, layer.draw(host_rng(1), params, x.shape, like=x), x)
    assert np.all(y == y[:, :, :1, :1])
    assert len(np.unique(y[:, :, 0, 0])) == 15


def test_the_divergence_is_not_negative_and_does_not_see_theta() -> None:
    for seed in range(30):
        layer = StructuredGaussian(3, columns=2, reflections=1 + seed % 3)
        params, _, _ = call(layer, seed)
        assert float(layer.kl(params)) >= 0.0
        theta = np.random.default_rng(seed).standard_normal((3, 2))
        if seed < 3:
            by_definition = [vsd.divergence(t, params.log_alpha, reflected(params)) for t in (theta, 5.0 * theta**3)]
            np.testing.assert_allclose(by_definition, float(layer.kl(params)), rtol=1e-11)


def test_without_a_rotation_it_is_automatic_relevance_determination() -> None:
    """The same reflection twice is none."""
    layer = StructuredGaussian(4, columns=3, reflections=2)
    params, _, _ = call(layer, 1)
    twice = FullStep(np.eye(4), np.zeros(4))
    params = params._replace(reflections=ReflectionParams(params.reflections.start, (twice, twice)))
    want = 3 * np.sum(ARD().elementwise(params.log_alpha))
    assert float(layer.kl(params)) == pytest.approx(float(want), rel=1e-14)
    np.testing.assert_allclose(layer.kl_grad(params).log_alpha, 3 * ARD().slope(params.log_alpha), rtol=1e-13)


def test_the_divergence_is_zero_where_all_alphas_are_equal_and_large() -> None:
    """Then the covariance is alpha I whatever the rotation, and `log(1 + 1 / alpha) / 2` a weight."""
    layer = StructuredGaussian(4, columns=3, reflections=3)
    params, _, _ = call(layer, 2)
    params = params._replace(log_alpha=np.full(4, 30.0))
    assert float(layer.kl(params)) == pytest.approx(0.5 * 12 * np.exp(-30.0), abs=1e-13)


def test_one_reflection_needs_no_matrix() -> None:
    """Against the general way with a reflection undone; and where the parts of a difference would be rounding."""
    rng = np.random.default_rng(0)
    u, w = (unit_vector(rng.standard_normal(6))[0] for _ in range(2))
    alpha = np.exp(rng.standard_normal(6))
    np.testing.assert_allclose(variances((u,), alpha), variances((u, w, w), alpha), rtol=1e-14)
    even = unit_vector(np.array([1.0, 0.6, 0.8]))[0]
    by_terms = (np.eye(3) - 2.0 * np.outer(even, even)) ** 2 @ np.array([1e14, 1.0, 2.0])
    np.testing.assert_allclose(variances((even,), np.array([1e14, 1.0, 2.0])), by_terms, rtol=1e-13)


def test_one_reflection_of_many_units_fits_in_memory() -> None:
    """200,000 units: the rotation alone would take 320 GB."""
    layer = StructuredGaussian(200_000, reflections=1, rank=1)
    params = layer.init(host_rng(0), like=np.ones(()))
    assert float(layer.kl(params)) > 0.0
    assert all(np.all(np.isfinite(leaf)) for leaf in tree.leaves(layer.kl_grad(params)))


def test_variances_and_their_gradient_are_adjoint() -> None:
    """The variances are linear in alpha, so the gradient by alpha is that linear map transposed."""
    rng = np.random.default_rng(3)
    for count in (1, 2, 3):
        units = tuple(unit_vector(rng.standard_normal(5))[0] for _ in range(count))
        alpha, weights = rng.uniform(0.5, 2.0, (2, 5))
        grad_alpha, _ = variances_backward(units, alpha, weights)
        assert grad_alpha @ alpha == pytest.approx(weights @ variances(units, alpha), rel=1e-14)


def test_a_vector_of_zero_is_refused_and_reflects_nothing_where_values_are_unknown(namespace: Namespace) -> None:
    layer = StructuredGaussian(3, reflections=1)
    host = random_params(layer, np.random.default_rng(0))
    zero = ReflectionParams(host.reflections.start, (FullStep(np.zeros((3, 3)), np.zeros(3)),))
    params = tree.map(namespace.asarray, host._replace(reflections=zero))
    noise = StructuredGaussianNoise(namespace.asarray(np.ones((2, 3))))
    for call in (lambda: layer.forward(params, noise, noise.eps), lambda: layer.kl_grad(params)):
        with pytest.raises(ValueError, match="vector 1 of the reflections is zero, expected a direction"):
            call()
    unit, length = unit_vector(params.reflections.steps[0].shift)
    assert (float(length), list(to_numpy(unit))) == (1.0, [0.0] * 3)
    assert np.all(np.isfinite(to_numpy(unit_vector_backward(unit, length, noise.eps[0, :]))))


@pytest.mark.parametrize("size", [1e-30, 1e-19, 1e19, 1e30])
def test_lengths_whose_squares_leave_the_floats(size: float) -> None:
    v = np.array([3.0, 4.0], dtype=np.float32) * np.float32(size)
    unit, length = unit_vector(v)
    np.testing.assert_allclose(unit, [0.6, 0.8], rtol=1e-6)
    grad = unit_vector_backward(unit, length, np.array([1.0, 0.0], dtype=np.float32))
    np.testing.assert_allclose(grad * length, [0.64, -0.48], rtol=1e-6)


def test_alphas_as_far_as_their_squares_are_numbers() -> None:
    layer = StructuredGaussian(4, columns=2, reflections=2)
    rng = np.random.default_rng(0)
    for seed in range(20):
        params, noise, x = call(layer, seed)
        params = params._replace(log_alpha=rng.uniform(-100.0, 70.0, 4))
        params, noise, x = tree.map(lambda leaf: leaf.astype(np.float32), (params, noise, x))
        y, residuals = layer.forward(params, noise, x)
        everything = (y, layer.backward(residuals, x), layer.kl(params), layer.kl_grad(params))
        assert all(np.all(np.isfinite(leaf)) for leaf in tree.leaves(everything))


def test_the_regularizer_is_exact_for_a_quadratic_loss() -> None:
    """Against the expectation over the noise by quadrature, which three nodes an axis make exact."""
    layer = StructuredGaussian(3, reflections=2)
    params, _, h = call(layer, 4, n=2)
    rng = np.random.default_rng(5)
    square, slope = rng.standard_normal((2, 3, 3)), rng.standard_normal((2, 3))
    hessian = square + np.swapaxes(square, 1, 2)
    for n in range(2):

        def loss(a: Any, n: int = n) -> Any:
            return 0.5 * a @ hessian[n] @ a + slope[n] @ a

        mean = sum(
            weight * loss(h[n] * vsd.factors(params.log_alpha, reflected(params), z[None, :])[0])
            for z, weight in zip(*gauss_hermite_grid(3, 3), strict=True)
        )
        got = structured_regularizer(layer, params, h, hessian)
        assert float(got[n]) == pytest.approx(float(mean - loss(h[n])), rel=1e-12)


class Zeros:
    """A generator of zeros."""

    def normal(self, shape: tuple[int, ...], *, like: Any) -> Any:
        return np.zeros(shape)

    uniform = rademacher = normal

    def split(self, n: int) -> tuple[Zeros, ...]:
        return (self,) * n


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: StructuredGaussian(3, reflections=0), ValueError, "reflections is 0, expected at least 1: without"),
        (lambda: StructuredGaussian(3, reflections=-1), ValueError, "reflections is -1"),
        (lambda: StructuredGaussian(3, rank=4), ValueError, "rank is 4, expected at most the 3 units"),
        (lambda: StructuredGaussian(3, rank=0), ValueError, "rank is 0"),
        (lambda: StructuredGaussian(0), ValueError, "units is 0"),
        (lambda: StructuredGaussian(3, columns=0), ValueError, "columns is 0"),
        (lambda: StructuredGaussian(3, initial_log_alpha=np.inf), ValueError, "initial_log_alpha is inf"),
        (lambda: StructuredGaussian(3).output_shape((2, 4)), ValueError, "expected 3 units on the last axis"),
        (lambda: StructuredGaussian(3).init(Zeros(), like=np.ones(())), ValueError, "vector 0 .* is zero"),
        (lambda: LogNormal(initial_scale=0.0), ValueError, "initial_scale is 0.0"),
        (lambda: LogNormal(prior_scale=-1.0), ValueError, "prior_scale is -1.0"),
        (
            lambda: methods.variational_structured_dropout(maps.Conv(4, 4, (3,), groups=2)),
            ValueError,
            "map has groups=2, expected 1",
        ),
        (lambda: methods.variational_structured_dropout(maps.Bias(2, axis=1)), TypeError, "map is Bias"),
        (
            lambda: structured_regularizer(
                StructuredGaussian(2),
                StructuredGaussian(2).init(host_rng(0), like=np.ones(())),
                np.ones((1, 2)),
                np.ones(2),
            ),
            ValueError,
            r"hessian has shape \(2,\)",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_the_divergence_counts_the_weights_that_a_unit_feeds() -> None:
    """A dense unit feeds its outputs; a channel, its outputs times the kernel."""
    for map, columns in ((maps.Dense(3, 5), 5), (maps.Conv(3, 5, (2, 4)), 40), (maps.ConvTranspose(3, 5, (2,)), 10)):
        noise, _ = methods.variational_structured_dropout(map).layers
        assert isinstance(noise, StructuredGaussian)
        assert noise.columns == columns
