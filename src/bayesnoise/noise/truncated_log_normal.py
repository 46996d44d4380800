"""Log-normal factors cut to an interval, under a log-uniform prior on the same interval: noise of a whole unit.

    log z ~ N(mu, exp(log_sigma)^2) on [low, high],    KL = log(high - low) - H(log z)

Neklyudov, Molchanov, Ashukha, Vetrov 2017, "Structured Bayesian Pruning via Log-Normal Multiplicative Noise" (arXiv
1705.07283): unlike with the improper prior on the whole line, prior and divergence are proper, and a factor is never
negative. Random is `eps`, standard normal: log z is where the cut law has as much below it as the normal one at `eps`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.posteriors import Coordinates, LogSigmaGaussian, LogSigmaParams
from bayesnoise.pruning import THRESHOLD
from bayesnoise.special._truncated_normal import expm1_excess, largest_scale, log_moments, spread, transport

_LAW = LogSigmaGaussian()  # of log z, before it is cut


class TruncatedLogNormalNoise(NamedTuple):
    eps: Array  # (n, k), standard normal


@dataclass(frozen=True)
class TruncatedLogNormal:
    """`mu` starts at `high`, where z is close to `exp(high)`, and `log_sigma` at `initial_log_sigma`, `(k,)` each.

    Values and gradients are finite for `log_sigma` from -100 to 100, and the divergence is not negative. In float32 the
    derivative of the divergence by a `mu` at an end stops growing at 4e35 for [-20, 0], from `log_sigma` = -82 down.
    ValueError unless `low < high` and all numbers are finite.
    """

    low: float = -20.0
    high: float = 0.0
    initial_log_sigma: float = -5.0

    def __post_init__(self) -> None:
        for name in ("low", "high", "initial_log_sigma"):
            _checks.finite(name, getattr(self, name))
        if not self.low < self.high:
            raise ValueError(f"low is {self.low} and high {self.high}, expected an interval: low below high")

    def init(self, units: int, *, like: Array) -> LogSigmaParams:
        xp = array_namespace(like)
        zero = xp.zeros((units,), dtype=like.dtype, device=device(like))
        return LogSigmaParams(zero + self.high, zero + self.initial_log_sigma)

    def noise_shapes(self, n: int, units: int) -> TruncatedLogNormalNoise:
        return TruncatedLogNormalNoise((n, units))

    def _scale(self, params: LogSigmaParams) -> Array:
        """Of log z before it is cut, where a larger one could not be told from it and may overflow."""
        xp, log_scale = array_namespace(params.mu), _LAW.log_scale(params)
        return xp.exp(xp.minimum(log_scale, xp.full_like(log_scale, math.log(largest_scale(log_scale)))))

    def factor(self, params: LogSigmaParams, noise: TruncatedLogNormalNoise) -> Array:
        log_z = transport(_LAW.mean(params), self._scale(params), self.low, self.high, noise.eps).value
        return array_namespace(log_z).exp(log_z)

    def factor_backward(
        self, params: LogSigmaParams, noise: TruncatedLogNormalNoise, z: Array, grad_z: Array
    ) -> LogSigmaParams:
        _, by_mean, by_log_scale = transport(_LAW.mean(params), self._scale(params), self.low, self.high, noise.eps)
        mean, log_scale = (array_namespace(z).sum(grad_z * z * by, axis=0) for by in (by_mean, by_log_scale))
        return _LAW.pullback(params, Coordinates(mean=mean, log_scale=log_scale))

    def _log_moments(self, params: LogSigmaParams) -> tuple[Array, Array]:
        """`log E z` and `log(E z^2 / (E z)^2)`."""
        return log_moments(_LAW.mean(params), self._scale(params), self.low, self.high)

    def factor_moments(self, params: LogSigmaParams) -> tuple[Array, Array]:
        log_mean, excess = self._log_moments(params)
        xp = array_namespace(log_mean)
        return xp.exp(log_mean), xp.exp(2.0 * log_mean) * xp.expm1(excess)

    def excess(self, params: LogSigmaParams) -> Array:
        """`3 - 2 log SNR`, so that the common threshold of 3 is a ratio of mean to standard deviation of 1."""
        relative_variance = array_namespace(params.mu).expm1(self._log_moments(params)[1])
        return THRESHOLD + array_namespace(params.mu).log(relative_variance)

    def kl(self, params: LogSigmaParams) -> Array:
        xp = array_namespace(params.mu)
        law = spread(_LAW.mean(params), self._scale(params), self.low, self.high)
        # Against the uniform law on the range of the nodes, q = exp(-f) / (1 + a) with f of mean 0 under that law.
        f = law.energy - xp.sum(law.uniform * law.energy, axis=-1, keepdims=True)
        a = xp.sum(law.uniform * expm1_excess(-f), axis=-1)
        within = xp.sum(law.uniform * (-f * xp.expm1(-f)), axis=-1) / (1.0 + a) - xp.log1p(a)
        # And the range against the interval. Outside of it, a law narrower than is held is steeper in proportion.
        log_scale, log_held = _LAW.log_scale(params), xp.log(law.scale)
        narrower = xp.minimum(log_scale - log_held, xp.zeros_like(log_scale))
        steeper = xp.where(xp.abs(law.shift) > 1.0, narrower, xp.zeros_like(narrower))
        share = log_scale + steeper + xp.log(law.width) - math.log(self.high - self.low)
        return xp.sum(within - xp.where(law.whole, xp.zeros_like(share), share))

    def kl_grad(self, params: LogSigmaParams) -> LogSigmaParams:
        """`-Cov(w^2, w) / (2 sigma)` by mu and `-Var(w^2) / 2` by log_sigma, `w = (log z - mu) / sigma`."""
        xp = array_namespace(params.mu)
        law = spread(_LAW.mean(params), self._scale(params), self.low, self.high)
        nodes, energy = (f - xp.sum(law.weights * f, axis=-1, keepdims=True) for f in (law.nodes, law.energy))
        products = law.weights * energy * nodes
        by_mean = -0.5 * xp.sum(products + xp.flip(products, axis=-1), axis=-1) / law.scale  # 0 of a symmetric law
        by_log_scale = -2.0 * xp.sum(law.weights * energy * energy, axis=-1)
        return _LAW.pullback(params, Coordinates(mean=by_mean, log_scale=by_log_scale))
