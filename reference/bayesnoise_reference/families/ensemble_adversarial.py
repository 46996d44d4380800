"""Exact claims about adversarial inputs: their steps, that they raise the loss, and on what they depend."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference.claims.calls import empty
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.ensemble import EnsembleTrial, log_each, of_ensembles, outputs, slopes
from bayesnoise_reference.families.ensemble_training import ATTACK, EPSILON, STEP, examples, moved

NEEDS = ("adversarial",)


@of_ensembles(
    "adversarial",
    "The adversarial input of a member is a step of epsilon times each range along the signs of its gradient.",
    needs=NEEDS,
    catches=(
        *ATTACK,
        "ensemble-predicted-label",
    ),
)
def adversarial(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the gradient of the whole loss, by complex step."""
    width, (held, x, y) = trial.width(), examples(trial)
    got = trial.adversarial(x, y, EPSILON, width)
    want = moved(trial, held, x, y, EPSILON * width)
    return compared(trial, {"adversarial input": (got, want)}, 4.0, "of a member the")


@of_ensembles(
    "adversarial-steps",
    "An input is moved by epsilon times its range exactly, and not at all where the loss does not depend on it.",
    needs=NEEDS,
    catches=(
        *STEP,
        "ensemble-zero-moves",
    ),
)
def adversarial_steps(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the first input has no weight anywhere."""
    given, width = trial.parameters(), trial.width()
    given["weight"][:, 0] = 0.0
    trial.load(**given)
    x, y = trial.x(), trial.y()
    steps = np.abs(trial.adversarial(x, y, EPSILON, width) - x)
    if np.any(steps[..., 0] != 0):
        return exact(True, f"an input without any weight is moved by {np.max(steps[..., 0]):.3g}; 0 is right", 1)
    want = np.broadcast_to(EPSILON * width[1:], steps[..., 1:].shape)
    wrong = ~(np.abs(steps[..., 1:] - want) <= 4.0 * trial.guard.eps * (np.abs(x[:, 1:]) + want))
    if not np.any(wrong):
        return exact(False, "each input is moved by epsilon times its range", x.size)
    at = int(np.argmax(wrong))
    seen, right = steps[..., 1:].flat[at], want.flat[at]
    return exact(True, f"an input is moved by {seen:.6g}; epsilon times its range is {right:.6g}", x.size)


@of_ensembles(
    "adversarial-zero",
    "Steps of size 0 leave the inputs as they are.",
    needs=NEEDS,
    catches=("ensemble-epsilon-ignored", "ensemble-inputs-clipped"),
)
def adversarial_zero(trial: EnsembleTrial) -> Finding:
    """Exact, to the last bit."""
    trial.load()
    x, y = trial.x(), trial.y()
    worst = float(np.max(np.abs(trial.adversarial(x, y, 0.0, trial.width()) - x)))
    return exact(worst > 0, f"with an epsilon of 0 inputs are moved by up to {worst:.3g}; 0 is right", 1)


@of_ensembles(
    "adversarial-ascends",
    "Where the loss is convex in the input, it rises by no less than its slope along the step.",
    needs=NEEDS,
    catches=(
        "ensemble-descends",
        "ensemble-step-normalised",
        "ensemble-inputs-clipped",
        "ensemble-attacks-mixture",
        "ensemble-attacks-first",
        "ensemble-gradient-over-batch",
        "ensemble-predicted-label",
    ),
)
def adversarial_ascends(trial: EnsembleTrial) -> Finding:
    """Exact, but for rounding: logits, or means with a constant variance; the loss at what was answered, and at x."""
    d, given, epsilon, width = trial.description, trial.parameters(), 2.0**-6, trial.width()
    if d.kind == "gaussian":
        given["weight"][..., 1] = 0.0
    held = trial.load(**given)
    x, y = trial.x(), trial.y()
    slope = slopes(d, held, x, y)
    at = trial.adversarial(x, y, epsilon, width)
    before = -log_each(d, outputs(held, x), y)
    rises = -log_each(d, outputs(held, at), y) - before
    least = epsilon * np.sum(width * np.abs(slope), axis=-1)
    rounding = 64.0 * trial.guard.eps * (np.abs(before) + 1.0 + np.sum(np.abs(slope) * (np.abs(x) + 1.0), axis=-1))
    short = ~(rises >= least - rounding)
    if not np.any(short):
        return exact(False, "the loss rises by no less than its slope along the step", x.size)
    which = int(np.argmax(least - rises))
    said = f"the loss changes by {rises.flat[which]:+.4g}; no less than {least.flat[which]:+.4g} is right"
    return exact(True, said, x.size)


@of_ensembles(
    "adversarial-variance",
    "The step goes to larger variances for targets near the mean, and to smaller ones for targets far off.",
    needs=NEEDS,
    kinds=("gaussian",),
    catches=(*ATTACK,),
)
def adversarial_variance(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the means do not depend on the input, so that all of the gradient goes through variances."""
    d, given, width = trial.description, trial.parameters(), trial.width()
    up = np.where(np.arange(d.members) % 2, -1.0, 1.0)[:, None, None]  # where the variance of a member is larger
    given["weight"] = np.abs(given["weight"]) * up * np.array([0.0, 1.0])
    given["bias"] = np.tile([0.25, 0.0], (d.members, 1))
    trial.load(**given)
    x = 0.25 * trial.x(2)
    got = trial.adversarial(x, np.array([0.25, 32.25]), EPSILON, width)
    want = x + EPSILON * width * up * np.array([1.0, -1.0])[:, None]
    return compared(trial, {"adversarial input": (got, want)}, 4.0, "through the variance the")


@of_ensembles(
    "adversarial-alone",
    "The adversarial input of an example does not depend on the others in its batch.",
    needs=NEEDS,
    catches=("ensemble-gradient-over-batch",),
)
def adversarial_alone(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: each example in the batch and by itself."""
    width, (_, x, y) = trial.width(), examples(trial)
    together = trial.adversarial(x, y, EPSILON, width)
    apart = [trial.adversarial(x[i : i + 1], y[i : i + 1], EPSILON, width) for i in range(len(x))]
    return compared(trial, {"adversarial input": (together, np.concatenate(apart, axis=1))}, 4.0, "by themselves the")


@of_ensembles(
    "zero-batch",
    "A batch without examples has adversarial inputs of none.",
    needs=NEEDS,
    catches=("empty-batch-fails",),
)
def zero_batch(trial: EnsembleTrial) -> Finding:
    """Exact."""
    trial.load()
    y, width = trial.y(1), trial.width()
    return empty(trial, trial.x(1), lambda x: trial.adversarial(x, y[: len(x)], EPSILON, width))


CLAIMS = (
    adversarial,
    adversarial_steps,
    adversarial_zero,
    adversarial_ascends,
    adversarial_variance,
    adversarial_alone,
    zero_batch,
)
