"""Divergences and their gradients against quadrature of their definitions, through every law of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import divergences as oracle
from bayesnoise_reference.numerics import complex_step, gauss_legendre
from cases import LAWS, POSTERIORS, public
from closeness import assert_close, assert_untouched, largest
from divergence_cases import (
    CASES,
    DIVERGENCES,
    EPS,
    SHARED_ALPHA,
    Case,
    as_params,
    fits,
    layer_of,
    noise_of,
    raw_params,
    tolerance_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace

from bayesnoise import divergences
from bayesnoise.divergences import GaussianKL, LogUniform, RadialKL, ScaleMixture
from bayesnoise.posteriors import Gaussian, GaussianParams, Law, LogSigmaGaussian, LogSigmaParams, Point


@cache
def _truth(index: int, posterior: Any) -> tuple[float, list[Any]]:
    """Value and gradient by the parameters, from the definitions of the divergence and of the law."""
    raw, exact, law = raw_params(posterior), CASES[index].exact, LAWS[type(posterior)]
    held = law(*raw)

    def of_one(position: int) -> Callable[[Any], Any]:
        return lambda x: exact(*law(*(x if i == position else other for i, other in enumerate(raw))), *held)

    return float(np.real(exact(*held, *held))), [complex_step(of_one(i), raw[i]) for i in range(len(raw))]


def _posteriors(namespace: Namespace, index: int) -> list[Any]:
    """All that fit; where each pair is compiled, one a divergence, every posterior in turn."""
    fitting = [p for p in POSTERIORS + SHARED_ALPHA if fits(DIVERGENCES[index], p)]
    return [fitting[index % len(fitting)]] if namespace.jit else fitting


OF_ONE_LAW = {RadialKL}  # whose cases are in `layer_cases`, with the law


def test_every_public_divergence_has_a_case() -> None:
    assert {type(d) for d in DIVERGENCES} | OF_ONE_LAW == public(divergences, "grad")


@pytest.mark.parametrize("index", range(len(CASES)), ids=[repr(d) for d in DIVERGENCES])
def test_value_and_gradient(namespace: Namespace, index: int) -> None:
    for posterior in _posteriors(namespace, index):
        layer, raw = layer_of(posterior, DIVERGENCES[index]), raw_params(posterior)
        params, noise = as_params(posterior, raw, namespace), noise_of(namespace)
        value, grad = namespace.run(lambda p, n, kl=layer: (kl.kl(p, n), kl.kl_grad(p, n)), params, noise)
        exact_value, exact_grad = _truth(index, posterior)
        tolerance = tolerance_of(namespace)
        assert_close(value, exact_value, tolerance, namespace)
        assert type(grad) is type(params)
        size = max(largest(g) for g in exact_grad)  # where theta does not matter, the oracle's 0 is one of rounding
        for got, want in zip(grad, exact_grad, strict=True):
            assert_close(got, want, tolerance, namespace, size=size)
        assert_untouched((*params, noise.divergence), (*raw, EPS))


@settings(deadline=None, max_examples=25)
@given(mean=st.floats(-3, -1e-2) | st.floats(1e-2, 3), log_scale=st.floats(-4, 1.5))
@pytest.mark.parametrize(
    "case", [c for c in CASES if not isinstance(c.divergence, ScaleMixture)], ids=lambda c: repr(c.divergence)
)
def test_drawn_laws(case: Case, mean: float, log_scale: float) -> None:
    params = LogSigmaParams(np.full((3, 2), mean), np.full((3, 2), log_scale))
    value = case.divergence.value(Law(LogSigmaGaussian(), params))
    exact = float(np.real(case.exact(params.mu, np.exp(params.log_sigma), None, None)))
    assert abs(value - exact) <= 1e-10 * abs(exact) + 1e-13  # quadrature rounds six terms of order 1


@pytest.mark.parametrize("gradient", ["total", "path"])
def test_a_monte_carlo_divergence_is_unbiased(gradient: Any) -> None:
    """The expectation over the noise, by quadrature, against the definition: one weight a node."""
    prior = (0.3, 1.2, 0.2)
    divergence = ScaleMixture(*prior, gradient=gradient)
    mean, rho = np.array(0.4), np.array(-0.8)
    scale = np.log1p(np.exp(rho))
    narrow = (prior[2] * np.linspace(-12, 12, 49) - mean) / scale
    eps, weights = gauss_legendre([*np.linspace(-13, 13, 27), *narrow[np.abs(narrow) < 13]])
    chances = weights * np.exp(-0.5 * eps * eps) / math.sqrt(2 * math.pi)
    params = GaussianParams(np.full_like(eps, mean), np.full_like(eps, rho))
    grad = Gaussian().pullback(params, divergence.grad(Law(Gaussian(), params), eps))
    values = [divergence.value(Law(Gaussian(), GaussianParams(mean, rho)), e) for e in eps]

    def exact(m: Any, r: Any) -> Any:
        return oracle.scale_mixture(m, np.log1p(np.exp(r)), *prior)

    assert np.isclose(chances @ values, float(exact(mean, rho)), rtol=1e-12)
    assert np.isclose(chances @ grad.mu, complex_step(lambda m: exact(m, rho), mean), rtol=1e-11)
    assert np.isclose(chances @ grad.rho, complex_step(lambda r: exact(mean, r), rho), rtol=1e-11)


def test_monte_carlo_needs_noise() -> None:
    params = GaussianParams(np.zeros((3, 2)), np.zeros((3, 2)))
    law = Law(Gaussian(), params)
    for call in (ScaleMixture().value, ScaleMixture().grad):
        with pytest.raises(ValueError, match="eps is None, expected standard normal noise"):
            call(law)
    assert [d.monte_carlo for d in DIVERGENCES] == [isinstance(d, ScaleMixture) for d in DIVERGENCES]


def test_a_point_has_a_mean_alone() -> None:
    params = as_params(Point(), raw_params(Point()), NUMPY64)
    for divergence in (GaussianKL(), LogUniform()):
        with pytest.raises(TypeError, match="has no scale"):
            divergence.value(Law(Point(), params))
