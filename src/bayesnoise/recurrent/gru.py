"""The gated recurrent unit, with the reset gate after the product.

    r, z = sigmoid(u_r + v_r), sigmoid(u_z + v_z),   n = tanh(u_n + r v_n),   h' = (1 - z) n + z h

Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder" (arXiv 1406.1078), reset h before the
product, `n = tanh(u_n + (r h) w_n)`. Here, as in cuDNN and torch, the reset multiplies `v_n = h w_n + b_n`: then one
product serves all gates, and the two biases do not add up. The gates lie in torch's order r, z, n along the last axis:
`weight_ih_l0` of a `torch.nn.GRU` is the transpose of the input's weights, `weight_hh_l0` that of the hidden ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bayesnoise import _checks
from bayesnoise._reuse import Weights, inputs_of
from bayesnoise._typing import Array, Residuals
from bayesnoise.maps import Dense, Map
from bayesnoise.noise import MultiplierLaw
from bayesnoise.recurrent.cell import SIGMOID, TANH, check_cell, join, split
from bayesnoise.recurrent.recurrent import Outputs, Recurrent


class GRUState(NamedTuple):
    h: Array  # (n, h)


class GRUResiduals(NamedTuple):
    gates: tuple[Array, ...]  # r, z, n: (n, h) each
    candidate: Array  # v_n, (n, h)
    h: Array  # the old one, (n, h)
    slopes: tuple[Residuals, ...]  # of the gates


@dataclass(frozen=True)
class GRU:
    """A cell of two layers, `Dense(i, 3 h)` and `Dense(h, 3 h)`, of any method whose draw stands for weights.

    TypeError for what is no layer of a dense map, ValueError for sizes that do not fit and for estimators that draw no
    weights, with the reason.
    """

    input: Weights
    hidden: Weights

    def __post_init__(self) -> None:
        check_cell(self.input, self.hidden, 3)

    @property
    def features(self) -> int:
        return inputs_of(self.hidden)

    def start(self, h: Array) -> GRUState:
        return GRUState(h)

    def step(self, u: Array, v: Array, state: GRUState) -> tuple[GRUState, GRUResiduals]:
        (u_r, u_z, u_n), (v_r, v_z, v_n) = split(u, 3), split(v, 3)
        r, r_slope = SIGMOID.forward(u_r + v_r)
        z, z_slope = SIGMOID.forward(u_z + v_z)
        n, n_slope = TANH.forward(u_n + r * v_n)
        residuals = GRUResiduals((r, z, n), v_n, state.h, (r_slope, z_slope, n_slope))
        return GRUState((1.0 - z) * n + z * state.h), residuals

    def step_backward(self, residuals: GRUResiduals, grad_state: GRUState) -> tuple[Array, Array, GRUState]:
        (r, z, n), v_n, h, (r_slope, z_slope, n_slope) = residuals
        grad_n = TANH.backward(n_slope, grad_state.h * (1.0 - z))
        grad_z = SIGMOID.backward(z_slope, grad_state.h * (h - n))
        grad_r = SIGMOID.backward(r_slope, grad_n * v_n)
        return join([grad_r, grad_z, grad_n]), join([grad_r, grad_z, grad_n * r]), GRUState(grad_state.h * z)


def gru(
    build: Callable[[Map], Any],
    in_features: int,
    features: int,
    *,
    outputs: Outputs = "all",
    input_noise: MultiplierLaw | None = None,
    hidden_noise: MultiplierLaw | None = None,
) -> Recurrent:
    """`(n, t, in_features) -> (n, t, features)`, or the last step alone, with both layers built by one method.

    `build` takes a map, as `flipout` does. Other arguments and errors as for `Recurrent` and `GRU`.
    """
    _checks.positive_integer("in_features", in_features)
    _checks.positive_integer("features", features)
    cell = GRU(build(Dense(in_features, 3 * features)), build(Dense(features, 3 * features)))
    return Recurrent(cell, outputs, input_noise, hidden_noise)
