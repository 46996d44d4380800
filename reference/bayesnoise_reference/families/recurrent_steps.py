"""What a recurrent layer computes, and that one draw of its weights serves all steps: without any sampling error.

The same input at two steps, with no weights on the state, gives the very same pre-activation, whatever was drawn: that
is what it means that the weights are one random variable a sequence.
"""

from __future__ import annotations

import math

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._wrong_cells import WRONG_STATE, WRONG_STEP
from bayesnoise_reference.families.recurrent import MAPS, Held, SequenceTrial, of_recurrent

CAUSES = {
    "recurrent-gates-in-another-order": "the gates lie in another order than i, f, g, o, or r, z, n",
    "recurrent-state-kept": "the state of one call is the start of the next",
    "recurrent-reversed": "the sequence is run from its end",
    "recurrent-first-input-again": "every step sees the first input",
    "recurrent-hidden-bias-missing": "the bias of the state's product is not added",
    "lstm-no-tanh-at-output": "h is o c, without the tanh of c",
    "lstm-forget-missing": "the old c is added without its gate",
    "lstm-forget-added-one": "1 is added to the forget gate's pre-activation on top of its bias",
    "gru-reset-before": "the reset gate multiplies the state, not its product",
    "gru-update-reversed": "the update gate multiplies the new state where it should multiply the old one",
    "recurrent-signs-per-step": "signs are drawn again at every step",
    "recurrent-input-eps-per-step": "the weights of the input are drawn again at every step",
    "recurrent-hidden-eps-per-step": "the weights of the state are drawn again at every step",
    "recurrent-bias-per-step": "a random bias is drawn again at every step",
}
READING = 1e5  # what rounding may do to a pre-activation between -2 and 2 that is read off a state, in units of it


def _apart(trial: SequenceTrial, seen: Array, right: Array, where: str, n: int) -> Finding:
    worst = float(np.max(np.abs(seen - right), initial=0.0))
    wrong = not worst <= trial.rounding
    return exact(wrong, f"{where} the states are {worst:.3g} away from the definition at most", n)


@of_recurrent(
    "scale-zero",
    "With all scales zero the states are those of the cell with the mean weights.",
    catches=(*WRONG_STEP, "recurrent-state-kept", "signs-on-the-whole-weight", "scale-softplus-missing", "mean-shrunk"),
)
def scale_zero(trial: SequenceTrial) -> Finding:
    """Exact: two calls on several sequences, and one on sequences of one step."""
    held = trial.load(trial.random())
    found = []
    for n, t in ((3, 4), (2, 3), (2, 1)):
        x = trial.rows(n, t)
        found.append(np.max(np.abs(trial.guard.sample(x) - trial.states(x, held.mean))))
    return _apart(trial, np.array(found), np.zeros(3), "with all scales zero", 3)


@of_recurrent(
    "evaluation",
    "In evaluation the states are those of the mean weights.",
    needs=("evaluate",),
    catches=(*WRONG_STEP, "evaluation-noisy", "mean-shrunk"),
)
def evaluation(trial: SequenceTrial) -> Finding:
    """Exact, with wide scales."""
    held, x = trial.load(trial.random(), trial.scales()), trial.rows(3, 3)
    return _apart(trial, trial.guard.evaluate(x), trial.states(x, held.mean), "in evaluation", 1)


def drawn(trial: SequenceTrial, held: Held, noise: dict[str, Array], n: int) -> dict[str, Array]:
    """The weights and biases of each example, `(n, ...)`, for given noise."""
    found = {}
    for name, shape in trial.shapes().items():
        eps = noise.get(f"{name}_eps", np.zeros(shape))
        if name in MAPS and trial.description.estimator == "flipout":
            pairs = zip(noise[f"{name}_sign_in"], noise[f"{name}_sign_out"], strict=True)
            eps = np.stack([eps * np.outer(r, s) for r, s in pairs])
        found[name] = np.broadcast_to(held.mean[name] + held.scale[name] * eps, (n, *shape))
    return found


def noise_for(trial: SequenceTrial, n: int) -> dict[str, Array]:
    """Noise as `sample_with_noise` takes it, of the precision of the layer."""
    d, rng = trial.description, trial.rng
    noise: dict[str, Array] = {}
    for name, shape in trial.shapes().items():
        flipout = d.estimator == "flipout"
        if name in MAPS:
            noise[f"{name}_eps"] = rng.standard_normal(shape)
            if flipout:
                noise[f"{name}_sign_in"] = rng.choice([-1.0, 1.0], (n, shape[0]))
                noise[f"{name}_sign_out"] = rng.choice([-1.0, 1.0], (n, shape[1]))
        elif d.bias == "random":
            noise[f"{name}_eps"] = rng.standard_normal((n, *shape) if flipout else shape)
    return {k: trial.rounded(v) for k, v in noise.items()}


@of_recurrent(
    "replay",
    "For given noise each sequence has the states of the cell with the weights that the noise makes.",
    needs=("sample_with_noise",),
    catches=(
        *WRONG_STEP,
        "recurrent-input-without-noise",
        "recurrent-hidden-without-noise",
        "recurrent-hidden-signs-missing",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "signs-on-the-whole-weight",
        "bias-noise-missing",
        "mean-shrunk",
        "scale-softplus-missing",
        "recurrent-input-eps-per-step",
        "recurrent-hidden-eps-per-step",
        "recurrent-bias-per-step",
        "recurrent-signs-per-step",
    ),
)
def replay(trial: SequenceTrial) -> Finding:
    """Exact: every example's own weight matrices, and its sequence run with them."""
    worst = np.zeros(3)
    for k in range(3):
        held, x = trial.load(trial.random(), trial.scales()), trial.rows(3, 3)
        noise = noise_for(trial, 3)
        right = trial.states(x, drawn(trial, held, noise, 3))
        worst[k] = np.max(np.abs(trial.guard.sample_with_noise(x, noise) - right))
    return _apart(trial, worst, np.zeros(3), "for given noise", 3)


def _steps(trial: SequenceTrial, what: str, changes: list[float]) -> Finding:
    worst = float(np.max(changes))
    wrong = not worst <= READING * trial.guard.eps
    said = f"the same {what} at several steps gives pre-activations that differ by {worst:.3g}; they are one number"
    return exact(wrong, said, len(changes))


@of_recurrent(
    "steps-share-input-weights",
    "One draw of the weights of the input serves all steps.",
    catches=(
        "recurrent-input-eps-per-step",
        "recurrent-signs-per-step",
        *WRONG_STATE,
        "recurrent-reversed",
        "recurrent-gates-in-another-order",
        "scale-softplus-missing",
    ),
)
def steps_share_input_weights(trial: SequenceTrial) -> Finding:
    """Exact: equal inputs at three steps, with no weights on the state, each gate in its turn."""
    d, changes = trial.description, []
    for gate in d.gates:
        each = 0.3 / math.sqrt(d.inputs)  # of a pre-activation 0.3, whatever the size of the layer
        trial.load(trial.reading(gate), {"input": trial.only(gate, np.full((d.inputs, d.units), each))})
        x = np.zeros((2, 4, d.inputs))
        x[:, 1:] = trial.rng.choice([-1.0, 1.0], x[:, :1].shape)
        a = trial.decode(gate, trial.guard.sample(x))
        changes.append(float(np.max(np.abs(a - a[:, :1]))))
    return _steps(trial, "input", changes)


@of_recurrent(
    "steps-share-hidden-weights",
    "One draw of the weights of the state serves all steps.",
    catches=(
        "recurrent-hidden-eps-per-step",
        "recurrent-signs-per-step",
        *WRONG_STATE,
        "recurrent-reversed",
        "recurrent-first-input-again",
        "lstm-forget-added-one",
        "scale-softplus-missing",
    ),
)
def steps_share_hidden_weights(trial: SequenceTrial) -> Finding:
    """Exact: weights of each unit on itself alone, so that two pre-activations are as the two states before them."""
    d, changes = trial.description, []
    for gate in d.gates:
        trial.load(trial.reading(gate) | trial.kick(gate), {"hidden": trial.only(gate, 0.6 * np.eye(d.units))})
        y = trial.guard.sample(trial.kicks(2, 3))
        a, before = trial.decode(gate, y), y[:, :-1]
        changes.append(float(np.max(np.abs(a[:, 1] * before[:, 0] - a[:, 0] * before[:, 1]))))
    return _steps(trial, "state", changes)


@of_recurrent(
    "steps-share-bias",
    "One draw of a random bias serves all steps.",
    when=lambda d: d.bias == "random",
    catches=(
        "recurrent-bias-per-step",
        *WRONG_STATE,
        "recurrent-reversed",
        "recurrent-gates-in-another-order",
        "scale-softplus-missing",
    ),
)
def steps_share_bias(trial: SequenceTrial) -> Finding:
    """Exact: inputs of zeros."""
    changes = []
    for gate in trial.description.gates:
        one = trial.only(gate, np.full(trial.description.units, 0.3))
        trial.load(trial.reading(gate), {"input_bias": one})
        a = trial.decode(gate, trial.guard.sample(np.zeros((2, 4, trial.description.inputs))))
        changes.append(float(np.max(np.abs(a - a[:, :1]))))
    return _steps(trial, "bias", changes)


def _ready(trial: SequenceTrial) -> Array:
    trial.load(trial.random(), trial.scales())
    return trial.rows(2, 2)


CLAIMS = (
    *claims_on_calls(of_recurrent, _ready),
    scale_zero,
    evaluation,
    replay,
    steps_share_input_weights,
    steps_share_hidden_weights,
    steps_share_bias,
)
