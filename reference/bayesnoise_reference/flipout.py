"""Flipout: example n has the weights `W_n = mean + scale eps E_n`, with `E_n` of signs of its own, rank one.

Wen, Vicol, Ba, Tran, Grosse 2018, "Flipout: Efficient Pseudo-Independent Weight Perturbations on Mini-Batches"
(arXiv 1803.04386), section 3.2. Every example's weights are written out, and its output computed with them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.dense import sign_pattern as dense_pattern


def weights(
    mean: Array,
    scale: Array,
    eps: Array,
    sign_in: Array,
    sign_out: Array,
    pattern: Callable[[Array, Array], Array] = dense_pattern,
) -> list[Array]:
    """The weights of each example; `pattern(r_n, s_n)` lays its signs out like the weights."""
    return [mean + scale * eps * pattern(r_n, s_n) for r_n, s_n in zip(sign_in, sign_out, strict=True)]


def output(
    x: Array,
    mean: Array,
    scale: Array,
    eps: Array,
    sign_in: Array,
    sign_out: Array,
    contract: Contract,
    pattern: Callable[[Array, Array], Array] = dense_pattern,
) -> Array:
    """`y_n = contract(x_n, W_n)`; `eps` is like the weights and shared, the signs have one row an example."""
    each = weights(mean, scale, eps, sign_in, sign_out, pattern)
    return np.stack([contract(x_n, w_n) for x_n, w_n in zip(x, each, strict=True)])
