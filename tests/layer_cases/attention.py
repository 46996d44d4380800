"""Attention: each example's own projections are written out, and its positions compared with them.

The key has no bias here: it would shift all scores of a position alike, which the softmax takes away, and its gradient
of 0 has no digits to compare.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import attention, divergences
from bayesnoise_reference._typing import Array

import bayesnoise as bn
from bayesnoise.affine import AffineParams
from bayesnoise.attention import MultiHeadAttention
from bayesnoise.divergences import Zero
from layer_cases.case import LayerCase
from layer_cases.recurrent import law, per_example


def projections(params: Any, noise: Any, n: int) -> list[attention.Projection]:
    """What each example sees of one layer: its weights and its bias."""
    if not isinstance(params, AffineParams):
        weights = per_example(params, noise.estimator, n)
        return [(w, np.zeros(w.shape[1])) for w in weights]
    weights = per_example(params.weight, noise.weight.estimator, n)
    return list(zip(weights, per_example(params.bias, noise.bias.estimator, n), strict=True))


def means(params: Any) -> attention.Projection:
    if not isinstance(params, AffineParams):
        return law(params)[0], np.zeros(law(params)[0].shape[1])
    return law(params.weight)[0], law(params.bias)[0]


def output(heads: int, causal: bool, params: Any, noise: Any, x: Array) -> Array:
    layers = [projections(p, z, len(x)) for p, z in zip(params, noise, strict=True)]
    each = zip(x, *layers, strict=True)
    return np.stack([attention.output(x_n, q, k, v, last, heads, causal) for x_n, q, k, v, last in each])


def predict(heads: int, causal: bool, params: Any, x: Array) -> Array:
    query, key, value, last = (means(p) for p in params)
    return np.stack([attention.output(x_n, query, key, value, last, heads, causal) for x_n in x])


def kl(params: Any, noise: Any) -> Any:
    """Of the four weights; their biases are points."""
    weights = [p.weight if isinstance(p, AffineParams) else p for p in params]
    return sum(divergences.gaussian(*law(w), 0.0, 1.0) for w in weights)


def case(layer: MultiHeadAttention, x_shape: tuple[int, ...], divergence: Any = None) -> LayerCase:
    given = (layer.heads, layer.causal)
    return LayerCase(layer, x_shape, partial(output, *given), partial(predict, *given), kl=divergence)


flip = partial(bn.flipout, divergence=Zero(), bias="random")
share = partial(bn.bayes_by_backprop, divergence=Zero())
none = partial(bn.flipout, divergence=Zero(), bias="none")
dense = bn.maps.Dense

CASES = {
    "attention flipout": case(
        MultiHeadAttention(flip(dense(2, 2)), none(dense(2, 2)), flip(dense(2, 2)), flip(dense(2, 2)), 2), (2, 2, 2)
    ),
    "attention sizes": case(
        MultiHeadAttention(flip(dense(1, 4)), none(dense(1, 4)), share(dense(1, 2)), share(dense(2, 1)), 2, True),
        (2, 2, 1),
    ),
    "attention one feature": case(
        MultiHeadAttention(
            bn.flipout(dense(1, 1)),
            bn.flipout(dense(1, 1), bias="none"),
            bn.bayes_by_backprop(dense(1, 1), bias="deterministic"),
            bn.flipout(dense(1, 1)),
        ),
        (2, 3, 1),
        kl,
    ),
}
