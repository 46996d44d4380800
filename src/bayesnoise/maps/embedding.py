"""The embedding: `y = w[x]`, a row of the weights for each integer.

It is the dense map of one-hot vectors, `y = onehot(x) @ w`, without forming them. So what an estimator does to an
input it does to the one-hot vectors: their squares are themselves, and flipout's signs are one for each example and
row, of which a position reads that of its own row. Example n then sees the row `mean_v + (scale_v eps_v) r_nv s_n`, the
same wherever it meets v. Local reparameterization has the right law at each position, and draws two positions with the
same row apart: it is no sample of the weights there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array, Shape
from bayesnoise.maps._segments import indexing, sum_rows
from bayesnoise.maps.bias import Bias
from bayesnoise.maps.map import Unit


class FlippedRows(NamedTuple):
    """One-hot vectors times signs."""

    index: Array  # (n, ...), integers
    sign: Array  # (n, ...), that of the row which the index names


@dataclass(frozen=True)
class Embedding:
    """`(n, ...), (vocabulary, features) -> (n, ..., features)`, for integers from 0 to `vocabulary - 1`.

    Axes of `x` after the first are positions that share the weights. The input has no gradient. Flipout draws
    `n * vocabulary` signs. Raises ValueError unless both sizes are positive integers.
    """

    vocabulary: int
    features: int

    def __post_init__(self) -> None:
        _checks.positive_integer("vocabulary", self.vocabulary)
        _checks.positive_integer("features", self.features)

    @property
    def weight_shape(self) -> Shape:
        return (self.vocabulary, self.features)

    @property
    def initial_sd(self) -> float:
        return 1.0

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) < 1:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, ...) for {self}")
        return (*x_shape, self.features)

    def unit_shape(self, unit: Unit) -> Shape:
        _checks.one_of("unit", unit, ("weight", "input", "output"))
        return {"weight": self.weight_shape, "input": (self.vocabulary, 1), "output": (1, self.features)}[unit]

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        """One sign an example and row, `(n, vocabulary)`, and one an example and feature."""
        shared = (1,) * (len(x_shape) - 1)
        return (x_shape[0], self.vocabulary), (x_shape[0], *shared, self.features)

    def bias(self) -> Bias:
        return Bias(self.features, axis=-1)

    def check_indices(self, x: Array) -> None:
        if not _checks.every((x >= 0) & (x < self.vocabulary)):
            xp = array_namespace(x)
            least, most = int(xp.min(x)), int(xp.max(x))
            raise ValueError(f"x holds integers from {least} to {most}, expected 0 to {self.vocabulary - 1} for {self}")

    def flipped(self, sign_in: Array, x: Array) -> FlippedRows:
        xp = array_namespace(sign_in, x)
        n = x.shape[0]
        index = xp.reshape(indexing(x), (n, prod(x.shape[1:])))
        first = xp.arange(n, dtype=index.dtype, device=device(index)) * self.vocabulary
        flat = xp.reshape(xp.expand_dims(first, axis=1) + index, (prod(x.shape),))
        return FlippedRows(x, xp.reshape(xp.take(xp.reshape(sign_in, (n * self.vocabulary,)), flat), x.shape))

    def apply(self, x: Array | FlippedRows, w: Array) -> Array:
        index, sign = x if isinstance(x, FlippedRows) else (x, None)
        xp = array_namespace(index, w)
        rows = xp.take(w, xp.reshape(indexing(index), (prod(index.shape),)), axis=0)
        y = xp.reshape(rows, (*index.shape, self.features))
        return y if sign is None else y * xp.expand_dims(sign, axis=-1)

    def adjoint_x(self, g: Array, w: Array, x_shape: Shape) -> Array:
        raise TypeError(f"x is integers for {self}, which have no gradient")

    def adjoint_w(self, g: Array, x: Array | FlippedRows, w_shape: Shape) -> Array:
        index, sign = x if isinstance(x, FlippedRows) else (x, None)
        xp = array_namespace(g, index)
        if sign is not None:
            g = g * xp.expand_dims(sign, axis=-1)
        m = prod(index.shape)
        return sum_rows(xp.reshape(g, (m, self.features)), xp.reshape(indexing(index), (m,)), self.vocabulary)
