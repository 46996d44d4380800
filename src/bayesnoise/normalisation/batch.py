"""Batch normalisation: over the examples and positions of each feature.

Ioffe, Szegedy 2015, "Batch Normalization" (arXiv 1502.03167), algorithms 1 and 2. In training a layer uses the
statistics of its batch, and keeps running ones; frozen, it uses those it has kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.layer import Empty, zero
from bayesnoise.normalisation._standardise import Standardised, standardise, standardise_backward


class BatchNormParams(NamedTuple):
    scale: Array  # (c,)
    shift: Array  # (c,)
    running_mean: Array  # (c,), not learned: its gradient is 0
    running_variance: Array  # (c,), not learned: its gradient is 0


class BatchNormResiduals(NamedTuple):
    params: BatchNormParams
    standardised: Standardised


class FrozenBatchNormResiduals(NamedTuple):
    params: BatchNormParams
    values: Array  # like x
    inverse_sd: Array  # (1, c, 1, ...)


def _row(x: Array, ndim: int) -> Array:
    """`(c,) -> (1, c, 1, ...)`, to broadcast against a batch with as many axes."""
    return array_namespace(x).reshape(x, (1, x.shape[0], *(1,) * (ndim - 2)))


def _axes(ndim: int) -> Shape:
    """All axes but that of the features."""
    return (0, *range(2, ndim))


def _zeros(params: BatchNormParams) -> BatchNormParams:
    zeros: BatchNormParams = tree.map(array_namespace(params.scale).zeros_like, params)
    return zeros


def _grad_params(params: BatchNormParams, values: Array, grad_y: Array) -> BatchNormParams:
    xp, axes = array_namespace(values), _axes(values.ndim)
    return _zeros(params)._replace(scale=xp.sum(grad_y * values, axis=axes), shift=xp.sum(grad_y, axis=axes))


@dataclass(frozen=True)
class FrozenBatchNorm:
    """Batch normalisation by the statistics that it has kept: one affine function a feature. Errors as `BatchNorm`."""

    features: int
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        _checks.positive_integer("features", self.features)
        _checks.positive("epsilon", self.epsilon)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2 or x_shape[1] != self.features:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, {self.features}, *space) for {self}")
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> BatchNormParams:
        xp = array_namespace(like)
        shape, dtype, on = (self.features,), like.dtype, device(like)
        ones, zeros = xp.ones(shape, dtype=dtype, device=on), xp.zeros(shape, dtype=dtype, device=on)
        return BatchNormParams(ones, zeros, running_mean=xp.zeros_like(ones), running_variance=xp.ones_like(ones))

    def draw(self, rng: Rng, params: BatchNormParams, x_shape: Shape, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: BatchNormParams, noise: Empty, x: Array) -> tuple[Array, FrozenBatchNormResiduals]:
        _checks.layer_input(x, params)
        self.output_shape(x.shape)
        scale, shift, mean, variance = (_row(p, x.ndim) for p in params)
        inverse_sd = 1.0 / array_namespace(x).sqrt(variance + self.epsilon)
        values = (x - mean) * inverse_sd
        return values * scale + shift, FrozenBatchNormResiduals(params, values, inverse_sd)

    def backward(
        self, residuals: FrozenBatchNormResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, BatchNormParams]:
        params, values, inverse_sd = residuals
        grad_x = grad_y * (_row(params.scale, grad_y.ndim) * inverse_sd) if input_grad else None
        return grad_x, _grad_params(params, values, grad_y)

    def predict(self, params: BatchNormParams, x: Array) -> Array:
        return self.forward(params, Empty(), x)[0]

    def kl(self, params: BatchNormParams, noise: Empty | None = None) -> Array:
        return zero(params.scale)

    def kl_grad(self, params: BatchNormParams, noise: Empty | None = None) -> BatchNormParams:
        return _zeros(params)


@dataclass(frozen=True)
class BatchNorm:
    """`(n, c) -> (n, c)` or `(n, c, *space) -> (n, c, *space)`, each of the `features` = c by its own statistics.

    `forward` uses those of the batch, so a batch needs two or more values a feature; `predict` and `frozen()` use the
    running ones, which `absorb` moves towards the batch by the share `momentum`. The running variance takes in the
    unbiased estimate. Raises ValueError for a size, a momentum or an epsilon out of range.
    """

    features: int
    momentum: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        self.frozen()
        _checks.number("momentum", self.momentum)
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum is {self.momentum}, expected the share of the newest batch, in (0, 1]")

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.frozen().output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> BatchNormParams:
        return self.frozen().init(rng, like=like)

    def draw(self, rng: Rng, params: BatchNormParams, x_shape: Shape, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: BatchNormParams, noise: Empty, x: Array) -> tuple[Array, BatchNormResiduals]:
        _checks.layer_input(x, params)
        shape = self.output_shape(x.shape)
        if prod(shape) < 2 * self.features:
            raise ValueError(f"x has shape {shape}, too few values a feature: batch statistics need two or more")
        standardised = standardise(x, _axes(x.ndim), self.epsilon)
        y = standardised.values * _row(params.scale, x.ndim) + _row(params.shift, x.ndim)
        return y, BatchNormResiduals(params, standardised)

    def backward(
        self, residuals: BatchNormResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, BatchNormParams]:
        params, standardised = residuals
        grad_x = None
        if input_grad:
            grad_values = grad_y * _row(params.scale, grad_y.ndim)
            grad_x = standardise_backward(standardised, grad_values, _axes(grad_y.ndim))
        return grad_x, _grad_params(params, standardised.values, grad_y)

    def predict(self, params: BatchNormParams, x: Array) -> Array:
        return self.frozen().predict(params, x)

    def kl(self, params: BatchNormParams, noise: Empty | None = None) -> Array:
        return zero(params.scale)

    def kl_grad(self, params: BatchNormParams, noise: Empty | None = None) -> BatchNormParams:
        return _zeros(params)

    def absorb(
        self, params: BatchNormParams, residuals: BatchNormResiduals, share: float | None = None
    ) -> BatchNormParams:
        """The running statistics moved towards those of the batch, by `momentum` or the share given."""
        values, mean, variance, _ = residuals.standardised
        xp = array_namespace(values)
        share = self.momentum if share is None else share
        count, keep = prod(values.shape) // self.features, 1.0 - share
        batch_mean = xp.reshape(mean, (self.features,))
        batch_variance = xp.reshape(variance, (self.features,)) * (count / (count - 1))
        return params._replace(
            running_mean=keep * params.running_mean + share * batch_mean,
            running_variance=keep * params.running_variance + share * batch_variance,
        )

    def frozen(self) -> FrozenBatchNorm:
        return FrozenBatchNorm(self.features, self.epsilon)
