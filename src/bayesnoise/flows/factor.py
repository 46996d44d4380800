"""A random vector whose law is a flow of a Gaussian: `z = f(mean + scale * eps)`, with its own density beside it.

    log q(z) = log N(mean + scale * eps; mean, scale^2) - log |det dz/df|

at the very draw: with `eps` known there is nothing to invert. Rezende, Mohamed 2015 (arXiv 1505.05770), equation 5
(numbering as reported).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Residuals, Rng
from bayesnoise.estimators.shared import sample, sample_backward
from bayesnoise.flows.flow import Flow
from bayesnoise.flows.real_nvp import RealNVPParams
from bayesnoise.posteriors import Coordinates, LogSigmaGaussian, LogSigmaParams

INITIAL_SCALE = 0.1


class FactorParams(NamedTuple):
    base: LogSigmaParams  # (d,)
    flow: tuple[RealNVPParams, ...]  # of f


class FactorResiduals(NamedTuple):
    params: FactorParams
    eps: Array  # (n, d)
    flow: Residuals


@dataclass(frozen=True)
class Factor:
    """`(n, d)` standard normal to as many draws of `z`, around 1 when fresh."""

    flow: Flow

    def init(self, rng: Rng, *, like: Array) -> FactorParams:
        xp = array_namespace(like)
        one = xp.ones((self.flow.features,), dtype=like.dtype, device=device(like))
        base = LogSigmaParams(one, xp.full_like(one, math.log(INITIAL_SCALE)))
        return FactorParams(base, self.flow.init(rng, like=like))

    def forward(self, params: FactorParams, eps: Array) -> tuple[Array, Array, FactorResiduals]:
        """`z`, the logarithm of its density less `d/2 log(2 pi)`, one a row, and what `backward` needs."""
        xp, law = array_namespace(eps), LogSigmaGaussian()
        z, log_det, flow = self.flow.forward(params.flow, sample(law.mean(params.base), law.scale(params.base), eps))
        log_q = -0.5 * xp.sum(eps * eps, axis=-1) - xp.sum(law.log_scale(params.base)) - log_det
        return z, log_q, FactorResiduals(params, eps, flow)

    def backward(self, residuals: FactorResiduals, grad_z: Array, grad_log_q: Array) -> FactorParams:
        """The gradient of the parameters, from those of `z` `(n, d)` and of its log-density `(n,)`."""
        params, eps, flow = residuals
        grad, grad_flow = self.flow.backward(flow, grad_z, -grad_log_q)
        mean, scale = (sum_to(g, params.base.mu.shape) for g in sample_backward(grad, eps))
        log_scale = array_namespace(eps).zeros_like(mean) - array_namespace(eps).sum(grad_log_q)
        by_base = Coordinates(mean=mean, scale=scale, log_scale=log_scale)
        return FactorParams(LogSigmaGaussian().pullback(params.base, by_base), grad_flow)

    def centre(self, params: FactorParams) -> Array:
        """Where the flow takes the mean, `(1, d)`: near the mean of `z`, and not quite that."""
        return self.flow.forward(params.flow, params.base.mu[None, :])[0]
