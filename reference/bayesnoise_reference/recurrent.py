"""Recurrent cells for one example with weights of its own: the same matrices at every step, unit by unit.

`x (t, i)`, `w_input (i, gates h)`, `w_hidden (h, gates h)`, and a bias of each `(gates h,)`; gate k of unit j is column
`k h + j`. `mask_x (i,)` and `mask_h (h,)` multiply what enters the two products, the same at every step. States start
at 0; the states after each step come back, `(t, h)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array

Step = Callable[[Array, Array, list[Array]], list[Array]]


def _sigmoid(a: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-a))


def _product(x: Array, w: Array, b: Array) -> Array:
    """`a_k = sum_i x_i w_ik + b_k`, one product at a time."""
    a = [b[k] for k in range(w.shape[1])]
    for k in range(w.shape[1]):
        for i in range(w.shape[0]):
            a[k] = a[k] + x[i] * w[i, k]
    return np.array(a)


def lstm_step(u: Array, v: Array, state: list[Array]) -> list[Array]:
    """Gates input, forget, candidate, output (Gers, Schmidhuber, Cummins 2000)."""
    h, c = [], []
    units = len(state[0])
    for j in range(units):
        a = [u[k * units + j] + v[k * units + j] for k in range(4)]
        memory = _sigmoid(a[1]) * state[1][j] + _sigmoid(a[0]) * np.tanh(a[2])
        c.append(memory)
        h.append(_sigmoid(a[3]) * np.tanh(memory))
    return [np.array(h), np.array(c)]


def gru_step(u: Array, v: Array, state: list[Array]) -> list[Array]:
    """Gates reset, update, candidate (Cho et al. 2014), with the reset applied to the product, its bias included."""
    h = []
    units = len(state[0])
    for j in range(units):
        reset, update = (_sigmoid(u[k * units + j] + v[k * units + j]) for k in range(2))
        candidate = np.tanh(u[2 * units + j] + reset * v[2 * units + j])
        h.append((1.0 - update) * candidate + update * state[0][j])
    return [np.array(h)]


STEPS: dict[str, tuple[Step, int]] = {"lstm": (lstm_step, 2), "gru": (gru_step, 1)}


def states(
    cell: str,
    x: Array,
    w_input: Array,
    b_input: Array,
    w_hidden: Array,
    b_hidden: Array,
    mask_x: Array | None = None,
    mask_h: Array | None = None,
) -> Array:
    """The states of one example after each step, `(t, h)`; `cell` is "lstm" or "gru"."""
    rule, arrays = STEPS[cell]
    units = w_hidden.shape[0]
    kept_x = np.ones(x.shape[1]) if mask_x is None else mask_x
    kept_h = np.ones(units) if mask_h is None else mask_h
    state: list[Array] = [np.zeros(units)] * arrays
    after = []
    for x_t in x:
        u = _product(kept_x * x_t, w_input, b_input)
        v = _product(kept_h * state[0], w_hidden, b_hidden)
        state = rule(u, v, state)
        after.append(state[0])
    return np.stack(after)
