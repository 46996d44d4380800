"""A cell along a sequence: `(n, t, i) -> (n, t, h)`, from a state of zeros.

The weights are one random variable a sequence. Each layer of the cell is drawn once, and that draw meets every step:
with fresh signs or fresh noise at each step the states would follow another law than that of a network with random
weights. Noise on the inputs and on the states is fixed over time for the same reason: the mask of Gal, Ghahramani
2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks" (arXiv 1512.05287), equation 7 as
numbered there in reports, one mask for all gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from array_api_compat import array_namespace, device

from bayesnoise import _checks, tree
from bayesnoise._reuse import Reused, Weights, reuse, reuse_backward, step, step_backward
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.noise import MultiplierLaw
from bayesnoise.recurrent.cell import Cell

Outputs: TypeAlias = Literal["all", "last"]


class RecurrentParams(NamedTuple):
    input: Params
    hidden: Params


class RecurrentNoise(NamedTuple):
    input: Noise
    hidden: Noise
    input_factor: Array | None  # (n, 1, i), of every x
    hidden_factor: Array | None  # (n, h), of every h that enters the next step


class RecurrentResiduals(NamedTuple):
    input: Residuals
    hidden: Reused
    used: tuple[Residuals, ...]  # of the hidden layer, one a step
    steps: tuple[Residuals, ...]  # of the cell, one a step
    noise: RecurrentNoise


@dataclass(frozen=True)
class Recurrent:
    """The states of a cell at each step `(n, t, h)`, or the last one `(n, h)` with `outputs="last"`.

    `input_noise` and `hidden_noise`, such as `noise.Bernoulli(0.25)`, multiply what enters the two layers by factors
    that are drawn once a sequence. ValueError for other outputs, and for sequences of no steps. The steps are a Python
    loop: under a compiler they unroll, one copy of the step each.
    """

    cell: Cell
    outputs: Outputs = "all"
    input_noise: MultiplierLaw | None = None
    hidden_noise: MultiplierLaw | None = None

    def __post_init__(self) -> None:
        _checks.one_of("outputs", self.outputs, ("all", "last"))

    @property
    def parts(self) -> tuple[tuple[str, Weights], ...]:
        return ("input", self.cell.input), ("hidden", self.cell.hidden)

    def output_shape(self, x_shape: Shape) -> Shape:
        if len(x_shape) != 3 or x_shape[1] < 1:
            raise ValueError(f"x has shape {tuple(x_shape)}, expected (n, t, i) with at least one step")
        n, t, _ = self.cell.input.output_shape(x_shape)
        return (n, t, self.cell.features) if self.outputs == "all" else (n, self.cell.features)

    def init(self, rng: Rng, *, like: Array) -> RecurrentParams:
        for_input, for_hidden = rng.split(2)
        return RecurrentParams(self.cell.input.init(for_input, like=like), self.cell.hidden.init(for_hidden, like=like))

    def draw(self, rng: Rng, params: RecurrentParams, x_shape: Shape, *, like: Array) -> RecurrentNoise:
        for_input, for_hidden, for_x, for_h = rng.split(4)
        x_factor, h_factor = self._factor_shapes(x_shape)
        return RecurrentNoise(
            self.cell.input.draw(for_input, params.input, x_shape, like=like),
            self.cell.hidden.draw(for_hidden, params.hidden, h_factor, like=like),
            None if self.input_noise is None else self.input_noise.draw(for_x, x_factor, like=like),
            None if self.hidden_noise is None else self.hidden_noise.draw(for_h, h_factor, like=like),
        )

    def _factor_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        return (x_shape[0], 1, x_shape[2]), (x_shape[0], self.cell.features)

    def _check(self, params: RecurrentParams, x: Array) -> Array:
        """The state of zeros, `(n, h)`, for an input that fits."""
        _checks.layer_input(x, params)
        self.output_shape(x.shape)
        return array_namespace(x).zeros((x.shape[0], self.cell.features), dtype=x.dtype, device=device(x))

    def forward(self, params: RecurrentParams, noise: RecurrentNoise, x: Array) -> tuple[Array, RecurrentResiduals]:
        state = self.cell.start(self._check(params, x))
        for name, shape in zip(("input_factor", "hidden_factor"), self._factor_shapes(x.shape), strict=True):
            if getattr(noise, name) is not None:
                _checks.shape(f"noise.{name}", getattr(noise, name), shape)
        u, input = self.cell.input.forward(params.input, noise.input, _times(x, noise.input_factor))
        hidden = reuse(self.cell.hidden, params.hidden, noise.hidden, state[0])
        states, used, steps = [], [], []
        for t in range(x.shape[1]):
            v, of_layer = step(self.cell.hidden, hidden, _times(state[0], noise.hidden_factor))
            state, of_cell = self.cell.step(u[:, t, :], v, state)
            states.append(state[0])
            used.append(of_layer)
            steps.append(of_cell)
        return self._output(states), RecurrentResiduals(input, hidden, tuple(used), tuple(steps), noise)

    def _output(self, states: list[Array]) -> Array:
        return array_namespace(states[0]).stack(states, axis=1) if self.outputs == "all" else states[-1]

    def backward(
        self, residuals: RecurrentResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, RecurrentParams]:
        input, hidden, used, steps, noise = residuals
        xp, last = array_namespace(grad_y), len(steps) - 1
        grad_h = grad_y[:, last, :] if self.outputs == "all" else grad_y
        grad_state: Any = self.cell.start(xp.zeros_like(grad_h))
        grads_u: list[Array] = []
        sums: Any = None
        for t in range(last, -1, -1):
            grad_state = grad_state._replace(h=grad_state.h + grad_h)
            grad_u, grad_v, grad_state = self.cell.step_backward(steps[t], grad_state)
            through_v, grad_operands = step_backward(self.cell.hidden, used[t], grad_v)
            grad_h = _times(through_v, noise.hidden_factor)
            if self.outputs == "all" and t > 0:
                grad_h = grad_h + grad_y[:, t - 1, :]
            grads_u.append(grad_u)
            here = (grad_operands, grad_v)
            sums = here if sums is None else tree.map(lambda a, b: a + b, sums, here)
        grad_x, grad_input = self.cell.input.backward(input, xp.stack(grads_u[::-1], axis=1), input_grad=input_grad)
        grad_hidden = reuse_backward(self.cell.hidden, hidden, *sums)
        return _times(grad_x, noise.input_factor), RecurrentParams(grad_input, grad_hidden)

    def predict(self, params: RecurrentParams, x: Array) -> Array:
        state = self.cell.start(self._check(params, x))
        u = self.cell.input.predict(params.input, x)
        states = []
        for t in range(x.shape[1]):
            state, _ = self.cell.step(u[:, t, :], self.cell.hidden.predict(params.hidden, state[0]), state)
            states.append(state[0])
        return self._output(states)

    def kl(self, params: RecurrentParams, noise: RecurrentNoise | None = None) -> Array:
        of_input, of_hidden = (None, None) if noise is None else noise[:2]
        return self.cell.input.kl(params.input, of_input) + self.cell.hidden.kl(params.hidden, of_hidden)

    def kl_grad(self, params: RecurrentParams, noise: RecurrentNoise | None = None) -> RecurrentParams:
        of_input, of_hidden = (None, None) if noise is None else noise[:2]
        return RecurrentParams(
            self.cell.input.kl_grad(params.input, of_input), self.cell.hidden.kl_grad(params.hidden, of_hidden)
        )


def _times(x: Any, factor: Array | None) -> Any:
    return x if x is None or factor is None else x * factor
