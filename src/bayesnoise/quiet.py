"""What is left of layers when their noise is: those that only multiply by noise of mean 1 go, others keep their parts.

A layer is known here by its kind. What is in no list may hold noise, or weights of a kind of its own, and is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bayesnoise.attention import MultiHeadAttention
from bayesnoise.fixed import Fixed
from bayesnoise.layer import Layer
from bayesnoise.noise import DropBlock, LearnedGaussian, Multiply, StructuredGaussian
from bayesnoise.normalisation import BatchNorm, FrozenBatchNorm, LayerNorm
from bayesnoise.recurrent import Recurrent
from bayesnoise.residual import Residual

PURE_NOISE = Multiply | DropBlock | LearnedGaussian | StructuredGaussian  # without it the input is the output
WITHOUT_NOISE = Fixed | BatchNorm | FrozenBatchNorm | LayerNorm
OF_WEIGHTS = Recurrent | MultiHeadAttention  # whose parts are single layers of weights


def with_parts(layer: Any, parts: dict[str, Layer]) -> Layer:
    """The layer made of these parts, by name, without noise of its own; TypeError for another kind."""
    if isinstance(layer, Recurrent):
        return replace(layer, cell=replace(layer.cell, **parts), input_noise=None, hidden_noise=None)  # type: ignore[type-var]
    if isinstance(layer, MultiHeadAttention | Residual):
        return replace(layer, **parts)  # type: ignore[arg-type]
    raise TypeError(f"layer is {layer}, expected Recurrent, MultiHeadAttention or Residual")
