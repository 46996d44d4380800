"""Log-normal factors under a log-normal prior, `log z = mu + exp(log_sigma) eps`.

The hierarchical prior of variational structured dropout (Nguyen et al. 2021, arXiv 2102.07927, as reported): z scales
the weights of a unit and their prior alike, `p(w | z) = N(0, z^2 / beta)`, so that z leaves the divergence of the
weights given z, and what it adds is `KL(q(z) || p(z))`. The prior of log z is Gaussian here. Random is `eps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators.shared import sample, sample_backward
from bayesnoise.posteriors import Coordinates, Law, LogSigmaGaussian, LogSigmaParams

_LAW = LogSigmaGaussian()  # of log z


class LogNormalNoise(NamedTuple):
    eps: Array  # (n, k), standard normal


@dataclass(frozen=True)
class LogNormal:
    """Parameters `mu` and `log_sigma`, `(k,)` each.

    `log z` starts at standard deviation `initial_scale`, with its mean where `E z = 1`; its prior is `N(0,
    prior_scale^2)`. ValueError for scales that are not above 0.
    """

    initial_scale: float = 0.1
    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)
        _checks.positive("prior_scale", self.prior_scale)

    def init(self, units: int, *, like: Array) -> LogSigmaParams:
        zero = array_namespace(like).zeros((units,), dtype=like.dtype, device=device(like))
        return LogSigmaParams(zero - 0.5 * self.initial_scale**2, zero + log(self.initial_scale))

    def noise_shapes(self, n: int, units: int) -> LogNormalNoise:
        return LogNormalNoise((n, units))

    def factor(self, params: LogSigmaParams, noise: LogNormalNoise) -> Array:
        log_z = sample(_LAW.mean(params), _LAW.scale(params), noise.eps)
        return array_namespace(log_z).exp(log_z)

    def factor_backward(self, params: LogSigmaParams, noise: LogNormalNoise, z: Array, grad_z: Array) -> LogSigmaParams:
        mean, scale = (array_namespace(z).sum(g, axis=0) for g in sample_backward(grad_z * z, noise.eps))
        return _LAW.pullback(params, Coordinates(mean=mean, scale=scale))

    def factor_moments(self, params: LogSigmaParams) -> tuple[Array, Array]:
        """`E z = exp(mu + sigma^2 / 2)`, and `(E z)^2 (exp(sigma^2) - 1)`."""
        xp, variance = array_namespace(params.mu), _LAW.scale(params) ** 2
        mean = xp.exp(params.mu + 0.5 * variance)
        return mean, xp.expm1(variance) * mean * mean

    def excess(self, params: LogSigmaParams) -> Array:
        """`log alpha`, the logarithm of the variance over the squared mean."""
        xp = array_namespace(params.mu)
        return xp.log(xp.expm1(_LAW.scale(params) ** 2))

    def kl(self, params: LogSigmaParams) -> Array:
        return GaussianKL(self.prior_scale).value(Law(_LAW, params))

    def kl_grad(self, params: LogSigmaParams) -> LogSigmaParams:
        return _LAW.pullback(params, GaussianKL(self.prior_scale).grad(Law(_LAW, params)))
