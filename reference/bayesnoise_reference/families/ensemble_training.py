"""Exact claims about what members minimise: their losses, and the gradient at inputs and adversarial inputs."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.ensemble import (
    EnsembleTrial,
    Held,
    log_each,
    moments,
    of_ensembles,
    outputs,
    slopes,
    training_gradient,
)

CAUSES = {
    "ensemble-loss-log-variance": "the logarithm of the variance lacks its factor 1/2 in the loss",
    "ensemble-loss-of-probabilities": "the loss takes probabilities for logits: softmax is applied twice",
    "ensemble-descends": "the adversarial step goes down the loss",
    "ensemble-step-normalised": "the adversarial step is along the gradient, normalised, in the place of its signs",
    "ensemble-width-ignored": "the adversarial step does not know the range of each input",
    "ensemble-epsilon-ignored": "the adversarial step has a size of its own",
    "ensemble-inputs-clipped": "adversarial inputs are clipped to between 0 and 1",
    "ensemble-zero-moves": "inputs are moved although the loss does not depend on them",
    "ensemble-attacks-mixture": "the adversarial inputs are those of the whole ensemble, not of each member",
    "ensemble-attacks-first": "all members have the adversarial inputs of the first",
    "ensemble-gradient-over-batch": "the examples of a batch share the direction of their adversarial step",
    "ensemble-variance-detached": "no gradient of the input goes through the variance",
    "ensemble-predicted-label": "the adversarial step is away from the label that is predicted, not from the one given",
    "ensemble-clean-missing": "members are trained on their adversarial inputs alone",
    "ensemble-adversarial-missing": "members are not trained on their adversarial inputs",
    "ensemble-other-objective": "the two losses of a member are added where their mean is declared, or the reverse",
    "ensemble-gradient-averaged": "the gradient of a member is divided by the number of members",
    "ensemble-batch-summed": "the losses of a batch are summed in the place of their mean",
    "ensemble-trained-together": "the members are trained together, on the loss of their mixture",
}
STEP = ("ensemble-step-normalised", "ensemble-width-ignored", "ensemble-epsilon-ignored", "ensemble-inputs-clipped")
ATTACK = (
    *STEP,
    "ensemble-descends",
    "ensemble-attacks-mixture",
    "ensemble-attacks-first",
    "ensemble-gradient-over-batch",
    "ensemble-variance-detached",
)
EPSILON = 0.125  # of the adversarial steps


def examples(trial: EnsembleTrial, n: int = 6) -> tuple[Held, Array, Array]:
    """Parameters, loaded, inputs and targets at which rounding turns no sign of a slope: those near zero are left out.

    ValueError where no such inputs are found.
    """
    for _ in range(32):
        given = {name: trial.rounded(value) for name, value in trial.parameters().items()}
        x, y = trial.x(16 * n), trial.y(16 * n)
        sizes = np.abs(slopes(trial.description, given, x, y))
        clear = np.all(sizes > 1e3 * trial.guard.eps * (1.0 + np.max(sizes, axis=2, keepdims=True)), axis=(0, 2))
        if np.sum(clear) >= n:
            return trial.load(**given), x[clear][:n], y[clear][:n]
    raise ValueError("some slope of the loss is near zero at any input")


def moved(trial: EnsembleTrial, held: Held, x: Array, y: Array, step: Array) -> Array:
    """The adversarial inputs of every member, by the definition."""
    return np.asarray(x + step * np.sign(slopes(trial.description, held, x, y)))


def _losses(trial: EnsembleTrial, held: Held, x: Array, y: Array, where: str, finite: bool = True) -> Finding:
    """The losses less the first: a constant in all of them is of no account."""
    want = -log_each(trial.description, outputs(held, x), y)
    got = trial.asked("loss", want.shape, finite=finite, x=x, y=y)
    size = float(np.max(np.abs(want)))
    pair = {"loss": (got - got[0, 0] + size, want - want[0, 0] + size)}
    return compared(trial, pair, 256.0, where)


@of_ensembles(
    "loss",
    "The loss of a member is its own negative log-likelihood.",
    needs=("loss",),
    catches=("ensemble-loss-log-variance", "ensemble-loss-of-probabilities", "ensemble-bias-shared"),
)
def loss(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding, but for one constant."""
    return _losses(trial, trial.load(), trial.x(), trial.y(), "of members the")


@of_ensembles(
    "loss-extreme",
    "Losses from outputs far out are finite and right.",
    needs=("loss",),
    catches=(
        "ensemble-minimum-missing",
        "ensemble-variance-clipped",
        "ensemble-softplus-overflows",
        "ensemble-softmax-overflows",
        "ensemble-loss-of-probabilities",
    ),
)
def loss_extreme(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding, but for one constant: raw variances, or logits, far out."""
    d, x = trial.description, trial.x(3)
    for bias in trial.far_out():
        held = trial.constant(bias)
        if d.kind == "gaussian":
            middle, spread = (part[0, 0] for part in moments(d, outputs(held, x)))
            y = trial.rounded(middle + np.sqrt(spread) * np.array([0.5, -1.0, 3.0]))
        else:
            y = np.arange(3.0) % d.classes
        found = _losses(trial, held, x, y, f"of outputs {bias[0].tolist()} the", finite=False)
        if found.refuted:
            return found
    return exact(False, "losses from outputs far out agree to rounding", 2)


@of_ensembles(
    "training-gradient",
    "The gradient of a member is that of its own loss at the inputs and at its adversarial inputs.",
    needs=("training_gradient",),
    catches=(
        *ATTACK,
        "ensemble-bias-shared",
        "ensemble-loss-log-variance",
        "ensemble-loss-of-probabilities",
        "ensemble-predicted-label",
        "ensemble-clean-missing",
        "ensemble-adversarial-missing",
        "ensemble-other-objective",
        "ensemble-gradient-averaged",
        "ensemble-batch-summed",
        "ensemble-trained-together",
    ),
)
def of_training(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: by complex step, with the adversarial inputs held fixed."""
    d, width = trial.description, trial.width()
    held, x, y = examples(trial)
    want = training_gradient(d, held, x, moved(trial, held, x, y, EPSILON * width), y)
    got = trial.asked("training_gradient", want.shape, x=x, y=y, epsilon=np.array(EPSILON), width=width)
    return compared(trial, {"gradient": (got, want)}, 1024.0, "of training the")


CLAIMS = (loss, loss_extreme, of_training)
