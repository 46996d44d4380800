"""The divergence between Gaussians of full covariance, against an exact integral."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import divergences as oracle
from bayesnoise_reference.numerics import complex_step
from closeness import assert_close, assert_untouched, largest
from namespaces import Namespace, to_numpy

from bayesnoise.divergences import GaussianKL, multivariate_gaussian_kl, multivariate_gaussian_kl_grad
from bayesnoise.posteriors import Law, LogSigmaGaussian, LogSigmaParams


def _factor(rng: np.random.Generator, k: int) -> Any:
    """A lower triangular matrix far from singular, with a negative number on its diagonal."""
    factor = 0.5 * np.tril(rng.standard_normal((k, k)), -1) + np.diag(rng.uniform(0.5, 2.0, k))
    factor[-1, -1] *= -1.0
    return factor


def _arguments(k: int) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(k)
    drawn = (rng.standard_normal(k), _factor(rng, k), rng.standard_normal(k), _factor(rng, k))
    return tuple(x.astype(np.float32).astype(np.float64) for x in drawn)  # type: ignore[return-value]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_value_and_gradient(namespace: Namespace, k: int) -> None:
    host = _arguments(k)
    arrays = tuple(namespace.asarray(x) for x in host)
    tolerance = 64 * namespace.eps
    value = namespace.run(multivariate_gaussian_kl, *arrays)
    grad = namespace.run(multivariate_gaussian_kl_grad, *arrays)
    mean, factor, *prior = host
    assert_close(value, np.real(oracle.multivariate_gaussian(*host)), tolerance, namespace)
    by_mean = complex_step(lambda m: oracle.multivariate_gaussian(m, factor, *prior), mean)
    by_factor = np.tril(complex_step(lambda f: oracle.multivariate_gaussian(mean, f, *prior), factor))
    assert_close(grad.mean, by_mean, tolerance, namespace, size=largest(by_mean))
    assert_close(grad.cholesky, by_factor, tolerance, namespace, size=largest(by_factor))
    assert_untouched(arrays, host)


def test_only_the_lower_triangles_are_read(namespace: Namespace) -> None:
    mean0, cholesky0, mean1, cholesky1 = (namespace.asarray(x) for x in _arguments(3))
    upper = namespace.asarray(np.triu(np.full((3, 3), 9.0), 1))
    full = (mean0, cholesky0 + upper, mean1, cholesky1 + upper)
    for function in (multivariate_gaussian_kl, multivariate_gaussian_kl_grad):
        expected = namespace.run(function, mean0, cholesky0, mean1, cholesky1)
        got = namespace.run(function, *full)
        pairs = zip(expected, got, strict=True) if isinstance(expected, tuple) else [(expected, got)]
        assert all(np.array_equal(to_numpy(a), to_numpy(b)) for a, b in pairs)


def test_no_divergence_from_itself(namespace: Namespace) -> None:
    mean, factor, *_ = (namespace.asarray(x) for x in _arguments(4))
    value = namespace.run(multivariate_gaussian_kl, mean, factor, mean, factor)
    grad = namespace.run(multivariate_gaussian_kl_grad, mean, factor, mean, factor)
    assert abs(float(to_numpy(value))) <= 16 * namespace.eps
    assert np.array_equal(to_numpy(grad.mean), np.zeros(4))
    assert np.max(np.abs(to_numpy(grad.cholesky))) <= 16 * namespace.eps


def test_of_diagonal_covariances_it_is_the_elementwise_divergence() -> None:
    rng = np.random.default_rng(0)
    mean0, mean1, log_scale, prior_log_scale = rng.standard_normal((4, 5))
    law = Law(LogSigmaGaussian(), LogSigmaParams(mean0, log_scale))
    prior_scale = np.exp(prior_log_scale)
    full = multivariate_gaussian_kl(mean0, np.diag(np.exp(log_scale)), mean1, np.diag(prior_scale))
    assert np.isclose(full, GaussianKL(prior_scale, mean1).value(law), rtol=1e-14)


@pytest.mark.parametrize("position", range(4))
def test_shapes_and_kinds_are_checked(position: int) -> None:
    names = ("mean0", "cholesky0", "mean1", "cholesky1")
    for wrong, error in ((np.zeros((2, 3)), ValueError), (np.zeros((3,) * (1 + position % 2), dtype=int), TypeError)):
        arguments = list(_arguments(3))
        arguments[position] = wrong
        for function in (multivariate_gaussian_kl, multivariate_gaussian_kl_grad):
            with pytest.raises(error, match=f"{names[position]} has "):
                function(*arguments)
