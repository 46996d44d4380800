"""Special functions against mpmath, on every namespace."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

from bayesnoise import special

MP = mpmath.mp.clone()
MP.dps = 40


def _dawson(x: Any) -> Any:
    return x * MP.hyp1f1(1, MP.mpf(3) / 2, -x * x)


def _root_u(log_alpha: Any) -> Any:
    return MP.exp(-log_alpha / 2) / MP.sqrt(2)


def _log_uniform(log_alpha: Any) -> Any:
    u = _root_u(log_alpha) ** 2
    return u * MP.hyp2f2(1, 1, MP.mpf(3) / 2, 2, -u)


def _log1pexp(x: Any) -> Any:
    return MP.log1p(MP.exp(x))


def _points(*ranges: tuple[float, float], extra: tuple[float, ...] = (), n: int = 60) -> Any:
    rng = np.random.default_rng(20)
    return np.concatenate([*(rng.uniform(low, high, n) for low, high in ranges), extra])


class Case(NamedTuple):
    exact: Callable[[Any], Any]  # of an mpmath number
    points: Any  # where the value is a normal number in float32
    bound: float  # on the relative error, in units of the dtype's eps
    odd: bool = False
    at_infinity: tuple[float, float] = (0.0, 0.0)  # limits at -inf and at +inf


SOFTPLUS = _points((-80.0, 80.0), (-12.0, 3.0), extra=(-9.0, -9.001, -8.999, 0.0))
ERF = _points((-6.0, 6.0), (-0.1, 0.1), extra=(2.0, -2.0, 1.999, 6.0, 7.5, 1e-30, 1e4))
NORMAL = _points((-13.0, 4.0), (-0.5, 0.5), extra=(-0.707, -0.708, 1e-30, -1e-30))
DAWSON = _points((-30.0, 30.0), (-3.0, 3.0), extra=(1.0, -1.0, 0.999, 25.0, 24.99, 1e-30, 1e4))
LOG_ALPHA = _points((-12.0, 40.0), (-4.0, 0.0), extra=(-math.log(6.0), -math.log(24.0), -7.2, -7.21, -25.0))

CASES = {
    "softplus": Case(_log1pexp, SOFTPLUS, 4, at_infinity=(0.0, math.inf)),
    "sigmoid": Case(lambda x: 1 / (1 + MP.exp(-x)), SOFTPLUS, 4, at_infinity=(0.0, 1.0)),
    "log_sigmoid": Case(lambda x: -_log1pexp(-x), SOFTPLUS, 4, at_infinity=(-math.inf, 0.0)),
    "log_softplus": Case(lambda x: MP.log(_log1pexp(x)), SOFTPLUS, 8, at_infinity=(-math.inf, math.inf)),
    "dlog_softplus": Case(lambda x: 1 / (1 + MP.exp(-x)) / _log1pexp(x), SOFTPLUS, 6, at_infinity=(1.0, 0.0)),
    "erf": Case(MP.erf, ERF, 6, odd=True, at_infinity=(-1.0, 1.0)),
    "ndtr": Case(MP.ncdf, NORMAL, 96, at_infinity=(0.0, 1.0)),  # the argument of the exponential is rounded: 13^2 / 2
    "log_ndtr": Case(lambda x: MP.log(MP.ncdf(x)), NORMAL, 16, at_infinity=(-math.inf, 0.0)),
    "dawson": Case(_dawson, DAWSON, 8, odd=True),
    "dawson_ratio": Case(lambda x: MP.hyp1f1(1, MP.mpf(3) / 2, -x * x), DAWSON, 8),
    "log_uniform_kl": Case(_log_uniform, LOG_ALPHA, 6, at_infinity=(math.inf, 0.0)),
    "log_uniform_slope": Case(lambda a: -_root_u(a) * _dawson(_root_u(a)), LOG_ALPHA, 8, at_infinity=(-0.5, 0.0)),
    "log_uniform_slope_by_inverse_alpha": Case(
        lambda a: _dawson(_root_u(a)) / _root_u(a) / 2, LOG_ALPHA, 8, at_infinity=(0.0, 0.5)
    ),
}
OTHERS = {"inverse_softplus", "logsumexp", "ndtri_exp"}
each_function = pytest.mark.parametrize("name", sorted(CASES))


@cache
def _exact(name: str, dtype: str) -> tuple[Any, Any]:
    """The points in a dtype, and the values there to 40 digits."""
    case = CASES[name]
    points = np.asarray(case.points, dtype=dtype)
    return points, [case.exact(MP.mpf(float(x))) for x in points]


def _relative_error(values: Any, exact: list[Any]) -> float:
    pairs = zip(np.ravel(values), exact, strict=True)
    return max(float(abs(MP.mpf(float(v)) - e) / abs(e)) if e else float(abs(v)) for v, e in pairs)


def test_every_public_function_has_a_case() -> None:
    assert CASES.keys() | OTHERS == set(special.__all__)


@each_function
def test_against_mpmath(namespace: Namespace, name: str) -> None:
    points, exact = _exact(name, "float64" if namespace.double else "float32")
    x = namespace.asarray(points)
    y = namespace.run(getattr(special, name), x)
    assert namespace.owns(y)
    assert y.shape == x.shape
    assert np.array_equal(to_numpy(x), points)
    assert _relative_error(to_numpy(y), exact) <= CASES[name].bound * namespace.eps


@each_function
def test_finite_from_minus_to_plus_1e4(namespace: Namespace, name: str) -> None:
    x = namespace.asarray(np.concatenate([np.linspace(-1e4, 1e4, 401), np.linspace(-120.0, 120.0, 401), [-0.0]]))
    assert np.all(np.isfinite(to_numpy(namespace.run(getattr(special, name), x))))


@pytest.mark.parametrize("name", ["softplus", "sigmoid", "log_sigmoid", "log_softplus", "dlog_softplus"])
@pytest.mark.parametrize("asarray", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_half_precision(name: str, asarray: Callable[..., Any]) -> None:
    points = np.asarray(np.concatenate([np.linspace(-1e4, 1e4, 41), np.linspace(-20, 20, 81)]), dtype="float16")
    y = getattr(special, name)(asarray(points))
    assert str(y.dtype).endswith("float16")
    exact = [CASES[name].exact(MP.mpf(float(x))) for x in points]
    least = float(np.finfo(np.float16).smallest_normal)
    normal = [i for i, e in enumerate(exact) if abs(e) > least]
    assert np.all(np.isfinite(to_numpy(y)))
    assert _relative_error(to_numpy(y)[normal], [exact[i] for i in normal]) <= 8 * float(np.finfo(np.float16).eps)


@each_function
def test_nan_stays_nan_and_infinity_has_its_limit(namespace: Namespace, name: str) -> None:
    x = namespace.asarray(np.array([math.nan, -math.inf, math.inf]))
    y = to_numpy(namespace.run(getattr(special, name), x))
    assert math.isnan(y[0])
    assert tuple(y[1:]) == CASES[name].at_infinity


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if case.odd))
def test_odd(namespace: Namespace, name: str) -> None:
    points = CASES[name].points
    y = to_numpy(namespace.run(getattr(special, name), namespace.asarray(points)))
    assert np.array_equal(to_numpy(namespace.run(getattr(special, name), namespace.asarray(-points))), -y)


def test_log_softplus_keeps_what_softplus_loses(namespace: Namespace) -> None:
    rho = namespace.asarray(np.array([-1e4, -800.0, -110.0]))
    assert np.array_equal(to_numpy(namespace.run(special.log_softplus, rho)), to_numpy(rho))
    assert np.array_equal(to_numpy(namespace.run(special.dlog_softplus, rho)), np.ones(3))


@settings(deadline=None)
@given(st.floats(1e-300, 1e300))
def test_inverse_softplus(value: float) -> None:
    rho = special.inverse_softplus(value)
    assert isinstance(rho, float)
    exact = MP.log(MP.expm1(MP.mpf(value))) if value < 1e4 else MP.mpf(value)
    # rho goes through 0 at log 2, where only the absolute error is small.
    assert abs(MP.mpf(rho) - exact) <= 4 * np.finfo(np.float64).eps * max(1, abs(exact))


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_inverse_softplus_refuses(value: float) -> None:
    with pytest.raises(ValueError, match=r"value is .*, expected a finite number above 0"):
        special.inverse_softplus(value)


@settings(deadline=None)
@given(st.floats(-700, 700))
def test_the_two_slopes_of_the_log_uniform_divergence_agree(log_alpha: float) -> None:
    a = np.asarray(log_alpha)
    by_log, by_inverse = special.log_uniform_slope(a), special.log_uniform_slope_by_inverse_alpha(a)
    assert np.isclose(by_log, -np.exp(-a) * by_inverse, rtol=1e-14 + 1e-15 * abs(log_alpha), atol=0)


def _logsumexp_rows() -> Any:
    rows = np.random.default_rng(3).normal(size=(4, 5)) * 3
    return np.asarray(np.stack([rows, rows + 1000, rows - 1e4]), dtype="float32")


@pytest.mark.parametrize(("axis", "keepdims"), [(-1, False), (-1, True), (0, False), ((0, 2), False), (None, True)])
def test_logsumexp(namespace: Namespace, axis: Any, keepdims: bool) -> None:
    rows = _logsumexp_rows()
    y = to_numpy(namespace.run(lambda x: special.logsumexp(x, axis=axis, keepdims=keepdims), namespace.asarray(rows)))
    axes = tuple(range(3)) if axis is None else axis
    assert y.shape == np.sum(rows, axis=axes, keepdims=keepdims).shape
    moved = np.moveaxis(rows, axis, -1) if isinstance(axis, int) else rows.transpose(1, 0, 2) if axis else rows
    exact = [MP.log(sum(MP.exp(MP.mpf(float(v))) for v in line)) for line in moved.reshape(y.size if y.ndim else 1, -1)]
    assert _relative_error(y, exact) <= 4 * namespace.eps


def test_logsumexp_of_infinities(namespace: Namespace) -> None:
    inf, nan = math.inf, math.nan
    rows = [[-inf, -inf, -inf], [-inf, 1.0, -inf], [inf, 1e4, -inf], [inf, inf, 0.0], [nan, inf, 0.0]]
    x = namespace.asarray(np.array(rows))
    y = to_numpy(namespace.run(lambda x: special.logsumexp(x, axis=1), x))
    assert namespace.owns(namespace.run(lambda x: special.logsumexp(x), x))
    assert np.array_equal(y, [-inf, 1.0, inf, inf, nan], equal_nan=True)
