"""The signs of flipout: of each example, rank one, on the perturbation alone.

Two equal examples a and b of one call see the same perturbation up to sign. With mean weights 0 an impulse shows, for
weight (i, o), the product `r_ai r_bi s_ao s_bo` as the sign of `y_a y_b`: a fair coin. Products of such products undo
one factor and leave a coin of the other.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import among, exact, judged, not_run
from bayesnoise_reference.claims.pictured import outcomes, tosses
from bayesnoise_reference.claims.weight_trial import WeightTrial

_PAIRS = 8  # of equal examples, where one input is enough


def products(trial: WeightTrial, seen: designs.Reading) -> Array:
    """(calls, m): whether two equal examples have the same sign, at every weight of the reading."""
    trial.without_bias(mean=0.0)
    y = [trial.guard.sample(designs.twice(seen.x)).reshape(2, -1)[:, seen.at] for _ in range(trial.calls)]
    return np.stack([v[0] * v[1] > 0 for v in y])


def agreements(trial: WeightTrial, asked: Array) -> Array:
    """(calls, m): whether two equal examples have signs on two inputs `(m, 2)` that turned together, or not at all."""
    d = trial.description
    held = trial.without_bias(mean=0.0)
    x = np.zeros(designs.input_shape(d, len(asked)))
    x[np.arange(len(asked))[:, None], asked] = 1.0  # the middle of an image meets the kernel whatever the stride
    x = np.repeat(x, 2, axis=0)
    sums = trial.mean_output(x[::2], held._replace(mean=np.ones_like(held.mean)))
    visible = np.max(np.abs(sums), axis=0) > 0
    together = []
    for _ in range(trial.calls):
        y = np.abs(trial.guard.sample(x))[:, visible]
        a, b = y[::2], y[1::2]
        near = np.abs(a - b) <= 256 * trial.guard.eps * (np.prod(d.kernel) + np.maximum(a, b))
        together.append(np.all(near, axis=1))
    return np.stack(together)


def _coin(trial: WeightTrial, same: Array, sentence: str) -> Finding:
    verdict = statistics.coin(int(np.sum(same)), same.size, alpha=trial.alpha)
    said = f"{sentence} in {100 * np.mean(same):.1f} % of draws; 50 % is right"
    return judged(verdict, said, outcomes(same, 0.5))


def least_fair(trial: WeightTrial, counts: Array) -> tuple[int, statistics.Verdict]:
    """Which of many coins, each tossed once a call, fell least fairly, and what that says of all."""
    at = int(np.argmax(np.abs(counts - trial.calls / 2)))
    verdict = statistics.coin(int(counts[at]), trial.calls, alpha=trial.alpha / counts.size)
    return at, among(verdict, counts.size)


@of_weights(
    "one-perturbation",
    "All examples of a call see one perturbation, up to signs.",
    kinds=("flipout",),
    catches=("scale-as-variance", "scale-softplus-missing", "signs-zero-one", "noise-per-example"),
)
def one_perturbation(trial: WeightTrial) -> Finding:
    """Exact: with mean weights 0, two equal impulses give outputs of equal size."""
    seen, worst = designs.reading(trial.description, trial.rng, inputs=32), 0.0
    trial.without_bias(mean=0.0)
    for _ in range(4):
        a, b = np.abs(trial.guard.sample(designs.twice(seen.x)).reshape(2, -1)[:, seen.at])
        worst = max(worst, float(np.max(np.abs(a - b) / (np.maximum(a, b) + 1e-6))))
    if worst <= 64 * trial.guard.eps:
        return exact(False, "equal examples of one call see perturbations of equal size", 4)
    return exact(
        True, f"equal examples of one call see perturbations whose sizes differ by up to {100 * worst:.3g} %", 4
    )


@of_weights(
    "signs-per-example",
    "Every example has signs of its own.",
    kinds=("flipout",),
    catches=("no-noise", "signs-shared-across-batch", "signs-unfair"),
)
def signs_per_example(trial: WeightTrial) -> Finding:
    """One weight to each output: the coins of one input are independent across outputs and calls."""
    d = trial.description
    seen = designs.reading(d, trial.rng, inputs=1)
    _, per_output = np.unique(output_of(trial, seen), return_index=True)
    same = products(trial, seen)[:, per_output]
    return _coin(trial, same, "two equal examples have the same sign")


def output_of(trial: WeightTrial, seen: designs.Reading) -> Array:
    """The output, or filter, of each element of a reading."""
    axis = 1 if trial.description.family == "dense" else 0
    return np.unravel_index(seen.weight, trial.description.weight_shape)[axis]


@of_weights(
    "signs-per-output",
    "Every output has a sign of its own.",
    kinds=("flipout",),
    when=lambda d: d.outputs // d.groups > 1,
    catches=("no-noise", "no-output-signs", "one-scalar-sign", "signs-shared-across-batch"),
)
def signs_per_output(trial: WeightTrial) -> Finding:
    """Two outputs of one input: the input's sign cancels, and what is left is a coin of the outputs."""
    d = trial.description
    seen = designs.reading(d, trial.rng, inputs=1)
    _, per_output = np.unique(output_of(trial, seen), return_index=True)
    same = products(trial, seen)[:, per_output]
    return _coin(trial, same[:, 1:] == same[:, :1], "two outputs change sign together between equal examples")


@of_weights(
    "signs-per-input",
    "Every input has a sign of its own.",
    kinds=("flipout",),
    when=lambda d: d.inputs // d.groups > 1,
    catches=(
        "no-noise",
        "scale-softplus-missing",
        "no-input-signs",
        "one-scalar-sign",
        "signs-shared-across-batch",
        "signs-unfair",
        "signs-zero-one",
        "noise-per-example",
        "signs-per-position",
    ),
)
def signs_per_input(trial: WeightTrial) -> Finding:
    """Two inputs at once in equal examples: sums that agree in size show that both signs turned together."""
    d = trial.description
    per_group = d.inputs // d.groups  # both channels in one group
    asked = int(trial.rng.integers(d.groups)) * per_group + trial.rng.permutation(per_group)[:2]
    together = agreements(trial, np.tile(asked, (_PAIRS, 1)))
    return _coin(trial, together, "two inputs change sign together between equal examples")


@of_weights(
    "signs-independent",
    "The signs on any one weight are fair.",
    kinds=("flipout",),
    catches=("no-noise", "output-signs-reuse-input-signs", "signs-fixed", "signs-shared-across-batch"),
)
def signs_independent(trial: WeightTrial) -> Finding:
    """A coin for every weight, the least likely times their number: finds an output's sign that is an input's."""
    seen = designs.reading(trial.description, trial.rng, inputs=16)
    counts = np.sum(products(trial, seen), axis=0)
    worst, verdict = least_fair(trial, counts)
    where = np.unravel_index(seen.weight[worst], trial.description.weight_shape)
    weight = ", ".join(str(int(i)) for i in where)
    return judged(
        verdict,
        f"of {counts.size} weights, the least fair is ({weight}): two equal examples have the same sign on it in "
        f"{100 * counts[worst] / trial.calls:.1f} % of draws; 50 % is right",
        tosses(counts, trial.calls),
    )


@of_weights(
    "signs-per-channel",
    "A sign belongs to a channel, and is the same at every position of an image.",
    families=("convolution",),
    kinds=("flipout",),
    when=lambda d: int(np.prod(d.kernel)) > 1,
    catches=("scale-softplus-missing", "signs-zero-one", "noise-per-example", "signs-per-position"),
)
def signs_per_channel(trial: WeightTrial) -> Finding:
    """Exact: the offsets of one kernel turn together, since they differ in the position of the output alone."""
    d = trial.description
    seen = designs.reading(d, trial.rng, inputs=1)
    # The offsets that one impulse meets: the other impulses of a strided layer are other examples.
    row = seen.at // designs.apply(d, seen.x[:1], np.zeros(d.weight_shape)).size
    seen = designs.Reading(seen.x, seen.at[row == 0], seen.weight[row == 0])
    output = output_of(trial, seen)
    if len(output) == len(np.unique(output)):
        return not_run("the stride is no less than the kernel, so that no impulse meets two offsets")
    same = products(trial, seen)
    worst = float(np.mean([np.any(same[:, output == o] != same[:, output == o][:, :1]) for o in np.unique(output)]))
    sentence = f"{100 * worst:.1f} % of the kernels change sign at some offsets and not at others; none is right"
    return exact(worst > 0.0, sentence, trial.calls, "any sign that differs between the offsets of one kernel")


CLAIMS = (
    one_perturbation,
    signs_per_example,
    signs_per_output,
    signs_per_input,
    signs_independent,
    signs_per_channel,
)
