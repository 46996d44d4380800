"""Structured variational dropout: the cut normal law in all its corners, and its divergence."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy
from scipy import special as scipy_special
from scipy import stats

from bayesnoise import maps, methods, special, tree
from bayesnoise.noise import GroupFactor, TruncatedLogNormal
from bayesnoise.posteriors import LogSigmaParams
from bayesnoise.special._truncated_normal import spread, transport

MP = mpmath.mp.clone()
MP.dps = 40
LOW, HIGH = -20.0, 0.0
# (mu, sigma): at an end, inside, wide, nearly uniform, and outside on both sides by up to 75 standard deviations
LAWS = [(0.0, 0.0067), (-0.5, 0.3), (-3.0, 8.0), (-10.0, 150.0), (5.0, 1.0), (-25.0, 1.0), (0.5, 0.0067), (-20.3, 0.02)]
each_law = pytest.mark.parametrize(("mu", "sigma"), LAWS)
TO_64, TO_32 = np.dtype("float64"), np.dtype("float32")


def parameters(mu: Any, sigma: Any, dtype: Any = TO_64) -> LogSigmaParams:
    values = (np.atleast_1d(np.asarray(v, dtype=dtype)) for v in (mu, np.log(np.asarray(sigma, dtype=dtype))))
    return LogSigmaParams(*values)


def tails(mu: float, sigma: float) -> tuple[Any, Any, Any]:
    """The standardised ends and the mass between them, to as many digits as the tails need."""
    with MP.workdps(2500 if max(mu, LOW - mu) > 0 else 60):
        low, high = (LOW - MP.mpf(mu)) / MP.mpf(sigma), (HIGH - MP.mpf(mu)) / MP.mpf(sigma)
        mass = (MP.erfc(low / MP.sqrt(2)) - MP.erfc(high / MP.sqrt(2))) / 2
        return low, high, mass


def closed_form(mu: float, sigma: float) -> float:
    """The divergence as the paper gives it, by the two ends and the mass."""
    low, high, mass = tails(mu, sigma)
    with MP.workdps(2500):
        edge = (low * MP.npdf(low) - high * MP.npdf(high)) / (2 * mass)
        return float(MP.log(HIGH - LOW) - MP.log(MP.mpf(sigma)) - MP.log(2 * MP.pi * MP.e) / 2 - MP.log(mass) - edge)


@pytest.mark.parametrize("log_p", [-1e-12, -1e-3, -0.3, -0.693, -0.694, -1.0, -5.0, -40.0, -800.0])
def test_the_inverse_of_the_normal_distribution_function(namespace: Namespace, log_p: float) -> None:
    given_value = namespace.asarray(np.array([log_p]))
    x = float(to_numpy(namespace.run(special.ndtri_exp, given_value))[0])
    exact_p = MP.mpf(float(to_numpy(given_value)[0]))
    start = float(scipy_special.ndtri_exp(float(exact_p)))
    exact = float(MP.findroot(lambda v: MP.log(MP.ncdf(v)) - exact_p, start))
    assert abs(x - exact) <= 4 * namespace.eps * max(1.0, abs(exact))


def test_the_inverse_agrees_with_scipy_from_end_to_end() -> None:
    log_p = -(10.0 ** np.linspace(-12, 7, 2000))
    want = scipy_special.ndtri_exp(log_p)
    assert np.max(np.abs(special.ndtri_exp(log_p) - want) / np.maximum(1.0, np.abs(want))) <= 1e-12  # scipy's own error


def test_the_inverse_at_its_ends(namespace: Namespace) -> None:
    x = namespace.asarray(np.array([0.0, -math.inf, 1.0, math.nan]))
    y = to_numpy(namespace.run(special.ndtri_exp, x))
    assert np.array_equal(y, [math.inf, -math.inf, math.nan, math.nan], equal_nan=True)


@each_law
def test_the_mass_of_the_cut_law(mu: float, sigma: float) -> None:
    """Quadrature against the difference of two error functions."""
    law = spread(np.array(mu), np.array(sigma), LOW, HIGH)
    _, _, mass = tails(mu, sigma)
    with MP.workdps(2500):
        c = (MP.mpf(min(max(mu, LOW), HIGH)) - MP.mpf(mu)) / MP.mpf(sigma)
        exact = float(MP.log(mass * MP.sqrt(2 * MP.pi)) + c**2 / 2)
    assert float(law.log_mass) == pytest.approx(exact, abs=1e-13 * max(1.0, abs(exact)) * (1.0 + float(c) ** 2 * 0.01))
    assert float(np.sum(law.weights)) == pytest.approx(1.0, rel=1e-14)


def test_nothing_cut_off_is_the_normal_law() -> None:
    eps = np.linspace(-7.0, 7.0, 57)
    law = transport(np.array(-10.0), np.array(0.5), LOW, HIGH, eps)
    np.testing.assert_allclose(law.value, -10.0 + 0.5 * eps, rtol=1e-15)
    np.testing.assert_allclose(law.by_mean, 1.0, rtol=1e-14)
    np.testing.assert_allclose(law.by_log_scale, 0.5 * eps, atol=1e-14)


@each_law
def test_the_transport_has_the_shares_of_the_normal_law(mu: float, sigma: float) -> None:
    """The share below t, in 40 digits and more, against that below eps; by the side on which it is less."""
    low, _, mass = tails(mu, sigma)
    for eps in (-6.0, -2.0, -0.3, 0.0, 1.0, 3.0, 6.0):
        t = float(transport(np.array(mu), np.array(sigma), LOW, HIGH, np.array(eps)).value)
        assert LOW <= t <= HIGH
        with MP.workdps(2500 if max(mu, LOW - mu) > 0 else 60):
            w = (MP.mpf(t) - MP.mpf(mu)) / MP.mpf(sigma)
            share = (MP.erfc(low / MP.sqrt(2)) - MP.erfc(w / MP.sqrt(2))) / 2 / mass
            missed = share - MP.ncdf(eps)
            slope = MP.npdf(w) / mass / MP.mpf(sigma)  # one rounding of t moves the share by this much
        outside = mu < LOW or mu > HIGH
        relative = (1.0 + float(w**2)) * min(float(share), 1 - float(share)) if outside else 0.0
        absolute = 1.0 if outside else 1.0 / float(mass)
        rounding = float(slope) * np.spacing(max(abs(t), abs(mu)))
        assert abs(float(missed)) <= 8 * (rounding + 2.3e-16 * (relative + absolute))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-60.0, 40.0), st.floats(-8.0, 8.0), st.floats(-5.0, 5.0))
def test_the_derivatives_are_those_of_the_transport(mu: float, log_sigma: float, eps: float) -> None:
    """By Richardson's differences: the law of t, and with it the bound, is 1 wide or less in sigma."""

    def at(m: float, a: float) -> float:
        return float(transport(np.array(m), np.exp(np.array(a)), LOW, HIGH, np.array(eps)).value)

    distance = max(mu - HIGH, LOW - mu, 0.0) / math.exp(log_sigma)
    law = transport(np.array(mu), np.exp(np.array(log_sigma)), LOW, HIGH, np.array(eps))
    h = 1e-3 * min(1.0, math.exp(log_sigma))
    for step, got in (((h, 0.0), law.by_mean), ((0.0, 1e-3), law.by_log_scale)):
        near, far = (
            (at(mu + k * step[0], log_sigma + k * step[1]) - at(mu - k * step[0], log_sigma - k * step[1])) / (2 * k)
            for k in (1, 2)
        )
        width = step[0] or step[1]
        difference = (4 * near - far) / 3 / width
        noise = 1e-14 * (abs(mu) + 20 + math.exp(log_sigma)) / width * (1 + distance**2)
        assert float(got) == pytest.approx(difference, abs=1e-7 * (1 + abs(difference)) + noise)


@each_law
def test_the_divergence_is_the_closed_form(mu: float, sigma: float) -> None:
    law = TruncatedLogNormal(LOW, HIGH)
    sigma = float(np.exp(np.log(sigma)))
    assert float(law.kl(parameters(mu, sigma))) == pytest.approx(closed_form(mu, sigma), rel=1e-12, abs=1e-14)


@each_law
def test_single_precision_holds_the_law_in_its_tails(mu: float, sigma: float) -> None:
    """The textbook form is a difference of two numbers of the size of c^2: 5,500 at mu = 0.5 here."""
    law = TruncatedLogNormal(LOW, HIGH)
    single = parameters(mu, sigma, TO_32)
    double = tree.map(lambda leaf: leaf.astype(TO_64), single)
    np.testing.assert_allclose(law.kl(single), law.kl(double), rtol=2e-6, atol=1e-6)
    for got, want in zip(law.kl_grad(single), law.kl_grad(double), strict=True):
        np.testing.assert_allclose(got, want, rtol=5e-6, atol=1e-6)
    np.testing.assert_allclose(law.factor_moments(single)[0], law.factor_moments(double)[0], rtol=1e-5, atol=1e-30)


def test_the_divergence_is_not_negative_and_vanishes_for_the_prior() -> None:
    law = TruncatedLogNormal(LOW, HIGH)
    rng = np.random.default_rng(0)
    each = [float(law.kl(parameters(m, np.exp(a)))) for m, a in rng.uniform((-40.0, -8.0), (20.0, 8.0), (200, 2))]
    assert min(each) >= -1e-13
    assert abs(float(law.kl(parameters(-10.0, 1e6)))) <= 1e-12


def test_moments_are_those_of_scipy() -> None:
    for mu, sigma in LAWS[1:4]:
        law: Any = stats.truncnorm((LOW - mu) / sigma, (HIGH - mu) / sigma, loc=mu, scale=sigma)
        ends = law.ppf(np.linspace(1e-7, 1 - 1e-9, 40))
        nodes, weights = np.polynomial.legendre.leggauss(40)
        edges = np.concatenate([[max(LOW, mu - 12 * sigma)], ends, [HIGH]])
        half = np.diff(edges)[:, None] / 2
        t = (edges[:-1] + edges[1:])[:, None] / 2 + half * nodes
        first, second = (np.sum(half * weights * np.exp(k * t) * law.pdf(t)) for k in (1, 2))
        mean, variance = TruncatedLogNormal(LOW, HIGH).factor_moments(parameters(mu, sigma))
        np.testing.assert_allclose(mean, first, rtol=1e-10)
        np.testing.assert_allclose(variance, second - first**2, rtol=1e-9)


def test_the_threshold_is_a_signal_to_noise_ratio_of_one() -> None:
    law = TruncatedLogNormal(LOW, HIGH)
    params = parameters(np.linspace(-6.0, 0.0, 13), np.full(13, 1.0))
    mean, variance = law.factor_moments(params)
    assert np.array_equal(law.excess(params) <= 3.0, mean >= np.sqrt(variance))
    np.testing.assert_allclose(law.excess(params), 3.0 - 2.0 * np.log(mean / np.sqrt(variance)), atol=1e-12)
    assert float(law.excess(parameters(-10.0, 1e3))[0]) > 3.0  # the prior itself, a unit that nothing is known of


@pytest.mark.parametrize("dtype", [TO_64, TO_32])
def test_everything_is_finite_however_far_the_parameters_went(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    layer = GroupFactor(50, 0, TruncatedLogNormal(LOW, HIGH))
    x = rng.standard_normal((4, 50)).astype(dtype)
    for seed in range(10):
        mu = rng.uniform(-200.0, 200.0, 50).astype(dtype)
        params = LogSigmaParams(mu, rng.uniform(-30.0, 30.0, 50).astype(dtype))
        noise = layer.draw(host_rng(seed), params, x.shape, like=x)
        y, residuals = layer.forward(params, noise, x)
        everything = (
            y,
            layer.backward(residuals, x),
            layer.kl(params),
            layer.kl_grad(params),
            layer.moments(params, x),
        )
        assert all(np.all(np.isfinite(leaf)) for leaf in tree.leaves(everything))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: TruncatedLogNormal(0.0, 0.0), ValueError, "low is 0.0 and high 0.0, expected an interval"),
        (lambda: TruncatedLogNormal(-math.inf), ValueError, "low is -inf, expected a finite number"),
        (lambda: TruncatedLogNormal(initial_log_sigma=math.nan), ValueError, "initial_log_sigma is nan"),
        (lambda: methods.structured_variational_dropout(maps.Bias(2, axis=1)), TypeError, "map is Bias"),
        (
            lambda: methods.structured_variational_dropout(maps.Dense(2, 2), low=1.0),
            ValueError,
            "low is 1.0 and high 0.0",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
