"""The cut normal law from `log_sigma` -100 to 100, in single precision as in double, against many digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from namespaces import Namespace, to_numpy

from bayesnoise.noise import TruncatedLogNormal
from bayesnoise.noise.truncated_log_normal import TruncatedLogNormalNoise
from bayesnoise.posteriors import LogSigmaParams
from bayesnoise.special._truncated_normal import expm1_excess, transport

MP = mpmath.mp.clone()
MP.dps = 450  # 10^-174 of a number is left of the divergence at log_sigma = 100
LOW, HIGH = -20.0, 0.0
LAW = TruncatedLogNormal(LOW, HIGH)
MEANS = [-1000.0, -25.0, -10.0, 0.0, 0.01, 5.0]
LOG_SIGMAS = [-100.0, -60.0, -20.0, -10.0, -1.0, 2.0, 5.0, 20.0, 100.0]
EPS = np.array([-6.0, -0.5, 0.0, 3.0])
LEFT_OUT = math.exp(-37) * (37**2 + 2 * 37 + 2)  # the integral of y^2 exp(-y) from 37 on, where the nodes end
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def parameters(mu: float, log_sigma: float, dtype: Any) -> LogSigmaParams:
    return LogSigmaParams(np.array([mu], dtype=dtype), np.array([log_sigma], dtype=dtype))


def definition(params: LogSigmaParams) -> tuple[Any, Any, Any]:
    """The divergence and its derivatives; beyond 200 deviations by the exponential law, which is off by c^-2 there."""
    mu, sigma = MP.mpf(float(params.mu[0])), MP.exp(MP.mpf(float(params.log_sigma[0])))
    low, high = (LOW - mu) / sigma, (HIGH - mu) / sigma
    if max(low, -high) > 200:
        distance = mu - HIGH if mu > HIGH else LOW - mu
        slope = 1 / distance if mu > HIGH else -1 / distance
        return MP.log((HIGH - LOW) * distance / sigma**2) - 1, slope, MP.mpf(-2)
    left = high < 0
    first, second = (-high, -low) if left else (low, high)
    mass = (MP.erfc(first / MP.sqrt(2)) - MP.erfc(second / MP.sqrt(2))) / 2
    at_low, at_high = MP.npdf(low) / mass, MP.npdf(high) / mass
    powers = [MP.mpf(1), at_low - at_high]
    for k in (2, 3, 4):
        powers.append((k - 1) * powers[k - 2] + low ** (k - 1) * at_low - high ** (k - 1) * at_high)
    entropy = MP.log(sigma) + MP.log(2 * MP.pi) / 2 + MP.log(mass) + powers[2] / 2
    by_mean = -(powers[3] - powers[2] * powers[1]) / (2 * sigma)
    return MP.log(HIGH - LOW) - entropy, by_mean, -(powers[4] - powers[2] ** 2) / 2


def steepness(params: LogSigmaParams) -> float:
    mu = float(params.mu[0])
    return max(mu - HIGH, LOW - mu, 0.0) / math.exp(float(params.log_sigma[0]))


@each_dtype
@pytest.mark.parametrize("mu", MEANS)
def test_the_divergence_and_its_gradients_hold_their_digits(mu: float, dtype: Any) -> None:
    """The mean in the middle has a derivative of 0; at an end it may leave the numbers, which is the test below."""
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_normal)
    for log_sigma in LOG_SIGMAS:
        params = parameters(mu, log_sigma, dtype)
        want, grads = float(LAW.kl(params)), LAW.kl_grad(params)
        exact = definition(params)
        c = steepness(params)
        tolerance = 64 * eps + (6 / c**2 if c > 200 else 0.0)
        slack = tolerance + (2 * LEFT_OUT if log_sigma < 1 or c > 8 else 0.0)
        assert want >= 0
        assert abs(want - exact[0]) <= tolerance * exact[0] + tiny
        assert abs(float(grads.log_sigma[0]) - exact[2]) <= slack * abs(exact[2]) + tiny
        if abs(exact[1]) < 1e35:
            bound = abs(exact[1]) if mu != -10.0 else abs(exact[2])
            assert abs(float(grads.mu[0]) - exact[1]) <= slack * bound + tiny


@each_dtype
def test_the_slope_at_an_end_stops_before_it_overflows(dtype: Any) -> None:
    at_end = [float(LAW.kl_grad(parameters(HIGH, a, dtype)).mu[0]) for a in (-100.0, -90.0)]
    if dtype is np.float32:  # 1.1e43 and 4.9e38 in truth
        assert at_end[0] == at_end[1]
        assert 1e35 < at_end[0] < 1e36
    else:
        assert at_end[0] / at_end[1] == pytest.approx(math.exp(10.0), rel=1e-12)


def test_everything_is_finite_over_the_range(namespace: Namespace) -> None:
    params = LogSigmaParams(*(namespace.asarray(np.ravel(v)) for v in np.meshgrid(MEANS, LOG_SIGMAS)))
    noise = TruncatedLogNormalNoise(namespace.asarray(EPS[:, None] * np.ones(len(MEANS) * len(LOG_SIGMAS))))

    def everything(params: Any, noise: Any) -> Any:
        z = LAW.factor(params, noise)
        return (
            z,
            LAW.factor_backward(params, noise, z, z),
            LAW.kl(params),
            LAW.kl_grad(params),
            LAW.factor_moments(params),
        )

    z, by_factor, kl, by_kl, moments = namespace.run(everything, params, noise)
    for part in (z, *by_factor, kl, *by_kl, *moments):
        assert np.all(np.isfinite(to_numpy(part)))
    assert np.all((to_numpy(z) >= 0) & (to_numpy(z) <= 1))


@each_dtype
@pytest.mark.parametrize("mu", [-25.0, -20.0, -10.0, 0.0, 5.0, 30.0])
@pytest.mark.parametrize("log_sigma", [4.0, 5.0, 7.0, 10.0, 20.0, 100.0])
def test_a_wide_law_has_its_ranks_and_derivatives(mu: float, log_sigma: float, dtype: Any) -> None:
    """`q ~ 1 - k x - (d x)^2 / 2` on the share x of the interval; the rest is in many digits."""
    eps, given = float(np.finfo(dtype).eps), np.array(log_sigma, dtype=dtype)
    with np.errstate(over="ignore"):
        law = transport(np.array(mu, dtype=dtype), np.exp(given), LOW, HIGH, EPS.astype(dtype))
    sigma = MP.exp(MP.mpf(float(given)))
    low, high = (LOW - MP.mpf(mu)) / sigma, (HIGH - MP.mpf(mu)) / sigma
    for i, e in enumerate(EPS.astype(dtype)):
        u = MP.ncdf(MP.mpf(float(e)))
        goal = (1 - u) * MP.erf(low / MP.sqrt(2)) + u * MP.erf(high / MP.sqrt(2))
        w = low + u * (high - low)
        for _ in range(12):
            w = w - (MP.erf(w / MP.sqrt(2)) - goal) / (2 * MP.npdf(w))
        a, b = (1 - u) * MP.npdf(low) / MP.npdf(w), u * MP.npdf(high) / MP.npdf(w)
        assert abs(float(law.value[i]) - (mu + sigma * w)) <= 8 * eps * (HIGH - LOW)
        assert abs(float(law.by_mean[i]) - (1 - a - b)) <= 8 * eps
        assert abs(float(law.by_log_scale[i]) - sigma * (w - low * a - high * b)) <= 32 * eps * (HIGH - LOW)


@each_dtype
@pytest.mark.parametrize("log_sigma", [-100.0, -60.0, -30.0])
@pytest.mark.parametrize("mu", [-45.0, 30.0])
def test_a_narrow_law_outside_lies_at_its_end(mu: float, log_sigma: float, dtype: Any) -> None:
    """`|t - r| = sigma^2 / distance` times an exponential number, and derivatives of t that are smaller still."""
    eps, given = float(np.finfo(dtype).eps), np.array(log_sigma, dtype=dtype)
    law = transport(np.array(mu, dtype=dtype), np.exp(given), LOW, HIGH, EPS.astype(dtype))
    end = HIGH if mu > HIGH else LOW
    np.testing.assert_allclose(law.value, end, rtol=0, atol=eps * abs(end) + 1e-20)
    np.testing.assert_allclose(law.by_mean, 0.0, rtol=0, atol=8 * eps * -2 * log_sigma)
    np.testing.assert_allclose(law.by_log_scale, 0.0, rtol=0, atol=8 * eps * -2 * log_sigma * abs(mu))


@each_dtype
def test_the_excess_of_the_exponential_holds_its_digits(dtype: Any) -> None:
    x = np.array([-30.0, -1.0, -0.5, -0.4999, -1e-3, -1e-15, 1e-15, 0.1, 0.4999, 0.5, 3.0], dtype=dtype)
    want = [float(MP.expm1(MP.mpf(float(v))) - MP.mpf(float(v))) for v in x]
    np.testing.assert_allclose(expm1_excess(x), want, rtol=10 * float(np.finfo(dtype).eps))
