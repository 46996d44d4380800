"""Factors that a flow makes: what a draw is, its gradients, the prediction, and what calls do."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import not_run
from bayesnoise_reference.families._comparison import compared, gradients_compared
from bayesnoise_reference.families.flow import NARROW, FlowTrial, of_flow, output

STEPS = (
    "flow-same-parity",
    "flow-gate-swapped",
    "flow-moves-all",
    "flow-sees-all",
    "flow-no-tanh",
    "flow-steps-reversed",
    "flow-one-step",
    "flow-shift-ungated",
)  # what is wrong with the flow, in any draw


@of_flow(
    "replay",
    "With given noise the output is that of the definition.",
    needs=("sample_with_noise",),
    catches=(
        *STEPS,
        "flow-base-variance",
        "flow-factor-in-noise",
        "flow-shared-across-batch",
        "flow-one-scalar",
        "scale-exp-for-softplus",
        "x-not-squared",
    ),
)
def replay(trial: FlowTrial) -> Finding:
    """Exact."""
    held, x, d = trial.load(), trial.rows(3), trial.description
    noise = {"eps": trial.normals(3, d.units), "zeta": trial.normals(3, d.outputs)}
    want = output(d, held, x, noise)
    return compared(trial, {"y": (trial.guard.sample_with_noise(x, noise), want)}, 2e4, "for given noise the output")


@of_flow(
    "evaluation",
    "Without noise the factors are what the flow makes of its mean, and the output is the same every time.",
    needs=("evaluate",),
    catches=(*STEPS, "evaluation-noisy", "flow-evaluation-unmoved"),
)
def evaluation(trial: FlowTrial) -> Finding:
    """Exact, twice."""
    held, x, d = trial.load(), trial.rows(3), trial.description
    want = output(d, held, x, {"eps": np.zeros((3, d.units)), "zeta": np.zeros((3, d.outputs))})
    first, second = (trial.guard.evaluate(x) for _ in range(2))
    return compared(trial, {"y": (first, want), "y, again,": (second, want)}, 2e4, "without noise the output")


def _called(trial: FlowTrial) -> tuple[Array, Array, dict[str, Array]]:
    x = trial.rows(4)
    grad_y = trial.normals(4, trial.description.outputs)
    return x, grad_y, trial.guard.gradients(x, grad_y)


@of_flow(
    "gradient-input",
    "The gradient of the input is that of the factors and the noise that were drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-input-of-mean", "gradient-input-averaged"),
)
def gradient_input(trial: FlowTrial) -> Finding:
    """Exact: an output is proportional to its input, so `x dL/dx = y dL/dy`, summed over each example (Euler)."""
    trial.load()
    x, grad_y, found = _called(trial)
    if not {"x", "y"} <= found.keys():
        return not_run("the adapter gives no gradient of the input, or not the output of the draw")
    pairs = {"of x": (np.sum(found["x"] * x, axis=1), np.sum(grad_y * found["y"], axis=1))}
    return compared(trial, pairs, 256.0, "along the input the gradient")


@of_flow(
    "gradient-flow",
    "The gradients of the flow are those of the factors that were drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-mean-averaged", "flow-gradient-stops", "flow-gradient-last-step"),
)
def gradient_flow(trial: FlowTrial) -> Finding:
    """Exact: where the weights have no noise, that of the factors is read off the output, and the definition derived.

    The auxiliary density is no part of the output.
    """
    held, d = trial.load(rho=NARROW), trial.description
    x, grad_y, found = _called(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    noise = {"eps": trial.eps(held, x, found["y"]), "zeta": np.zeros(grad_y.shape)}

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(grad_y * output(d, p, x, noise))

    names = tuple(name for name in held if name != "rho")
    return gradients_compared(trial, found, held, loss, "the gradient", names)


@of_flow(
    "gradient-weights",
    "The gradients of the weights are those of the noise that was drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-mean-averaged", "gradient-scale-zero"),
)
def gradient_weights(trial: FlowTrial) -> Finding:
    """Exact: where the factors have no noise, that of the outputs is read off them."""
    held, d = trial.load(base_log_sigma=NARROW), trial.description
    x, grad_y, found = _called(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    noise = {"eps": np.zeros((len(x), d.units)), "zeta": trial.zeta(held, x, found["y"])}

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(grad_y * output(d, p, x, noise))

    return gradients_compared(trial, found, held, loss, "the gradient", ("mean", "rho"))


CAUSES = {
    "flow-same-parity": "every step moves the same elements: they take turns",
    "flow-gate-swapped": "the gate weighs the shift, and its complement the element",
    "flow-moves-all": "every element moves in every step: half of them stay",
    "flow-sees-all": "the hidden layer sees the elements that move: the flow is then no bijection",
    "flow-no-tanh": "the hidden layer has no tanh",
    "flow-steps-reversed": "the last step is made first",
    "flow-one-step": "the flow has a step less",
    "flow-shift-ungated": "the shift is added whole: it is weighed by what the gate leaves",
    "flow-base-variance": "the scale of the flow's base is used as a variance",
    "flow-factor-in-noise": "the noise is multiplied by the factors: they multiply the means alone",
    "flow-shared-across-batch": "all examples share their factors",
    "flow-one-scalar": "all units share the noise of one",
    "flow-evaluation-unmoved": "without noise the factors are the mean of the base, which the flow did not move",
    "flow-gradient-stops": "no gradient reaches the flow",
    "flow-gradient-last-step": "gradients do not pass from one step to the one before",
}


def _ready(trial: FlowTrial) -> Array:
    trial.load()
    return trial.rows(3)


CLAIMS = (
    *claims_on_calls(of_flow, _ready, fresh=("no-noise", "eps-across-calls")),
    replay,
    evaluation,
    gradient_input,
    gradient_flow,
    gradient_weights,
)
