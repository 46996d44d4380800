"""Concrete dropout: the bias of its mask, the scale of its divergence, its extremes, and what it refuses."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from agreement import assert_close
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import concrete_dropout
from bayesnoise_reference.numerics import gauss_legendre

from bayesnoise import maps, methods
from bayesnoise.concrete import ConcreteDropout, ConcreteNoise, ConcreteParams
from bayesnoise.layer import HasMoments

ONE = maps.Dense(1, 1)


def factors(p: float, temperature: float, v: Any) -> Any:
    """The factor that the layer puts on its input where u has the logit v."""
    layer = ConcreteDropout(ONE, temperature=temperature)
    params = ConcreteParams(np.ones((1, 1)), np.asarray(log(p) - log(1 - p)))
    u = 1 / (1 + np.exp(-v))
    return layer.forward(params, ConcreteNoise(u[:, None]), np.ones((v.size, 1)))[0][:, 0]


# Four digits of E z, E (1 - z)/(1 - p) and its variance: the mask is not quite what it relaxes.
@pytest.mark.parametrize(
    ("p", "temperature", "dropped", "mean", "variance"),
    [
        (0.05, 0.1, 0.0507, 0.9993, None),
        (0.1, 0.1, 0.1012, 0.9987, 0.101),
        (0.2, 0.1, 0.2016, 0.9980, None),
        (0.5, 0.1, 0.5, 1.0, 0.901),
        (0.5, 0.5, 0.5, 1.0, 0.571),
    ],
)
def test_bias_of_the_relaxed_mask(
    p: float, temperature: float, dropped: float, mean: float, variance: float | None
) -> None:
    v, weights = gauss_legendre(np.linspace(-34.0, 34.0, 273))
    density = weights * np.exp(-np.abs(v)) / (1 + np.exp(-np.abs(v))) ** 2
    factor = factors(p, temperature, v)
    first, second = float(density @ factor), float(density @ factor**2)
    expected = concrete_dropout.factor_moments(p, temperature)
    np.testing.assert_allclose([first, second - first**2], expected[1:], rtol=1e-11)
    assert 1 - first * (1 - p) == pytest.approx(expected[0], rel=1e-11)
    assert expected[0] == pytest.approx(dropped, abs=5e-5)
    assert expected[1] == pytest.approx(mean, abs=5e-5)
    if variance is not None:
        assert expected[2] == pytest.approx(variance, abs=5e-4)
        assert expected[2] < p / (1 - p)


def test_a_cold_mask_is_dropout() -> None:
    """At a low temperature a unit is dropped where u exceeds 1 - p, and kept with the factor 1 / (1 - p)."""
    v = np.array([-3.0, 0.0, 1.0, 3.0])
    np.testing.assert_allclose(factors(0.2, 1e-3, v), [1.25, 1.25, 1.25, 0.0], rtol=1e-14, atol=1e-300)


def test_divergence_has_the_scale_of_the_paper() -> None:
    """`2 KL / N` is the regulariser of the paper's program, with its length scale `1 / prior_scale`."""
    n, prior_scale, dense = 500, 4.0, maps.Dense(3, 2)
    layer = ConcreteDropout(dense, prior_scale=prior_scale)
    params = ConcreteParams(np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, 0.0]]), np.asarray(-0.7))
    p = 1 / (1 + np.exp(0.7))
    weight_regulariser, dropout_regulariser = prior_scale**-2 / n, 2 / n
    paper = weight_regulariser * np.sum(params.theta**2) / (1 - p)
    paper += dropout_regulariser * 3 * (p * np.log(p) + (1 - p) * np.log(1 - p))
    assert 2 * float(layer.kl(params)) / n == pytest.approx(paper, rel=1e-14)


def test_the_rate_has_an_optimum_where_the_slope_is_zero() -> None:
    """Without data: `|theta|^2 / (2 s^2 (1 - p)) = -K logit (1 - p)`, a rate above which entropy no longer pays."""
    layer = ConcreteDropout(maps.Dense(4, 1))
    params = ConcreteParams(np.full((4, 1), 0.5), np.asarray(0.0))
    assert float(layer.kl_grad(params).logit) == pytest.approx(0.5 * np.sum(params.theta**2), rel=1e-15)
    low = params._replace(logit=np.asarray(-3.0))
    assert float(layer.kl_grad(low).logit) < 0


def test_extremes_are_finite(namespace: Any) -> None:
    """Logits far out, draws at 0 and next to 1: finite output, gradients and, away from rate 1, divergence."""
    layer = ConcreteDropout(maps.Dense(2, 1))
    x = namespace.asarray(np.array([[1.0, -2.0]]))
    theta = namespace.asarray(np.array([[0.5], [1.0]]))
    for logit in (-1e4, -100.0, 0.0, 60.0, 1e4):
        for u in (0.0, 0.5, 1 - 2.0**-24):
            params = ConcreteParams(theta, namespace.asarray(np.array(logit)))
            y, residuals = layer.forward(params, ConcreteNoise(namespace.asarray(np.full((1, 2), u))), x)
            grad_x, grad = layer.backward(residuals, namespace.asarray(np.ones((1, 1))))
            assert grad_x is not None
            for value in (y, grad_x, grad.theta, grad.logit):
                assert_close(value - value, np.zeros(tuple(value.shape)), 0.0, namespace)  # neither infinite nor NaN
        if logit < 60.0:
            for value in (layer.kl(params), *layer.kl_grad(params)):
                assert_close(value - value, np.zeros(tuple(value.shape)), 0.0, namespace)


def test_a_channel_has_one_mask_value() -> None:
    layer = ConcreteDropout(maps.Conv(3, 2, (2, 2)), initial_rate=0.5)
    assert layer.units == 3
    params = layer.init(host_rng(0), like=np.ones(()))
    assert layer.draw(host_rng(1), params, (5, 3, 4, 4), like=np.ones(())).u.shape == (5, 3, 1, 1)
    assert 1 / (1 + np.exp(-params.logit)) == pytest.approx(0.5)


def test_no_moments_are_promised() -> None:
    for layer in (methods.concrete_dropout(ONE), methods.concrete_dropout(ONE, bias="none")):
        promised: object = layer
        assert not isinstance(promised, HasMoments)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: methods.concrete_dropout(ONE, temperature=0.0), ValueError, "temperature is 0.0, expected a finite"),
        (lambda: methods.concrete_dropout(ONE, temperature=-0.1), ValueError, "temperature is -0.1"),
        (lambda: methods.concrete_dropout(ONE, rate=0.0), ValueError, "^rate is 0.0, expected a probability"),
        (lambda: methods.concrete_dropout(ONE, rate=1.0), ValueError, "^rate is 1.0"),
        (lambda: methods.concrete_dropout(ONE, prior_scale=0.0), ValueError, "prior_scale is 0.0"),
        (lambda: methods.concrete_dropout(ONE.bias()), TypeError, "map is Bias"),
        (lambda: methods.concrete_dropout(ONE, bias="random"), ValueError, "Point"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
