"""Log-normal factors under a half-Cauchy prior for all of them and one for each: the horseshoe.

    z_i = sqrt(s_a s_b a_i b_i),    s_a ~ Gamma(1/2, t^2),  a_i ~ Gamma(1/2, 1),  s_b, b_i ~ InverseGamma(1/2, 1)

so that `z_i = s z~_i` with `s` half-Cauchy of scale t and `z~_i` of scale 1. Louizos, Ullrich, Welling 2017 (arXiv
1705.08665), section 4.2 (numbering as reported), after Carvalho, Polson, Scott 2010. Every one of the four has a
log-normal law of its own, and the logarithm of a square root of products is half a sum: two normal numbers are drawn,
one a unit and one for `s`, which all units of an example share. One combined draw a unit, as would be right for the
law of each `z_i` alone, would lose what `s` makes them have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.divergences import LogNormalGamma
from bayesnoise.estimators.local import local_sd, local_sd_backward
from bayesnoise.estimators.shared import sample, sample_backward
from bayesnoise.posteriors import Coordinates, Law, LogSigmaGaussian, LogSigmaParams

_LAW = LogSigmaGaussian()  # of a logarithm


class HalfCauchyParams(NamedTuple):
    shared_gamma: LogSigmaParams  # (1,), of log s_a
    shared_inverse: LogSigmaParams  # (1,), of log s_b
    gamma: LogSigmaParams  # (k,), of log a
    inverse: LogSigmaParams  # (k,), of log b


class HalfCauchyNoise(NamedTuple):
    eps: Array  # (n, k), standard normal
    shared_eps: Array  # (n, 1), standard normal, behind s


def _pair(gamma: LogSigmaParams, inverse: LogSigmaParams) -> tuple[Array, Array]:
    """Mean and standard deviation of the logarithm of the product of the two."""
    return _LAW.mean(gamma) + _LAW.mean(inverse), local_sd(_LAW.scale(gamma) ** 2 + _LAW.scale(inverse) ** 2)


def _pair_backward(
    gamma: LogSigmaParams, inverse: LogSigmaParams, grad_mean: Array, grad_sd: Array
) -> tuple[LogSigmaParams, LogSigmaParams]:
    """Gradients of the parameters of the two."""
    by_variance = local_sd_backward(_pair(gamma, inverse)[1], grad_sd)
    of_gamma, of_inverse = (
        _LAW.pullback(p, Coordinates(mean=grad_mean, scale=2.0 * _LAW.scale(p) * by_variance)) for p in (gamma, inverse)
    )
    return of_gamma, of_inverse


@dataclass(frozen=True)
class HalfCauchy:
    """`scale` is t, that of the factor which all units share: the smaller, the nearer to zero is the prior.

    Logarithms start at `initial_log_sigma2`, and at means that make z about 1. ValueError unless the scale is finite
    and above 0, and the logarithm finite.
    """

    scale: float = 1.0
    initial_log_sigma2: float = -9.0

    def __post_init__(self) -> None:
        _checks.positive("scale", self.scale)
        _checks.finite("initial_log_sigma2", self.initial_log_sigma2)

    def init(self, units: int, *, like: Array) -> HalfCauchyParams:
        xp = array_namespace(like)
        shared, each = (xp.zeros((n,), dtype=like.dtype, device=device(like)) for n in (1, units))
        # Its prior wants a small s_a where t is small, and log s_b makes up for it; a large t it leaves to the data.
        level = min(0.0, 2.0 * math.log(self.scale))
        return HalfCauchyParams(
            *(
                LogSigmaParams(zero + mean, zero + 0.5 * self.initial_log_sigma2)
                for zero, mean in ((shared, level), (shared, -level), (each, 0.0), (each, 0.0))
            )
        )

    def noise_shapes(self, n: int, units: int) -> HalfCauchyNoise:
        return HalfCauchyNoise((n, units), (n, 1))

    def factor(self, params: HalfCauchyParams, noise: HalfCauchyNoise) -> Array:
        shared, each = _pair(*params[:2]), _pair(*params[2:])
        log_z2 = sample(*each, noise.eps) + sample(*shared, noise.shared_eps)
        return array_namespace(log_z2).exp(0.5 * log_z2)

    def factor_backward(
        self, params: HalfCauchyParams, noise: HalfCauchyNoise, z: Array, grad_z: Array
    ) -> HalfCauchyParams:
        xp = array_namespace(z)
        grad_log_z2 = 0.5 * grad_z * z
        each = (xp.sum(g, axis=0) for g in sample_backward(grad_log_z2, noise.eps))
        together = xp.sum(grad_log_z2, axis=-1, keepdims=True)
        shared = (xp.sum(g, axis=0) for g in sample_backward(together, noise.shared_eps))
        return HalfCauchyParams(*_pair_backward(*params[:2], *shared), *_pair_backward(*params[2:], *each))

    def _log_factor(self, params: HalfCauchyParams) -> tuple[Array, Array]:
        """Mean and variance of log z."""
        (shared_mean, shared_sd), (mean, sd) = _pair(*params[:2]), _pair(*params[2:])
        return 0.5 * (mean + shared_mean), 0.25 * (sd * sd + shared_sd * shared_sd)

    def factor_moments(self, params: HalfCauchyParams) -> tuple[Array, Array]:
        location, variance = self._log_factor(params)
        xp = array_namespace(location)
        mean = xp.exp(location + 0.5 * variance)
        return mean, xp.expm1(variance) * mean * mean

    def excess(self, params: HalfCauchyParams) -> Array:
        """Minus the logarithm of the mode of z."""
        location, variance = self._log_factor(params)
        return variance - location

    @property
    def _priors(self) -> tuple[LogNormalGamma, ...]:
        inverse = LogNormalGamma(inverse=True)
        return LogNormalGamma(self.scale**2), inverse, LogNormalGamma(), inverse

    def kl(self, params: HalfCauchyParams) -> Array:
        parts = [prior.value(Law(_LAW, p)) for prior, p in zip(self._priors, params, strict=True)]
        return parts[0] + parts[1] + parts[2] + parts[3]

    def kl_grad(self, params: HalfCauchyParams) -> HalfCauchyParams:
        return HalfCauchyParams(
            *(_LAW.pullback(p, prior.grad(Law(_LAW, p))) for prior, p in zip(self._priors, params, strict=True))
        )
