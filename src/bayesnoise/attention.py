"""Self-attention with several heads, each of its four projections a layer of any method whose draw stands for weights.

    q, k, v = query(x), key(x), value(x),   a = softmax(q k' / sqrt(d)),   y = output(a v)

Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), equation 1 and section 3.2.2 as numbered in
reports. A projection is a dense map over positions, so its draw is one for all positions of an example: with noise of
their own, two positions would be compared by different weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._reuse import Weights, check_dense, check_sizes, inputs_of
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.losses.categorical import log_softmax
from bayesnoise.maps import Dense, Map

__all__ = ["MultiHeadAttention", "multi_head_attention"]


class AttentionParams(NamedTuple):
    query: Params
    key: Params
    value: Params
    output: Params


class AttentionNoise(NamedTuple):
    query: Noise
    key: Noise
    value: Noise
    output: Noise


class AttentionResiduals(NamedTuple):
    layers: tuple[Residuals, ...]  # of the four projections
    query: Array  # (n, heads, t, d), over sqrt(d)
    key: Array  # (n, heads, t, d)
    value: Array  # (n, heads, t, e)
    weights: Array  # (n, heads, t, t), rows that sum to 1


def _causal(scores: Array) -> Array:
    """The scores with -inf where a position would look ahead."""
    xp, t = array_namespace(scores), scores.shape[-1]
    at = xp.arange(t, dtype=xp.int32, device=device(scores))
    behind = xp.expand_dims(at, axis=1) >= xp.expand_dims(at, axis=0)
    return xp.where(behind, scores, xp.full_like(scores, -float("inf")))


@dataclass(frozen=True)
class MultiHeadAttention:
    """`(n, t, f) -> (n, t, o)`; with `causal`, no position sees a later one.

    `query` and `key` are of one size, `value` gives what `output` takes, and all three sizes are multiples of `heads`.
    TypeError for what is no layer of a dense map, ValueError for sizes that do not fit, for estimators that draw no
    weights, with the reason, and for sequences of no positions.
    """

    query: Weights
    key: Weights
    value: Weights
    output: Weights
    heads: int = 1
    causal: bool = False

    def __post_init__(self) -> None:
        _checks.positive_integer("heads", self.heads)
        for name, layer in self.parts:
            check_dense(name, layer)
        x_shape = (1, 1, inputs_of(self.query))
        compared = self.query.output_shape(x_shape)[-1]
        check_sizes("key", self.key, x_shape, compared)
        check_sizes("value", self.value, x_shape, inputs_of(self.output))
        if compared % self.heads or inputs_of(self.output) % self.heads:
            raise ValueError(
                f"heads is {self.heads}, expected a divisor of the {compared} outputs of query and of the "
                f"{inputs_of(self.output)} inputs of output"
            )

    @property
    def parts(self) -> tuple[tuple[str, Weights], ...]:
        return ("query", self.query), ("key", self.key), ("value", self.value), ("output", self.output)

    def _of_heads(self, x_shape: Shape) -> Shape:
        return (*x_shape[:2], inputs_of(self.output))

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) != 3 or x_shape[1] < 1:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, t, f) with at least one position")
        self.query.output_shape(x_shape)
        return self.output.output_shape(self._of_heads(x_shape))

    def init(self, rng: Rng, *, like: Array) -> AttentionParams:
        rngs = rng.split(4)
        return AttentionParams(*(layer.init(r, like=like) for (_, layer), r in zip(self.parts, rngs, strict=True)))

    def draw(self, rng: Rng, params: AttentionParams, x_shape: Shape, *, like: Array) -> AttentionNoise:
        shapes = (x_shape, x_shape, x_shape, self._of_heads(x_shape))
        parts = zip(self.parts, rng.split(4), params, shapes, strict=True)
        return AttentionNoise(*(layer.draw(r, p, shape, like=like) for (_, layer), r, p, shape in parts))

    def _split(self, a: Array) -> Array:
        """`(n, t, heads * d) -> (n, heads, t, d)`."""
        xp, (n, t, features) = array_namespace(a), a.shape
        return xp.permute_dims(xp.reshape(a, (n, t, self.heads, features // self.heads)), (0, 2, 1, 3))

    def _join(self, a: Array) -> Array:
        """`(n, heads, t, d) -> (n, t, heads * d)`."""
        xp, (n, heads, t, d) = array_namespace(a), a.shape
        return xp.reshape(xp.permute_dims(a, (0, 2, 1, 3)), (n, t, heads * d))

    def _attend(self, q: Array, k: Array, v: Array) -> tuple[Array, tuple[Array, Array, Array, Array]]:
        """What the output projection takes, and the four arrays of the residuals."""
        xp = array_namespace(q)
        query, key, value = self._split(q), self._split(k), self._split(v)
        query = query / sqrt(query.shape[-1])
        scores = xp.matmul(query, xp.matrix_transpose(key))
        weights = xp.exp(log_softmax(_causal(scores) if self.causal else scores))
        return self._join(xp.matmul(weights, value)), (query, key, value, weights)

    def forward(self, params: AttentionParams, noise: AttentionNoise, x: Array) -> tuple[Array, AttentionResiduals]:
        self._check(params, x)
        q, of_query = self.query.forward(params.query, noise.query, x)
        k, of_key = self.key.forward(params.key, noise.key, x)
        v, of_value = self.value.forward(params.value, noise.value, x)
        attended, arrays = self._attend(q, k, v)
        y, of_output = self.output.forward(params.output, noise.output, attended)
        return y, AttentionResiduals((of_query, of_key, of_value, of_output), *arrays)

    def _check(self, params: AttentionParams, x: Array) -> None:
        _checks.layer_input(x, params)
        self.output_shape(x.shape)

    def backward(
        self, residuals: AttentionResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, AttentionParams]:
        (of_query, of_key, of_value, of_output), query, key, value, weights = residuals
        xp = array_namespace(grad_y)
        attended, grad_output = self.output.backward(of_output, grad_y)
        grad_attended = self._split(attended)
        grad_weights = xp.matmul(grad_attended, xp.matrix_transpose(value))
        # Through the softmax; what the mask hid has weight 0 and so gradient 0.
        grad_scores = weights * (grad_weights - xp.sum(weights * grad_weights, axis=-1, keepdims=True))
        grads = (
            xp.matmul(grad_scores, key) / sqrt(query.shape[-1]),
            xp.matmul(xp.matrix_transpose(grad_scores), query),
            xp.matmul(xp.matrix_transpose(weights), grad_attended),
        )
        backwards = zip((self.query, self.key, self.value), (of_query, of_key, of_value), grads, strict=True)
        pairs = [layer.backward(r, self._join(g), input_grad=input_grad) for layer, r, g in backwards]
        (x_query, grad_query), (x_key, grad_key), (x_value, grad_value) = pairs
        grad_x = x_query + x_key + x_value if input_grad else None  # type: ignore[operator]
        return grad_x, AttentionParams(grad_query, grad_key, grad_value, grad_output)

    def predict(self, params: AttentionParams, x: Array) -> Array:
        self._check(params, x)
        q, k, v = (layer.predict(p, x) for (_, layer), p in zip(self.parts[:3], params[:3], strict=True))
        return self.output.predict(params.output, self._attend(q, k, v)[0])

    def kl(self, params: AttentionParams, noise: AttentionNoise | None = None) -> Array:
        noises = (None,) * 4 if noise is None else noise
        return sum(layer.kl(p, z) for (_, layer), p, z in zip(self.parts, params, noises, strict=True))

    def kl_grad(self, params: AttentionParams, noise: AttentionNoise | None = None) -> AttentionParams:
        noises = (None,) * 4 if noise is None else noise
        return AttentionParams(
            *(layer.kl_grad(p, z) for (_, layer), p, z in zip(self.parts, params, noises, strict=True))
        )


def multi_head_attention(
    build: Callable[[Map], Any], features: int, heads: int, *, causal: bool = False
) -> MultiHeadAttention:
    """`(n, t, features) -> (n, t, features)`, with the four projections built by one method, such as `flipout`.

    Errors as for `MultiHeadAttention`; `heads` must divide `features`.
    """
    _checks.positive_integer("features", features)
    query, key, value, output = (build(Dense(features, features)) for _ in range(4))
    return MultiHeadAttention(query, key, value, output, heads, causal)
