"""The divergences under test, what the oracle says of each, and the laws they are tried on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import divergences as oracle
from namespaces import Namespace

from bayesnoise.divergences import (
    ARD,
    L2,
    AlphaDivergence,
    Divergence,
    GaussianKL,
    Kingma,
    Laplace,
    LogNormalGamma,
    LogUniform,
    Molchanov,
    ScaleMixture,
    Zero,
)
from bayesnoise.estimators import Plain, Shared
from bayesnoise.maps import Dense
from bayesnoise.posteriors import Multiplicative, Point, Posterior
from bayesnoise.stochastic import Stochastic, StochasticNoise

MAP = Dense(3, 2)
ROUNDING = 64  # bound on the relative error in units of the dtype's eps: 8e-6 in float32
QUADRATURE = 1e-11  # and what quadrature, and for ARD a minimum by root finding, are good for in float64


def tolerance_of(namespace: Namespace) -> float:
    return max(ROUNDING * namespace.eps, QUADRATURE)


def representable(x: Any) -> Any:
    """Numbers that float32 holds exactly: every namespace then gets the very same input."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def normal(seed: int, shape: tuple[int, ...] = MAP.weight_shape) -> Any:
    return representable(np.random.default_rng(seed).standard_normal(shape))


PRIOR_SCALE, PRIOR_MEAN = representable(np.exp(normal(1))), normal(2, (1, 2))
EPS = normal(3)
LARGEST = 11.0  # of a divergence with exp(mean + scale^2 / 2) in it, whose slope has scale^2 times that: e^77 here


class Case(NamedTuple):
    divergence: Divergence
    exact: Callable[[Any, Any, Any, Any], Any]  # of mean and scale, and of those of q where a path is held apart
    largest: float = 1e4  # mean and scale at which it is a number in float32


def mixture_draw(mean: Any, scale: Any, q_mean: Any, q_scale: Any) -> Any:
    return oracle.scale_mixture_draw(mean, scale, q_mean, q_scale, EPS, 0.25, 1.5, 0.125)


CASES = [
    Case(GaussianKL(), lambda m, s, *_: oracle.gaussian(m, s, 0.0, 1.0)),
    Case(GaussianKL(0.5, -0.25), lambda m, s, *_: oracle.gaussian(m, s, -0.25, 0.5)),
    Case(GaussianKL(PRIOR_SCALE, PRIOR_MEAN), lambda m, s, *_: oracle.gaussian(m, s, PRIOR_MEAN, PRIOR_SCALE)),
    Case(Laplace(0.75), lambda m, s, *_: oracle.laplace(m, s, 0.75)),
    Case(LogNormalGamma(0.25), lambda m, s, *_: oracle.log_normal_gamma(m, s, 0.25), LARGEST),
    Case(LogNormalGamma(inverse=True), lambda m, s, *_: oracle.log_normal_inverse_gamma(m, s, 1.0), LARGEST),
    Case(LogUniform(), lambda m, s, *_: oracle.log_uniform(m, s)),
    Case(Molchanov(), lambda m, s, *_: oracle.molchanov(m, s)),
    Case(Kingma(), lambda m, s, *_: oracle.kingma(m, s)),
    Case(ARD(), lambda m, s, *_: oracle.ard(m, s)),
    Case(ScaleMixture(0.25, 1.5, 0.125), lambda m, s, *_: mixture_draw(m, s, m, s)),
    Case(ScaleMixture(0.25, 1.5, 0.125, gradient="path"), mixture_draw),
    Case(L2(0.5), lambda m, s, *_: oracle.dropout_penalty(m, 0.5, 1.0)),
    Case(L2(0.5, keep=0.75), lambda m, s, *_: oracle.dropout_penalty(m, 0.5, 0.75)),
    Case(L2(0.5, keep=1 / 0.75), lambda m, s, *_: oracle.dropout_penalty(m / 0.75, 0.5, 0.75)),  # inverted dropout
    Case(Zero(), lambda m, s, *_: 0.0 * np.sum(m)),
]
DIVERGENCES: list[Divergence] = [case.divergence for case in CASES]
ALPHA: list[AlphaDivergence] = [LogUniform(), Molchanov(), Kingma(), ARD()]
ALPHA_ORACLES: dict[Any, Any] = {
    LogUniform(): oracle.log_uniform,
    Molchanov(): oracle.molchanov,
    Kingma(): oracle.kingma,
    ARD(): oracle.ard,
}
SHARED_ALPHA: list[Posterior] = [Multiplicative(alpha="input"), Multiplicative(alpha="output")]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda c: repr(c.divergence))


def raw_params(posterior: Posterior) -> tuple[Any, ...]:
    """Parameters as NumPy arrays, of which some have alpha above 1 and some below."""
    mean, raw = normal(4), representable(0.7 * normal(5) - 1.0)
    if isinstance(posterior, Point):
        return (mean,)
    if isinstance(posterior, Multiplicative):
        return mean, raw[tuple(slice(0, n) for n in MAP.unit_shape(posterior.alpha))]
    return mean, raw


def as_params(posterior: Posterior, raw: tuple[Any, ...], namespace: Namespace) -> Any:
    kind = type(posterior.init(host_rng(0), MAP, like=np.ones(())))
    return kind(*(namespace.asarray(x) for x in raw))


def layer_of(posterior: Posterior, divergence: Divergence) -> Stochastic:
    return Stochastic(MAP, posterior, Shared() if posterior.traits.random else Plain(), divergence)


def fits(divergence: Divergence, posterior: Posterior) -> bool:
    return posterior.traits.random or isinstance(divergence, L2 | Zero)


def noise_of(namespace: Namespace) -> StochasticNoise:
    return StochasticNoise(None, namespace.asarray(EPS))
