"""The long short-term memory, with a forget gate and without peepholes.

    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o),   g = tanh(a_g),   a = u + v
    c' = f c + i g,   h' = o tanh(c')

Hochreiter, Schmidhuber 1997, "Long Short-Term Memory"; Gers, Schmidhuber, Cummins 2000, "Learning to Forget", for the
forget gate. The gates lie in the order i, f, g, o of torch, along the last axis: `weight_ih_l0` of a `torch.nn.LSTM`
is the transpose of the input's weights, `weight_hh_l0` that of the hidden ones, and the biases are the same two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._reuse import Weights, inputs_of
from bayesnoise._typing import Array, Residuals
from bayesnoise.maps import Dense, Map
from bayesnoise.noise import MultiplierLaw
from bayesnoise.recurrent.cell import SIGMOID, TANH, check_cell, join, split
from bayesnoise.recurrent.recurrent import Outputs, Recurrent


class LSTMState(NamedTuple):
    h: Array  # (n, h)
    c: Array  # (n, h)


class LSTMResiduals(NamedTuple):
    gates: tuple[Array, ...]  # i, f, g, o: (n, h) each
    memory: Array  # tanh of the new c, (n, h)
    c: Array  # the old one, (n, h)
    slopes: tuple[Residuals, ...]  # of the gates and of the memory


@dataclass(frozen=True)
class LSTM:
    """A cell of two layers, `Dense(i, 4 h)` and `Dense(h, 4 h)`, of any method whose draw stands for weights.

    Each may have a bias; as in torch, the two add up. TypeError for what is no layer of a dense map, ValueError for
    sizes that do not fit and for estimators that draw no weights, with the reason.
    """

    input: Weights
    hidden: Weights

    def __post_init__(self) -> None:
        check_cell(self.input, self.hidden, 4)

    @property
    def features(self) -> int:
        return inputs_of(self.hidden)

    def start(self, h: Array) -> LSTMState:
        return LSTMState(h, h)

    def step(self, u: Array, v: Array, state: LSTMState) -> tuple[LSTMState, LSTMResiduals]:
        a_i, a_f, a_g, a_o = split(u + v, 4)
        (i, i_slope), (f, f_slope), (o, o_slope) = (SIGMOID.forward(a) for a in (a_i, a_f, a_o))
        g, g_slope = TANH.forward(a_g)
        c = f * state.c + i * g
        memory, c_slope = TANH.forward(c)
        slopes = (i_slope, f_slope, g_slope, o_slope, c_slope)
        return LSTMState(o * memory, c), LSTMResiduals((i, f, g, o), memory, state.c, slopes)

    def step_backward(self, residuals: LSTMResiduals, grad_state: LSTMState) -> tuple[Array, Array, LSTMState]:
        (i, f, g, o), memory, c, (i_slope, f_slope, g_slope, o_slope, c_slope) = residuals
        grad_c = grad_state.c + TANH.backward(c_slope, grad_state.h * o)
        grad_a = join(
            [
                SIGMOID.backward(i_slope, grad_c * g),
                SIGMOID.backward(f_slope, grad_c * c),
                TANH.backward(g_slope, grad_c * i),
                SIGMOID.backward(o_slope, grad_state.h * memory),
            ]
        )
        zeros = array_namespace(grad_c).zeros_like(grad_c)  # h reaches the step through v alone
        return grad_a, grad_a, LSTMState(zeros, grad_c * f)


def lstm(
    build: Callable[[Map], Any],
    in_features: int,
    features: int,
    *,
    outputs: Outputs = "all",
    input_noise: MultiplierLaw | None = None,
    hidden_noise: MultiplierLaw | None = None,
) -> Recurrent:
    """`(n, t, in_features) -> (n, t, features)`, or the last step alone, with both layers built by one method.

    `build` takes a map, as `flipout` does. Other arguments and errors as for `Recurrent` and `LSTM`.
    """
    _checks.positive_integer("in_features", in_features)
    _checks.positive_integer("features", features)
    cell = LSTM(build(Dense(in_features, 4 * features)), build(Dense(features, 4 * features)))
    return Recurrent(cell, outputs, input_noise, hidden_noise)
