"""What is said of variational dropout and is not so: every row of docs/errata.md about it, with numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import rng
from bayesnoise_reference import dropout, linear_regression
from bayesnoise_reference.divergences import log_uniform, multivariate_gaussian
from bayesnoise_reference.numerics import masks
from scipy.special import expit, ndtr

from bayesnoise.divergences import LogUniform, Molchanov
from bayesnoise.estimators import Local, Shared
from bayesnoise.estimators.local import local_sd
from bayesnoise.maps import Dense
from bayesnoise.posteriors import Additive, Multiplicative

Array = Any

K1, K2, K3 = 0.63576, 1.87320, 1.48695


def printed(log_alpha: float) -> float:
    """The approximation as it is printed for the divergence."""
    return float(K1 * expit(K2 + K3 * log_alpha) - 0.5 * np.logaddexp(0.0, -log_alpha) - K1)


def exact(log_alpha: float) -> float:
    return float(log_uniform(np.ones(1), np.exp(0.5 * log_alpha) * np.ones(1)))


@pytest.mark.parametrize("log_alpha", [-5.0, 0.0, 5.0])
def test_the_printed_approximation_is_minus_the_divergence(log_alpha: float) -> None:
    assert printed(log_alpha) < 0 < exact(log_alpha)
    assert -printed(log_alpha) == pytest.approx(exact(log_alpha), abs=9.4e-3)
    assert float(Molchanov().elementwise(np.asarray(log_alpha))) == pytest.approx(-printed(log_alpha), rel=1e-12)


def test_the_printed_approximation_is_not_the_cubic_of_2015() -> None:
    """That one is `c - log(alpha) / 2 - sum_k c_k alpha^k`: near the printed one below alpha = 1, and not above."""

    def cubic(log_alpha: float) -> float:
        a = math.exp(log_alpha)
        return -0.5 * log_alpha - 1.16145124 * a + 1.50204118 * a**2 - 0.58629921 * a**3

    between = [-printed(a) - cubic(a) for a in (-6.0, -3.0, -1.0, 0.0)]
    assert np.ptp(between) < 0.07  # up to its constant, the same
    assert abs(-printed(2.0) - cubic(2.0) - between[0]) > 100.0


def test_dropout_of_weights_is_not_dropout() -> None:
    """A mask a weight gives outputs without covariance; a mask an input, shared by its weights, gives them one."""
    x, w, keep = np.array([1.0, -0.5]), np.array([[1.0, 2.0], [0.5, -1.0]]), 0.7

    def covariance(outputs: list[Array], chances: Array) -> float:
        y = np.stack(outputs)
        return float(chances @ np.prod(y - chances @ y, axis=1))

    rows, chances = masks(2, keep)
    by_input = covariance([(x * z) @ w for z in rows], chances)
    assert by_input == pytest.approx(keep * (1 - keep) * float(np.sum(x**2 * w[:, 0] * w[:, 1])), rel=1e-12)
    rows, chances = masks(4, keep)
    assert covariance([x @ (w * z.reshape(2, 2)) for z in rows], chances) == pytest.approx(0.0, abs=1e-14)
    assert abs(by_input) > 0.3


def test_only_inverted_bernoulli_noise_has_the_moments_of_gaussian_noise() -> None:
    rate = 0.3
    values, chances = np.array([0.0, 1.0]), np.array([rate, 1 - rate])
    assert (chances @ values, chances @ values**2 - (chances @ values) ** 2) == pytest.approx((0.7, 0.21))
    inverted = values / (1 - rate)
    alpha = dropout.equivalent_alpha(rate)
    assert (chances @ inverted, chances @ (inverted - 1) ** 2) == pytest.approx((1.0, alpha), rel=1e-12)
    assert alpha == pytest.approx(0.4286, abs=1e-4)


def test_gradient_descent_as_printed_diverges() -> None:
    """One weight, 50 examples, noise 0.1: the curvature is about 5,000, and a rate of 1e-2 is past `2 / curvature`."""
    x = np.linspace(-2.0, 2.0, 50)
    y, s2 = 1.5 * x, 0.01
    curvature = float(np.sum(x**2)) / s2

    def end(rate: float) -> float:
        mu = 0.0
        for _ in range(200):
            mu -= rate * (curvature * mu - float(np.sum(x * y)) / s2)
        return mu

    assert 2.0 / curvature < 1e-2
    with np.errstate(all="ignore"):
        assert not abs(end(1e-2)) < 1e100
    assert end(1e-4) == pytest.approx(1.5, rel=1e-6)


def test_the_printed_gaussian_divergence_has_lost_its_fractions() -> None:
    mean, scale, p = np.array([0.5, -1.0]), np.array([0.6, 0.8]), 1.3
    right = float(multivariate_gaussian(mean, np.diag(scale), np.zeros(2), p * np.eye(2)))
    trace, square, log_det = np.sum(scale**2), np.sum(mean**2), float(np.sum(np.log(scale**2)))
    ratio = 0.5 * (trace / p**2 + square / p**2 - 2 - (log_det - 4.0 * math.log(p)))
    multiplied = 0.5 * (p**2 * trace + p**2 * square - 2 - (log_det - 4.0 * math.log(p)))
    assert ratio == pytest.approx(right, rel=1e-12)
    assert abs(multiplied - right) > 0.5


def test_what_a_draw_costs() -> None:
    """784 inputs, 400 outputs, a batch of 100: one shared draw, one an example, and local reparameterization."""
    map, x_shape = Dense(784, 400), (100, 784)
    shared, local = Shared().noise_shapes(map, x_shape).eps, Local().noise_shapes(map, x_shape).zeta
    assert math.prod(shared) == 313_600
    assert 100 * math.prod(shared) == 31_360_000
    assert math.prod(local) == 40_000


def test_the_variance_of_the_output_is_not_that_of_the_target() -> None:
    """By enumeration of a two-point weight and a two-point error: the variances add."""
    weights, errors, x = np.array([0.5, 1.5]), np.array([-0.3, 0.3]), 2.0
    target = np.array([w * x + e for w in weights for e in errors])
    assert np.var(target) == pytest.approx(np.var(weights * x) + np.var(errors), rel=1e-12)


def test_draws_of_q_are_not_draws_of_the_posterior() -> None:
    """Independent weights at their best have other predictive variances than the exact posterior."""
    gen = np.random.default_rng(0)
    x = gen.standard_normal((20, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    problem = linear_regression.Problem(x, x @ np.array([1.0, -1.0]), 0.5, 1.0)
    _, covariance = linear_regression.posterior(problem)
    at = np.array([1.0, -1.0])
    mean_field = at**2 @ (1.0 / np.diag(linear_regression.precision(problem)))
    assert abs(mean_field / (at @ covariance @ at) - 1.0) > 0.2


def test_a_divergence_without_noise_prunes_a_layer() -> None:
    """Where a layer draws no noise and its divergence counts, only the divergence moves log alpha: past 3."""
    log_alpha, slope = np.asarray(-8.0), LogUniform().slope
    steps = 0
    while log_alpha < 3.0:
        assert slope(log_alpha) < 0
        log_alpha = log_alpha - 0.1 * slope(log_alpha)
        steps += 1
    assert 0 < steps < 1000


def test_clipping_ends_the_gradient_and_bends_the_divergence() -> None:
    """`log(1 + 1/alpha) / 2` with the exponent held at 20 is 5 too small at log alpha = -30."""
    right, held = (0.5 * np.logaddexp(0.0, min(30.0, most)) for most in (np.inf, 20.0))
    assert right - held == pytest.approx(5.0, abs=1e-8)
    assert exact(-30.0) - exact(-10.0) == pytest.approx(10.0, abs=1e-4)

    def slope(of: Callable[[float], float], at: float) -> float:
        return (of(at + 1e-3) - of(at - 1e-3)) / 2e-3

    assert slope(exact, -12.0) == pytest.approx(-0.5, abs=1e-4)
    assert slope(lambda a: exact(float(np.clip(a, -10.0, 10.0))), -12.0) == 0.0


def test_infinite_alpha_is_infinite_noise_at_a_fixed_weight() -> None:
    sd = math.exp(0.5 * 10.0)
    assert sd == pytest.approx(148.4, abs=0.1)
    inside = float(ndtr((0.05 - 1.0) / sd) - ndtr((-0.05 - 1.0) / sd))  # the output of a weight and an input of 1
    assert inside == pytest.approx(2.7e-4, rel=0.02)


def test_infinite_alpha_costs_nothing_by_convention_alone() -> None:
    """The prior is improper: the level of the divergence is set by calling it 0 there."""
    assert exact(10.0) == pytest.approx(2.27e-5, rel=1e-3)
    assert exact(10.0) > exact(14.0) > 0


def test_an_alpha_a_weight_is_as_many_numbers_as_a_variance() -> None:
    map, like = Dense(7, 5), np.zeros(())
    sizes = [
        sum(leaf.size for leaf in posterior.init(rng(0, like=like), map, like=like))
        for posterior in (Multiplicative(), Additive())
    ]
    assert sizes == [70, 70]


def test_the_gradient_of_the_mean_is_noisy_in_one_parameterization_only() -> None:
    """`dw / dtheta` is `1 + sqrt(alpha) eps` where the scale is a multiple of theta, and 1 where it is its own."""
    log_alpha = 5.0
    assert math.exp(0.5 * log_alpha) == pytest.approx(12.18, abs=0.01)
    posterior, params = Additive(), Additive().init(rng(0, like=np.zeros(())), Dense(1, 1), like=np.zeros(()))
    shifted = params._replace(theta=params.theta + 1.0)
    assert np.array_equal(posterior.scale(shifted), posterior.scale(params))


def test_an_epsilon_under_the_root_is_noise_where_there_is_none() -> None:
    """An input of zeros has an output without noise; `sqrt(v + 1e-8)` would give it a deviation of 1e-4."""
    assert float(local_sd(np.zeros(()))) == 0.0
    assert float(local_sd(np.full((), 1e-8))) == pytest.approx(1e-4)


def test_the_dropout_regulariser_of_the_slides_is_minus_the_divergence() -> None:
    """`log(alpha)/2 + c1 alpha + c2 alpha^2 + c3 alpha^3` is `C - KL`, and only for alpha up to 1."""

    def series(alpha: float) -> float:
        return 0.5 * math.log(alpha) + 1.16145124 * alpha - 1.50204118 * alpha**2 + 0.58629921 * alpha**3

    sums = [series(math.exp(a)) + exact(a) for a in (-6.0, -4.0, -2.0, 0.0)]
    assert max(sums) - min(sums) < 0.041
    assert series(math.e**2) + exact(2.0) - sums[0] > 100.0
