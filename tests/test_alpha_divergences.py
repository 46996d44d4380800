"""Divergences of alpha alone: as functions of log alpha, at its extremes, and how far the approximations are off."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from bayesnoise_reference import divergences as oracle
from bayesnoise_reference.numerics import complex_step
from cases import LAWS
from closeness import assert_close
from divergence_cases import ALPHA, ALPHA_ORACLES, as_params, layer_of, representable, tolerance_of
from namespaces import Namespace, to_numpy

from bayesnoise.divergences import AlphaDivergence, Kingma, LogUniform, Molchanov
from bayesnoise.posteriors import Additive, Gaussian, LogSigmaGaussian, Posterior


@cache
def _value_and_slopes(divergence: Any) -> Callable[[Any], tuple[Any, Any, Any]]:
    """The three functions as one, the same object each time: where it is compiled, it is compiled once a dtype."""
    return lambda a: (divergence.elementwise(a), divergence.slope(a), divergence.slope_by_inverse_alpha(a))


@pytest.mark.parametrize("divergence", ALPHA, ids=repr)
def test_alpha_alone(namespace: Namespace, divergence: Any) -> None:
    """What noise on activations uses: one term a unit, as a function of log alpha."""
    a = representable([-9.0, -7.5, -3.0, -1.51, -0.3, 0.2, 1.0, 2.5])
    exact_of = ALPHA_ORACLES[divergence]
    exact = [float(np.real(exact_of(np.ones(1), np.exp(0.5 * x)))) for x in a]
    slope = complex_step(lambda x: exact_of(np.ones(a.shape), np.exp(0.5 * x)), a)
    by_inverse = complex_step(lambda x: exact_of(np.ones(a.shape), x**-0.5), np.exp(-a))
    got = namespace.run(_value_and_slopes(divergence), namespace.asarray(a))
    for g, want in zip(got, (exact, slope, by_inverse), strict=True):
        assert_close(g, want, tolerance_of(namespace), namespace)


@pytest.mark.parametrize("divergence", ALPHA, ids=repr)
def test_alpha_at_its_extremes(namespace: Namespace, divergence: Any) -> None:
    log_alpha = namespace.asarray(np.array([-1e4, -500.0, 300.0, 500.0, 700.0, 1e4, 1e5, math.inf]))
    value, slope, by_inverse = map(to_numpy, namespace.run(_value_and_slopes(divergence), log_alpha))
    constant = to_numpy(divergence.elementwise(namespace.asarray(np.array(-30.0)))) - 15.0
    assert np.allclose(value[:2], [5000.0 + constant, 250.0 + constant], rtol=4 * namespace.eps)
    assert np.array_equal(slope[:2], [-0.5, -0.5])
    assert np.all(by_inverse[:2] <= math.exp(-500.0))
    assert np.all(slope[2:] >= -math.exp(-290.0))
    assert np.all(slope[2:] <= 0)
    if isinstance(divergence, Kingma):  # clipped at alpha = 1
        assert np.array_equal(value[2:], to_numpy(divergence.elementwise(namespace.asarray(np.zeros(6)))))
        assert np.array_equal(by_inverse[2:], np.zeros(6))
    else:
        assert np.all(value[2:] <= math.exp(-290.0))
        assert np.array_equal(by_inverse[2:], np.full(6, 0.5))


@pytest.mark.parametrize("posterior", [Gaussian(), LogSigmaGaussian(), Additive()], ids=repr)
def test_a_weight_at_zero(namespace: Namespace, posterior: Posterior) -> None:
    """At mean 0 alpha is infinite, and yet the divergence is smooth: its gradient by the mean is 0."""
    raw = (representable([[0.0], [0.0], [1e-30]]), representable([[-3.0], [0.5], [-1.0]]))
    params = as_params(posterior, raw, namespace)
    scale = LAWS[type(posterior)](*raw)[1]
    layer = layer_of(posterior, LogUniform())
    value, grad = namespace.run(lambda p: (layer.kl(p), layer.kl_grad(p)), params)
    assert_close(grad[0], raw[0] * scale**-2, tolerance_of(namespace), namespace)
    assert np.all(np.abs(to_numpy(grad[1])) <= 1e-30)
    assert np.isfinite(to_numpy(value))


@pytest.mark.parametrize(
    ("log_alpha", "value"), [(-10, 5.63515872121976), (-3, 2.10797830771130), (3, 0.0246883354403)]
)
def test_the_oracle_of_the_log_uniform_divergence_by_a_third_way(log_alpha: float, value: float) -> None:
    u = mpmath.exp(-log_alpha) / 2
    hypergeometric = float(u * mpmath.hyp2f2(1, 1, 1.5, 2, -u))
    assert math.isclose(hypergeometric, value, rel_tol=1e-12)
    by_quadrature = float(oracle.log_uniform(np.array(2.0), np.array(2.0 * math.exp(0.5 * log_alpha))))
    assert math.isclose(by_quadrature, hypergeometric, rel_tol=1e-12)
    assert math.isclose(oracle.log_uniform_constant(), float((mpmath.euler + mpmath.log(2)) / 2), rel_tol=1e-13)


@pytest.mark.parametrize(
    ("divergence", "to", "value_error", "at", "slope_error"),
    [(Molchanov(), 10.0, 9.37e-3, -3.51, 1.37e-2), (Kingma(), 0.0, 4.03e-2, -2.10, 5.4e-2)],
    ids=repr,
)
def test_the_errors_of_the_approximations_are_as_documented(
    divergence: AlphaDivergence, to: float, value_error: float, at: float, slope_error: float
) -> None:
    a = np.arange(-1000, 100 * to + 1) / 100
    error = np.abs(divergence.elementwise(a) - LogUniform().elementwise(a))
    assert math.isclose(np.max(error), value_error, rel_tol=2e-3)
    assert math.isclose(a[np.argmax(error)], at, abs_tol=1e-9)
    assert math.isclose(np.max(np.abs(divergence.slope(a) - LogUniform().slope(a))), slope_error, rel_tol=1e-2)
