"""Layer normalisation: over the features of each example and position.

Ba, Kiros, Hinton 2016, "Layer Normalization" (arXiv 1607.06450), equations 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.layer import Empty, zero
from bayesnoise.normalisation._standardise import Standardised, standardise, standardise_backward


class LayerNormParams(NamedTuple):
    scale: Array  # (i,)
    shift: Array  # (i,)


class LayerNormResiduals(NamedTuple):
    scale: Array  # (i,)
    standardised: Standardised


@dataclass(frozen=True)
class LayerNorm:
    """`(n, ..., i) -> (n, ..., i)`: the last axis, of size `features` = i, to mean 0 and variance 1.

    Then times a learned scale, plus a learned shift, one of each a feature. Raises ValueError for a size or an epsilon
    out of range. One feature alone gives the shift.
    """

    features: int
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        _checks.positive_integer("features", self.features)
        _checks.positive("epsilon", self.epsilon)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 2 or x_shape[-1] != self.features:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, ..., {self.features}) for {self}")
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> LayerNormParams:
        xp = array_namespace(like)
        shape, dtype, on = (self.features,), like.dtype, device(like)
        return LayerNormParams(xp.ones(shape, dtype=dtype, device=on), xp.zeros(shape, dtype=dtype, device=on))

    def draw(self, rng: Rng, params: LayerNormParams, x_shape: Shape, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: LayerNormParams, noise: Empty, x: Array) -> tuple[Array, LayerNormResiduals]:
        _checks.layer_input(x, params)
        self.output_shape(x.shape)
        standardised = standardise(x, (-1,), self.epsilon)
        return standardised.values * params.scale + params.shift, LayerNormResiduals(params.scale, standardised)

    def backward(
        self, residuals: LayerNormResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, LayerNormParams]:
        scale, standardised = residuals
        xp, axes = array_namespace(grad_y), tuple(range(grad_y.ndim - 1))
        grad_x = standardise_backward(standardised, grad_y * scale, (-1,)) if input_grad else None
        grad_scale, grad_shift = xp.sum(grad_y * standardised.values, axis=axes), xp.sum(grad_y, axis=axes)
        return grad_x, LayerNormParams(grad_scale, grad_shift)

    def predict(self, params: LayerNormParams, x: Array) -> Array:
        return self.forward(params, Empty(), x)[0]

    def kl(self, params: LayerNormParams, noise: Empty | None = None) -> Array:
        return zero(params.scale)

    def kl_grad(self, params: LayerNormParams, noise: Empty | None = None) -> LayerNormParams:
        xp = array_namespace(params.scale)
        return LayerNormParams(xp.zeros_like(params.scale), xp.zeros_like(params.shift))
