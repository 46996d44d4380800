"""A layer whose backward rule keeps the examples of a batch apart: a gradient for each of them.

The gradient of each parameter has the examples as its first axis.

`y = B(x, w)` for ordinary weights has the gradient `adjoint_w(g, x)`, a sum over examples; `adjoint_w_each` is the same
before the sum, `(n, *weight_shape)`. Goodfellow 2015, "Efficient Per-Example Gradient Computations" (arXiv 1510.01799),
for dense layers. It costs the memory of n gradients and as many passes as one gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bayesnoise import tree
from bayesnoise._typing import Array, Params
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.plain import Plain, PlainResiduals
from bayesnoise.layer import HasExampleKL, Layer
from bayesnoise.maps.each import adjoint_w_each
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import Point
from bayesnoise.residual import Residual
from bayesnoise.stochastic import Stochastic


@dataclass(frozen=True)
class Apart(Plain):
    """Plain, with the gradient of the weights of each example: `(n, *weight_shape)`."""

    def contract_backward(
        self, map: Map, residuals: PlainResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        x, mean = residuals
        grad_x = map.adjoint_x(grad_y, mean, x.shape) if input_grad else None
        return grad_x, Operands(adjoint_w_each(map, grad_y, x, (x.shape[0], *mean.shape)))


def apart(layer: Layer, params: Params) -> Layer | None:
    """The layer with examples apart; None where it has other parameters than ordinary weights and biases."""
    if isinstance(layer, Chain):
        layers = [apart(part, p) for part, p in zip(layer.layers, params, strict=True)]
        found = tuple(part for part in layers if part is not None)
        return Chain(found) if len(found) == len(layers) else None
    if isinstance(layer, Residual):
        inner = apart(layer.layer, params.layer)
        return None if inner is None else Residual(inner)
    if isinstance(layer, Affine):
        weight, bias = _ordinary(layer.weight), _ordinary(layer.bias)
        return None if weight is None or bias is None else Affine(weight, bias)
    if isinstance(layer, Stochastic):
        return _ordinary(layer)
    return None if tree.leaves(params) or isinstance(layer, HasExampleKL) else layer


def _ordinary(layer: Stochastic) -> Stochastic | None:
    return replace(layer, estimator=Apart()) if (layer.posterior, layer.estimator) == (Point(), Plain()) else None
