"""What a recurrent cell is: two layers of weights, and an elementwise rule from their outputs to the next state.

A step is `u_t = input(x_t)`, `v_t = hidden(h_t-1)` and `state_t = step(u_t, v_t, state_t-1)`. Only `step` differs from
cell to cell, and it meets no weights; only the two layers are random, and they meet no gates.
"""

from __future__ import annotations

from typing import Any, Protocol

from array_api_compat import array_namespace

from bayesnoise import activations
from bayesnoise._reuse import Weights, check_dense, check_sizes, inputs_of
from bayesnoise._typing import Array, Residuals
from bayesnoise.fixed import Operation

SIGMOID: Operation = activations.sigmoid().operation
TANH: Operation = activations.tanh().operation


class Cell(Protocol):
    """A rule of one step. The first array of a state is `h (n, h)`, which is also the output of the step."""

    @property
    def input(self) -> Weights:
        """From `x_t (n, i)` to `u_t (n, gates * h)`."""
        ...

    @property
    def hidden(self) -> Weights:
        """From `h_t-1 (n, h)` to `v_t (n, gates * h)`."""
        ...

    @property
    def features(self) -> int:
        """The number h of units."""
        ...

    def start(self, h: Array) -> Any:
        """The state before the first step, a NamedTuple, from the zeros `h (n, h)`."""
        ...

    def step(self, u: Array, v: Array, state: Any) -> tuple[Any, Residuals]:
        """The next state."""
        ...

    def step_backward(self, residuals: Residuals, grad_state: Any) -> tuple[Array, Array, Any]:
        """The gradients of `u`, of `v` and of the state before."""
        ...


def check_cell(input: Weights, hidden: Weights, gates: int) -> None:
    """Raise TypeError or ValueError unless both layers can be drawn once a sequence and their sizes fit together."""
    check_dense("input", input)
    check_dense("hidden", hidden)
    h = inputs_of(hidden)
    check_sizes("hidden", hidden, (1, h), gates * h)
    check_sizes("input", input, (1, inputs_of(input)), gates * h)


def split(a: Array, gates: int) -> list[Array]:
    """`(n, gates * h) -> gates of (n, h)`."""
    h = a.shape[1] // gates
    return [a[:, k * h : (k + 1) * h] for k in range(gates)]


def join(parts: list[Array]) -> Array:
    """`(n, h) each -> (n, gates * h)`."""
    return array_namespace(parts[0]).concat(parts, axis=1)
