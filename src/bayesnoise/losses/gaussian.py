"""Gaussian targets, independent given the outputs: `-log N(y | mean, scale^2)`, summed over the columns of targets.

The scale is a constant, one learned number, or an output of the network. The last is Nix, Weigend 1994, "Estimating
the mean and variance of the target probability distribution", in the form of Lakshminarayanan, Pritzel, Blundell 2017
(arXiv 1612.01474), equation 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.layer import Empty
from bayesnoise.losses.loss import check_outputs, check_targets
from bayesnoise.special import sigmoid, softplus

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def nll(z: Array, log_scale: Array) -> Array:
    """`-log N(y | mean, scale^2)` for `z = (mean - y) / scale`."""
    return 0.5 * z * z + (log_scale + _HALF_LOG_TWO_PI)


def nll_backward(z: Array, inverse_scale: Array, grad: Array) -> tuple[Array, Array]:
    """The gradients of the mean and of the log scale."""
    return grad * z * inverse_scale, grad * (1.0 - z * z)


def _column(grad_nll: Array) -> Array:
    return array_namespace(grad_nll).expand_dims(grad_nll, axis=1)


class GaussianResiduals(NamedTuple):
    z: Array  # (n, k): (f - target) / scale


@dataclass(frozen=True)
class Gaussian:
    """`f (n, k)` is the mean of `target (n, k)`, whose standard deviation is the constant `scale`.

    ValueError unless the scale is finite and above 0, or where the two shapes differ.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("scale", self.scale)

    def output_features(self, targets: int) -> int:
        return targets

    def init(self, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: Empty, f: Array, target: Array) -> tuple[Array, GaussianResiduals]:
        check_targets(f, target)
        z = (f - target) / self.scale
        return array_namespace(z).sum(nll(z, math.log(self.scale)), axis=1), GaussianResiduals(z)

    def backward(self, residuals: GaussianResiduals, grad_nll: Array) -> tuple[Array, Empty]:
        return nll_backward(residuals.z, 1.0 / self.scale, _column(grad_nll))[0], Empty()

    def mean(self, params: Empty, f: Array) -> Array:
        check_outputs(f)
        return f

    def variance(self, params: Empty, f: Array) -> Array:
        check_outputs(f)
        return array_namespace(f).full_like(f, self.scale**2)


class LearnedGaussianParams(NamedTuple):
    log_scale: Array  # ()


class LearnedGaussianResiduals(NamedTuple):
    z: Array  # (n, k): (f - target) / scale
    inverse_scale: Array  # ()


@dataclass(frozen=True)
class LearnedGaussian:
    """`f (n, k)` is the mean of `target (n, k)`, whose standard deviation is one learned number, `exp(log_scale)`.

    ValueError unless `initial_scale` is finite and above 0, or where the two shapes differ.
    """

    initial_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)

    def output_features(self, targets: int) -> int:
        return targets

    def init(self, *, like: Array) -> LearnedGaussianParams:
        log_scale = math.log(self.initial_scale)
        return LearnedGaussianParams(array_namespace(like).full((), log_scale, dtype=like.dtype, device=device(like)))

    def forward(self, params: LearnedGaussianParams, f: Array, target: Array) -> tuple[Array, LearnedGaussianResiduals]:
        check_targets(f, target)
        xp = array_namespace(f)
        inverse_scale = xp.exp(-params.log_scale)
        z = (f - target) * inverse_scale
        return xp.sum(nll(z, params.log_scale), axis=1), LearnedGaussianResiduals(z, inverse_scale)

    def backward(self, residuals: LearnedGaussianResiduals, grad_nll: Array) -> tuple[Array, LearnedGaussianParams]:
        grad_f, grad_log_scale = nll_backward(*residuals, _column(grad_nll))
        return grad_f, LearnedGaussianParams(array_namespace(grad_f).sum(grad_log_scale))

    def mean(self, params: LearnedGaussianParams, f: Array) -> Array:
        check_outputs(f)
        return f

    def variance(self, params: LearnedGaussianParams, f: Array) -> Array:
        check_outputs(f)
        xp = array_namespace(f)
        return xp.exp(2.0 * params.log_scale) * xp.ones_like(f)


class HeteroscedasticResiduals(NamedTuple):
    z: Array  # (n, k): (mean - target) / scale
    raw: Array  # (n, k)


@dataclass(frozen=True)
class Heteroscedastic:
    """`f (n, 2k)` holds the k means of `target (n, k)`, then k raw variances.

    A variance is `softplus(raw) + minimum_variance`. ValueError unless the minimum is finite and above 0, or where the
    shapes do not fit.
    """

    minimum_variance: float = 1e-6

    def __post_init__(self) -> None:
        _checks.positive("minimum_variance", self.minimum_variance)

    def output_features(self, targets: int) -> int:
        return 2 * targets

    def init(self, *, like: Array) -> Empty:
        return Empty()

    def _variance(self, raw: Array) -> Array:
        return softplus(raw) + self.minimum_variance

    def forward(self, params: Empty, f: Array, target: Array) -> tuple[Array, HeteroscedasticResiduals]:
        check_targets(f, target, outputs=2)
        xp, k = array_namespace(f), target.shape[1]
        raw = f[:, k:]
        variance = self._variance(raw)
        z = (f[:, :k] - target) / xp.sqrt(variance)
        return xp.sum(nll(z, 0.5 * xp.log(variance)), axis=1), HeteroscedasticResiduals(z, raw)

    def backward(self, residuals: HeteroscedasticResiduals, grad_nll: Array) -> tuple[Array, Empty]:
        z, raw = residuals
        xp, variance = array_namespace(z), self._variance(raw)
        grad_mean, grad_log_scale = nll_backward(z, 1.0 / xp.sqrt(variance), _column(grad_nll))
        grad_raw = grad_log_scale * (0.5 * sigmoid(raw) / variance)
        return xp.concat([grad_mean, grad_raw], axis=1), Empty()

    def _halves(self, f: Array) -> tuple[Array, Array]:
        check_outputs(f)
        if f.shape[1] % 2:
            raise ValueError(f"f has shape {tuple(f.shape)}, expected (n, 2 k): k means, then k raw variances")
        return f[:, : f.shape[1] // 2], f[:, f.shape[1] // 2 :]

    def mean(self, params: Empty, f: Array) -> Array:
        return self._halves(f)[0]

    def variance(self, params: Empty, f: Array) -> Array:
        return self._variance(self._halves(f)[1])
