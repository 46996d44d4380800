"""The gradients of a noisy call of a recurrent layer: those of the cell with the weights that were drawn in it.

The draw is read off the states of that very call, gate after gate, so that the definition gives every gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import not_run
from bayesnoise_reference.families._comparison import gradients_compared
from bayesnoise_reference.families._corners import drawn, reading
from bayesnoise_reference.families._wrong_cells import WRONG_PASS, WRONG_SCALE
from bayesnoise_reference.families.recurrent import SequenceTrial, of_recurrent

CAUSES = {
    "recurrent-gradient-detached": "gradients do not pass through the noisy part of a product to what it multiplies",
    "recurrent-gradient-one-gate": "scales have a gradient in the third gate alone",
    "recurrent-gradient-no-bias-scale": "the scales of random biases have no gradient",
}
_DRAW = (
    *WRONG_PASS,
    *WRONG_SCALE,
    "scale-softplus-missing",
    "recurrent-gradient-truncated",
    "recurrent-gradient-last-step",
    "gradient-scale-without-chain",
    "gradient-scale-zero",
    "gradient-noise-redrawn",
    "recurrent-gradient-one-gate",
)


def _gradients(trial: SequenceTrial, what: str) -> Finding:
    """By the means, the biases, the random row's scales and the first input, along a random direction each.

    The inputs that choose the gate have weights so large that a gradient by them would hide all others.
    """
    of = reading(trial, what)
    g = trial.normals(1, of.x.shape[1], trial.description.units)
    found = trial.guard.gradients(of.x, g)
    if "y" not in found:
        return not_run("gradients give no output of their draw")
    held, eps = of.held, np.zeros(trial.shapes()[what])
    (eps if eps.ndim == 1 else eps[:1])[...] = drawn(trial, of, found["y"])[0]
    by_stored = eps * trial.slope(held, what)
    own = {name: f"{name}_mean" if name in held.stored else name for name in held.mean}

    def loss(at: dict[str, Array]) -> Any:
        arrays = {name: at[key] for name, key in own.items()}
        arrays[what] = arrays[what] + held.scale[what] * eps + (at[f"{what}_rho"] - held.stored[what]) * by_stored
        x = np.concatenate([at["x"], of.x[..., 1:]], axis=-1)
        return np.sum(g * trial.states(x, arrays))

    at = {key: held.mean[name] for name, key in own.items()}
    at |= {f"{what}_rho": held.stored[what], "x": of.x[..., :1]}
    first = {"x": found["x"][..., :1]} if "x" in found else {}
    names = tuple(key for key in at if key in found)
    return gradients_compared(trial, found | first, at, loss, "for the draw of the call the gradient", names)


@of_recurrent(
    "input-draw-gradients",
    "Gradients of a call are those of the cell with the weights of the input that it drew, in every gate.",
    needs=("sample", "gradients"),
    when=lambda d: d.inputs >= 3,
    catches=(
        *_DRAW,
        "recurrent-gradient-detached",
        "recurrent-input-without-noise",
        "recurrent-input-eps-per-step",
        "recurrent-signs-per-step",
        "signs-on-the-whole-weight",
    ),
)
def input_draw_gradients(trial: SequenceTrial) -> Finding:
    """Exact, but for what reading the draw adds to rounding."""
    return _gradients(trial, "input")


@of_recurrent(
    "hidden-draw-gradients",
    "Gradients of a call are those of the cell with the weights of the state that it drew, in every gate.",
    needs=("sample", "gradients"),
    catches=(
        *_DRAW,
        "recurrent-gradient-detached",
        "recurrent-hidden-without-noise",
        "recurrent-hidden-eps-per-step",
        "recurrent-signs-per-step",
        "signs-on-the-whole-weight",
    ),
)
def hidden_draw_gradients(trial: SequenceTrial) -> Finding:
    """Exact, likewise."""
    return _gradients(trial, "hidden")


@of_recurrent(
    "input-bias-draw-gradients",
    "Gradients of a call are those of the cell with the biases of the input that it drew, in every gate.",
    needs=("sample", "gradients"),
    when=lambda d: d.bias == "random",
    catches=(*_DRAW, "recurrent-gradient-no-bias-scale", "bias-noise-missing", "recurrent-bias-per-step"),
)
def input_bias_draw_gradients(trial: SequenceTrial) -> Finding:
    """Exact, likewise."""
    return _gradients(trial, "input_bias")


@of_recurrent(
    "hidden-bias-draw-gradients",
    "Gradients of a call are those of the cell with the biases of the state that it drew, in every gate.",
    needs=("sample", "gradients"),
    when=lambda d: d.bias == "random",
    catches=(
        *_DRAW,
        "recurrent-gradient-no-bias-scale",
        "bias-noise-missing",
        "recurrent-bias-per-step",
        "recurrent-hidden-bias-missing",
    ),
)
def hidden_bias_draw_gradients(trial: SequenceTrial) -> Finding:
    """Exact, likewise."""
    return _gradients(trial, "hidden_bias")


CLAIMS = (input_draw_gradients, hidden_draw_gradients, input_bias_draw_gradients, hidden_bias_draw_gradients)
