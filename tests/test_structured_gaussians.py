"""Laws whose scales are products of factors: what their matrices are, where they start, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from agreement import gradient, random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import divergences as reference
from bayesnoise_reference import k_tied, matrix_gaussian
from cases import LAWS
from namespaces import Namespace, to_numpy

from bayesnoise import maps, methods, tree
from bayesnoise._typing import Shape
from bayesnoise.divergences import ARD, Divergence, GaussianKL, Laplace, LogUniform
from bayesnoise.estimators import Flipout, Local, Shared
from bayesnoise.posteriors import KTied, KTiedParams, Law, MatrixGaussian, MatrixGaussianParams
from bayesnoise.stochastic import Stochastic

MAPS: list[tuple[Any, tuple[int, int]]] = [
    (maps.Dense(3, 4), (3, 4)),
    (maps.Conv(4, 6, (2, 3), groups=2), (6, 12)),
    (maps.ConvTranspose(3, 5, (2,)), (3, 10)),
    (maps.Bias(4, axis=1), (4, 1)),
]
each_map = pytest.mark.parametrize(("m", "size"), MAPS, ids=lambda v: type(v).__name__)


@dataclass(frozen=True)
class Still:
    """A generator whose normal numbers are all 0: fresh parameters at their centre."""

    def normal(self, shape: Shape, *, like: Any) -> Any:
        return np.zeros(shape)

    def split(self, n: int) -> tuple[Still, ...]:
        return (self,) * n


@each_map
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_fresh_scales_center_on_the_one_asked_for(m: Any, size: tuple[int, int], rank: int) -> None:
    if rank > min(size):
        with pytest.raises(ValueError, match=f"rank is {rank}, expected at most {min(size)}, the largest rank for"):
            KTied(rank).init(host_rng(0), m, like=np.ones(()))
        return
    law = KTied(rank, 0.3)
    params: Any = law.init(Still(), m, like=np.ones(()))  # type: ignore[arg-type]
    assert (params.mu.shape, params.log_u.shape, params.log_v.shape) == (
        m.weight_shape,
        (size[0], rank),
        (size[1], rank),
    )
    np.testing.assert_allclose(law.scale(params), np.full(m.weight_shape, 0.3), rtol=1e-14)


@each_map
@pytest.mark.parametrize("rank", [1, 2])
def test_the_scales_have_the_rank(m: Any, size: tuple[int, int], rank: int) -> None:
    layer = Stochastic(m, KTied(min(rank, *size)), Shared(), GaussianKL())
    params = random_params(layer, np.random.default_rng(rank))
    matrix = np.reshape(layer.posterior.scale(params), size)
    assert np.all(matrix > 0)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert np.count_nonzero(values > 1e-12 * values[0]) == min(rank, *size)


def test_equal_products_never_part() -> None:
    """Why fresh factors are spread: equal columns have equal gradients, and the rank stays 1."""
    law = KTied(2)
    layer = Stochastic(maps.Dense(3, 2), law, Shared(), GaussianKL())
    same: Any = law.init(Still(), maps.Dense(3, 2), like=np.ones(()))  # type: ignore[arg-type]
    grad = layer.kl_grad(same)
    assert np.array_equal(grad.log_u[:, 0], grad.log_u[:, 1])
    fresh = law.init(host_rng(0), maps.Dense(3, 2), like=np.ones(()))
    assert np.linalg.matrix_rank(law.scale(fresh)) == 2


DIVERGENCES: list[tuple[Divergence, Any]] = [
    (GaussianKL(0.7, 0.2), lambda m, s: reference.gaussian(m, s, 0.2, 0.7)),
    (Laplace(0.7), lambda m, s: reference.laplace(m, s, 0.7)),
    (LogUniform(), reference.log_uniform),
    (ARD(), reference.ard),
]


@pytest.mark.parametrize(("divergence", "define"), DIVERGENCES, ids=[type(d).__name__ for d, _ in DIVERGENCES])
@pytest.mark.parametrize("posterior", [KTied(2), MatrixGaussian()], ids=repr)
def test_every_divergence_reaches_the_factors(posterior: Any, divergence: Divergence, define: Any) -> None:
    """Through the mean, the scale, its logarithm and alpha."""
    layer = Stochastic(maps.Dense(2, 3), posterior, Shared(), divergence)
    params = random_params(layer, np.random.default_rng(3))
    law = LAWS[type(posterior)]
    np.testing.assert_allclose(layer.kl(params), np.real(define(*law(*params))), rtol=1e-11)
    expected = gradient(lambda p: define(*law(*p)), params)
    for got, want in zip(tree.leaves(layer.kl_grad(params)), tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 * float(np.max(np.abs(want))))


@pytest.mark.parametrize("posterior", [KTied(2), MatrixGaussian()], ids=repr)
def test_scales_far_out_are_finite(namespace: Namespace, posterior: Any) -> None:
    """Factors that leave the range of floats each, with a product that stays, and a product below any number."""
    layer = Stochastic(maps.Dense(3, 2), posterior, Flipout(), GaussianKL())
    x = namespace.asarray(np.ones((2, 3)))
    params = layer.init(host_rng(0), like=x)
    for shift_u, shift_v in ((1e3, -1e3), (-1e4, 0.0)):
        far = params._replace(log_u=params.log_u + shift_u, log_v=params.log_v + shift_v)
        y, residuals = layer.forward(far, layer.draw(host_rng(1), far, (2, 3), like=x), x)
        for leaf in tree.leaves((y, layer.backward(residuals, y), layer.kl(far), layer.kl_grad(far))):
            assert np.all(np.isfinite(to_numpy(leaf)))
    scale = to_numpy(posterior.scale(params._replace(log_u=params.log_u + 1e3, log_v=params.log_v - 1e3)))
    np.testing.assert_allclose(scale, to_numpy(posterior.scale(params)), rtol=4096 * namespace.eps)  # 1e3 rounds so


def test_the_rank_that_a_layer_can_have_is_the_default() -> None:
    assert methods.k_tied_normal(maps.Dense(5, 1), bias="none").posterior == KTied(1)  # type: ignore[union-attr]
    assert methods.k_tied_normal(maps.Dense(5, 3), bias="none").posterior == KTied(2)  # type: ignore[union-attr]


def test_rank_one_is_an_outer_product() -> None:
    mu, u, v = np.zeros((2, 3)), np.array([[0.5], [2.0]]), np.array([[1.0], [3.0], [0.25]])
    _, scale = k_tied.law(mu, np.log(u), np.log(v))
    np.testing.assert_allclose(scale, np.outer(u, v), rtol=1e-15)
    law = Law(KTied(1), KTiedParams(mu, np.log(u), np.log(v)))
    np.testing.assert_allclose(law.scale, np.outer(u, v), rtol=1e-15)


@each_map
def test_a_fresh_matrix_has_the_scale_asked_for(m: Any, size: tuple[int, int]) -> None:
    law = MatrixGaussian(0.3)
    params = law.init(host_rng(0), m, like=np.ones(()))
    assert (params.log_u.shape, params.log_v.shape) == ((size[0],), (size[1],))
    np.testing.assert_allclose(law.scale(params), np.full(m.weight_shape, 0.3), rtol=1e-14)


def _drawn_matrix() -> MatrixGaussianParams:
    rng = np.random.default_rng(0)
    return MatrixGaussianParams(*(rng.standard_normal(shape) for shape in ((3, 2), (3,), (2,))))


def test_two_products_are_local_reparameterization() -> None:
    """`x^2 (u v') = (x^2 u) v'`: what the paper computes with two products is Local on this law."""
    params, rng = _drawn_matrix(), np.random.default_rng(1)
    x, zeta = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    layer: Any = methods.variational_matrix_gaussian(maps.Dense(3, 2), bias="none")
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    noise = noise._replace(estimator=noise.estimator._replace(zeta=zeta))
    want = matrix_gaussian.two_products(x, *params, zeta)
    np.testing.assert_allclose(layer.forward(params, noise, x)[0], want, rtol=1e-13)


def test_the_sum_over_weights_is_the_closed_form_for_matrices() -> None:
    """The divergence of the paper, and that of the dense covariance `U x V` of all weights."""
    params = _drawn_matrix()
    value = methods.variational_matrix_gaussian(maps.Dense(3, 2), bias="none").kl(params)  # type: ignore[arg-type]
    rows, columns = np.diag(np.exp(params.log_u)), np.diag(np.exp(params.log_v))
    assert float(value) == pytest.approx(float(matrix_gaussian.kl(params.mu, rows, columns)), rel=1e-13)
    factor = np.linalg.cholesky(matrix_gaussian.covariance(rows, columns))
    dense = reference.multivariate_gaussian(np.ravel(params.mu), factor, np.zeros(6), np.eye(6))
    assert float(value) == pytest.approx(float(dense), rel=1e-12)


def test_it_is_the_k_tied_law_of_rank_one() -> None:
    mu, log_u, log_v = params = _drawn_matrix()
    tied = KTiedParams(mu, 0.5 * log_u[:, None], 0.5 * log_v[:, None])
    np.testing.assert_allclose(MatrixGaussian().scale(params), KTied(1).scale(tied), rtol=1e-14)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: KTied(0), ValueError, "rank is 0, expected at least 1"),
        (lambda: KTied(True), TypeError, "rank is True, expected an integer"),
        (lambda: KTied(2, -1.0), ValueError, "initial_scale is -1.0"),
        (lambda: MatrixGaussian(0.0), ValueError, "initial_scale is 0.0"),
        (lambda: methods.k_tied_normal(maps.Dense(2, 3), rank=3), ValueError, "rank is 3, expected at most 2"),
        (lambda: methods.k_tied_normal(maps.Dense(2, 3), rank=0), ValueError, "rank is 0"),
        (lambda: methods.k_tied_normal(maps.Dense(2, 3), rank=1.5), TypeError, "rank is 1.5"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_all_estimators_take_these_laws() -> None:
    for posterior in (KTied(1), MatrixGaussian()):
        assert all(estimator.refusal(posterior.traits) is None for estimator in (Shared(), Flipout(), Local()))
