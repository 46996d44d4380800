"""The radial law: its noise, why signs may flip it, its moments and its divergence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import radial as oracle
from bayesnoise_reference.numerics import complex_step, gauss_hermite, sign_vectors
from namespaces import Namespace, to_numpy

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.divergences import GaussianKL, Laplace, LogUniform, RadialKL, ScaleMixture
from bayesnoise.divergences.radial import missing_entropy
from bayesnoise.estimators import Flipout, Local, PerExample, Shared
from bayesnoise.posteriors import Gaussian, GaussianParams, Law, Radial, RadialNoise
from bayesnoise.stochastic import Stochastic

DENSE = maps.Dense(2, 3)


@dataclass
class Given:
    """A generator that hands out the arrays it was given, one a split."""

    arrays: list[Any] = field(default_factory=list)

    def split(self, n: int) -> list[Given]:
        return [Given([array]) for array in self.arrays]

    def normal(self, shape: Shape, *, like: Any) -> Any:
        assert np.shape(self.arrays[0]) == tuple(shape)
        return self.arrays[0]


def _noise(eps: Any, radius: float) -> Any:
    given: Any = Given([eps, np.full((1,) * eps.ndim, radius)])
    return RadialNoise().draw(given, eps.shape, like=eps)


def test_noise_is_a_direction_times_a_radius(namespace: Namespace) -> None:
    """`sqrt(n)` times the definition; for each index of a batch a direction and a radius of its own."""
    like = namespace.asarray(np.ones(()))
    for_eps, for_radius = host_rng(3).split(2)
    eps, radius = for_eps.normal((4, 2, 3), like=np.ones(())), for_radius.normal((4, 1, 1), like=np.ones(()))
    got = to_numpy(RadialNoise().draw(host_rng(3), (2, 3), like=like, batch=(4,)))
    direction = np.stack([e / np.linalg.norm(e) for e in eps])
    np.testing.assert_allclose(got, np.sqrt(6) * direction * radius, rtol=64 * namespace.eps)
    assert RadialNoise().draw(host_rng(3), (2, 3), like=like).shape == (2, 3)


def test_a_layer_draws_its_noise() -> None:
    """One radius a call under Shared and Flipout, one an example under PerExample: sizes say so."""
    for estimator, batch in ((Shared(), ()), (Flipout(), ()), (PerExample(), (4,))):
        layer: Any = methods.radial(DENSE, bias="none", estimator=estimator)
        x = np.ones((4, 2))
        noise = layer.draw(host_rng(5), layer.init(host_rng(0), like=x), x.shape, like=x)
        assert noise.estimator.eps.shape == (*batch, 2, 3)
        radii = np.sqrt(np.mean(noise.estimator.eps**2, axis=(-2, -1)))
        source = host_rng(5).split(3)[0] if isinstance(estimator, Flipout) else host_rng(5)
        drawn = source.split(2)[1].normal((*batch, 1, 1), like=x)
        np.testing.assert_allclose(radii, np.abs(np.reshape(drawn, batch)), rtol=1e-14)


def test_flipping_the_normal_numbers_flips_the_noise() -> None:
    """So that a flip by signs that are independent of them keeps the law: flipped normal numbers are as likely."""
    eps = np.random.default_rng(0).standard_normal((2, 2))
    for signs in sign_vectors(4):
        flip = signs.reshape(2, 2)
        np.testing.assert_array_equal(_noise(flip * eps, 0.7), flip * _noise(eps, 0.7))


def test_the_weights_are_uncorrelated_and_dependent() -> None:
    """Moments by quadrature in the plane: `E e_1^2 e_2^2 = 3 n / (n + 2)`, where independence says 1; `E e_1^4` is
    three times that.
    """
    nodes, weights = gauss_hermite(3)
    angles = 2.0 * np.pi * (np.arange(8) + 0.5) / 8  # exact for polynomials of degree 7 on the circle
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    values = np.stack([_noise(u, r) for u in directions for r in nodes])
    chances = np.tile(weights, 8) / 8
    np.testing.assert_allclose(chances @ values, 0, atol=1e-15)
    np.testing.assert_allclose((values * chances[:, None]).T @ values, np.eye(2), atol=1e-14)
    first, second = values.T
    np.testing.assert_allclose(chances @ (first**2 * second**2), 1.5, rtol=1e-14)
    np.testing.assert_allclose(chances @ first**4, 4.5, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_missing_entropy(n: int) -> None:
    """That of Gaussians of variance 1, less the radial law's by quadrature, stretched by sqrt(n) in n dimensions."""
    gaussians = 0.5 * n * np.log(2.0 * np.pi * np.e)
    want = gaussians - oracle.entropy(n) - 0.5 * n * np.log(n)
    np.testing.assert_allclose(missing_entropy(n), want, rtol=0, atol=1e-14 * max(n, 1) * abs(gaussians))


def test_the_density_is_that_of_the_draw() -> None:
    """In space, by the Jacobian of spherical coordinates taken numerically: the density that the entropy is made of."""
    radius, polar, _ = at = np.array([0.7, 1.1, 2.3])

    def point(c: Any) -> Any:
        return c[0] * np.array([np.sin(c[1]) * np.cos(c[2]), np.sin(c[1]) * np.sin(c[2]), np.cos(c[1])])

    jacobian = np.stack([complex_step(partial(lambda i, c: point(c)[i], i), at) for i in range(3)])
    half_normal = 2.0 * np.exp(reference.log_normal_density(radius, 0.0, 1.0))
    of_coordinates = half_normal * np.sin(polar) / (4.0 * np.pi)  # a uniform direction
    density = half_normal / (oracle.sphere_area(3) * radius**2)
    np.testing.assert_allclose(of_coordinates / np.linalg.det(jacobian), density, rtol=1e-13)


@pytest.mark.parametrize(("prior_scale", "prior_mean"), [(1.0, 0.0), (0.5, -0.25)])
def test_divergence(prior_scale: float, prior_mean: float) -> None:
    rng = np.random.default_rng(0)
    params = GaussianParams(rng.standard_normal((2, 3)), rng.standard_normal((2, 3)))
    value = RadialKL(prior_scale, prior_mean).value(Law(Radial(), params))
    np.testing.assert_allclose(value, oracle.kl(*params, prior_scale, prior_mean), rtol=1e-12)


def test_one_weight_is_gaussian() -> None:
    """`eps / |eps|` is a sign then, and a sign times a normal number is normal."""
    params = GaussianParams(np.array([0.3]), np.array([-0.4]))
    value = RadialKL(0.7).value(Law(Radial(), params))
    np.testing.assert_allclose(value, GaussianKL(0.7).value(Law(Gaussian(), params)), rtol=1e-14)
    np.testing.assert_allclose(Radial().scale(params), Gaussian().scale(params), rtol=1e-15)


def test_fresh_weights_have_the_deviation_asked_for(namespace: Namespace) -> None:
    params = Radial(0.3).init(host_rng(0), DENSE, like=namespace.asarray(np.ones(())))
    np.testing.assert_allclose(to_numpy(Radial().scale(params)), np.full((2, 3), 0.3), rtol=32 * namespace.eps)
    np.testing.assert_allclose(to_numpy(Gaussian().scale(params)), 0.3 * np.sqrt(6), rtol=32 * namespace.eps)


def test_scales_far_out_are_finite(namespace: Namespace) -> None:
    layer: Any = methods.radial(DENSE, bias="none")
    x = namespace.asarray(np.ones((2, 2)))
    params = layer.init(host_rng(0), like=x)
    far = params._replace(rho=params.rho - 1e4)
    for array in (layer.kl(far), *layer.kl_grad(far), *layer.moments(far, x)):
        assert np.all(np.isfinite(to_numpy(array)))


@pytest.mark.parametrize("divergence", [GaussianKL(), Laplace(), LogUniform(), ScaleMixture()], ids=repr)
def test_divergences_of_gaussians_are_refused(divergence: Any) -> None:
    layer = Stochastic(DENSE, Radial(), Shared(), divergence)
    params = layer.init(host_rng(0), like=np.ones(()))
    noise = layer.draw(host_rng(0), params, (1, 2), like=np.ones(()))
    with pytest.raises(TypeError, match=r"Radial\(.*\) is not Gaussian: use the divergence RadialKL"):
        layer.kl(params, noise)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Radial(0.0), ValueError, "initial_scale is 0.0"),
        (lambda: methods.radial(DENSE, estimator=Local()), ValueError, "wrong for posterior Radial"),
        (lambda: methods.radial(DENSE, prior_scale=-1.0), ValueError, "prior_scale is -1.0"),
        (
            lambda: RadialKL().value(Law(Gaussian(), GaussianParams(np.zeros(2), np.zeros(2)))),
            TypeError,
            "posterior is Gaussian.* expected Radial for RadialKL.*: use GaussianKL",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
