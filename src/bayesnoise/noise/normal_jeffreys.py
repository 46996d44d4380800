"""Gaussian factors under the prior `p(z) ~ 1 / |z|`, which makes a group of normal weights normal-Jeffreys.

    z = theta + exp(log_sigma2 / 2) eps

Louizos, Ullrich, Welling 2017 (arXiv 1705.08665), section 4.1 (numbering as reported). The divergence is that of
variational dropout, exact here where the paper approximates it, one term a unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.divergences import AlphaDivergence, LogUniform
from bayesnoise.estimators.shared import sample, sample_backward
from bayesnoise.posteriors import Additive, AdditiveParams, Coordinates, Law

_LAW = Additive()


class NormalJeffreysNoise(NamedTuple):
    eps: Array  # (n, k), standard normal


@dataclass(frozen=True)
class NormalJeffreys:
    """Parameters `theta` and `log_sigma2`, `(k,)` each, at 1 and `initial_log_sigma2`. ValueError unless finite."""

    initial_log_sigma2: float = -9.0
    divergence: AlphaDivergence = LogUniform()  # noqa: RUF009 - frozen, without state

    def __post_init__(self) -> None:
        _checks.finite("initial_log_sigma2", self.initial_log_sigma2)

    def init(self, units: int, *, like: Array) -> AdditiveParams:
        xp = array_namespace(like)
        one = xp.ones((units,), dtype=like.dtype, device=device(like))
        return AdditiveParams(one, xp.full_like(one, self.initial_log_sigma2))

    def noise_shapes(self, n: int, units: int) -> NormalJeffreysNoise:
        return NormalJeffreysNoise((n, units))

    def factor(self, params: AdditiveParams, noise: NormalJeffreysNoise) -> Array:
        return sample(_LAW.mean(params), _LAW.scale(params), noise.eps)

    def factor_backward(
        self, params: AdditiveParams, noise: NormalJeffreysNoise, z: Array, grad_z: Array
    ) -> AdditiveParams:
        mean, scale = (array_namespace(g).sum(g, axis=0) for g in sample_backward(grad_z, noise.eps))
        return _LAW.pullback(params, Coordinates(mean=mean, scale=scale))

    def factor_moments(self, params: AdditiveParams) -> tuple[Array, Array]:
        return _LAW.mean(params), _LAW.scale(params) ** 2

    def excess(self, params: AdditiveParams) -> Array:
        """`log alpha`, the logarithm of the variance over the squared mean."""
        return _LAW.log_alpha(params)

    def kl(self, params: AdditiveParams) -> Array:
        return self.divergence.value(Law(_LAW, params))

    def kl_grad(self, params: AdditiveParams) -> AdditiveParams:
        return _LAW.pullback(params, self.divergence.grad(Law(_LAW, params)))
