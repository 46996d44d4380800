"""Self-attention of one example with projections of its own: position by position, head by head.

`x (t, f)`, each projection a matrix `(f, o)` and a bias `(o,)`. Head k has columns `k d` to `(k + 1) d - 1`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array

Projection = tuple[Array, Array]  # weights and bias


def _project(x: Array, projection: Projection) -> list[list[Any]]:
    """`sum_i x_ti w_io + b_o` for every position t and output o."""
    w, b = projection
    return [[b[o] + sum(x_t[i] * w[i, o] for i in range(len(x_t))) for o in range(w.shape[1])] for x_t in x]


def output(
    x: Array,
    query: Projection,
    key: Projection,
    value: Projection,
    last: Projection,
    heads: int,
    causal: bool,
) -> Array:
    """`(t, f) -> (t, o)`: each position's mean of the values of those it sees, weighted by `exp(q k / sqrt(d))`."""
    q, k, v = (_project(x, projection) for projection in (query, key, value))
    d, e = len(q[0]) // heads, len(v[0]) // heads
    attended = []
    for t in range(len(x)):
        seen = range(t + 1) if causal else range(len(x))
        row: list[Any] = []
        for head in range(heads):
            scores = [sum(q[t][head * d + j] * k[s][head * d + j] for j in range(d)) / np.sqrt(d) for s in seen]
            chances = [np.exp(score) for score in scores]
            for j in range(e):
                weighted = sum(c * v[s][head * e + j] for c, s in zip(chances, seen, strict=True))
                row.append(weighted / sum(chances))
        attended.append(row)
    return np.array(_project(np.array(attended), last))
