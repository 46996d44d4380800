"""The auxiliary density `r(z | w)` of a posterior that mixes Gaussians over `z`: it makes the divergence tractable.

    u = c' w,   a = mean tanh(u),   log r(z | w) = log N(f(z); a shift, exp(-a log_precision)) + log |det df/dz|

with `w` a matrix of one row a unit, and `f` a flow of its own. Louizos and Welling 2017 (arXiv 1703.01961), equations
13 to 15 (numbering as reported), after Ranganath, Tran, Blei 2016, "Hierarchical Variational Models" (arXiv
1511.02386). Departure: their scale is a sigmoid of what is the logarithm of the precision here, so that it has no
bound. What is random is `w`, and through it `u`: linear in Gaussian weights, so its own law is drawn, once a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Residuals, Rng
from bayesnoise.estimators.local import Local, LocalNoise, LocalResiduals
from bayesnoise.flows.flow import Flow
from bayesnoise.flows.real_nvp import RealNVPParams
from bayesnoise.maps import Dense


class AuxiliaryParams(NamedTuple):
    contrast: Array  # (1, d): c
    shift: Array  # (1, d)
    log_precision: Array  # (1, d)
    flow: tuple[RealNVPParams, ...]  # of f


class AuxiliaryResiduals(NamedTuple):
    params: AuxiliaryParams
    contraction: LocalResiduals
    tanh: Array  # (1, k)
    miss: Array  # (1, d): f(z) - a shift
    precision: Array  # (1, d)
    flow: Residuals


class AuxiliaryGrads(NamedTuple):
    params: AuxiliaryParams
    z: Array  # (1, d)
    mean: Array  # (d, k)
    scale: Array  # (d, k)


@dataclass(frozen=True)
class Auxiliary:
    """A density of `z` `(1, d)` given Gaussian weights `(d, k)`, less the `d/2 log(2 pi)` that it shares with q(z)."""

    flow: Flow

    def init(self, rng: Rng, *, like: Array) -> AuxiliaryParams:
        shape = (1, self.flow.features)
        *others, last = rng.split(4)
        contrast, shift, log_precision = (shape[1] ** -0.5 * r.normal(shape, like=like) for r in others)
        return AuxiliaryParams(contrast, shift, log_precision, self.flow.init(last, like=like))

    def log_density(
        self, params: AuxiliaryParams, z: Array, mean: Array, scale: Array, eta: Array
    ) -> tuple[Array, AuxiliaryResiduals]:
        """The logarithm of the density, shape (), for one draw of `u`: `eta` `(1, k)` is standard normal."""
        xp = array_namespace(z)
        noise = LocalNoise(eta)
        u, contraction = Local().contract(
            Dense(*mean.shape), params.contrast, Local().operands(mean, scale, noise), noise
        )
        tanh = xp.tanh(u)
        a = xp.mean(tanh)
        moved, log_det, flow = self.flow.forward(params.flow, z)
        miss, precision = moved - a * params.shift, xp.exp(a * params.log_precision)
        value = 0.5 * xp.sum(a * params.log_precision - precision * miss * miss) + xp.sum(log_det)
        return value, AuxiliaryResiduals(params, contraction, tanh, miss, precision, flow)

    def backward(self, residuals: AuxiliaryResiduals, scale: Array, grad: float) -> AuxiliaryGrads:
        """`grad` times the gradient of `log_density`."""
        params, contraction, tanh, miss, precision, flow = residuals
        xp = array_namespace(tanh)
        a = xp.mean(tanh)
        grad_moved = -grad * precision * miss
        grad_log_precision = 0.5 * grad * (1.0 - precision * miss * miss)
        grad_a = xp.sum(grad_log_precision * params.log_precision - grad_moved * params.shift)
        grad_u = grad_a / prod(tanh.shape) * (1.0 - tanh * tanh)
        grad_z, grad_flow = self.flow.backward(flow, grad_moved, xp.full_like(miss[:, 0], grad))
        grad_contrast, operands = Local().contract_backward(Dense(*scale.shape), contraction, grad_u)
        grad_mean, grad_scale = Local().operands_backward(scale, LocalNoise(tanh), operands)
        return AuxiliaryGrads(
            AuxiliaryParams(grad_contrast, -a * grad_moved, a * grad_log_precision, grad_flow),
            grad_z,
            grad_mean,
            grad_scale,
        )
