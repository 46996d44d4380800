"""The laws of masked weights and of normal outputs, and what in them is independent of what."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged, standard_normal
from bayesnoise_reference.claims.pictured import outcomes, sides
from bayesnoise_reference.families.weight_noise import NORMAL, WeightNoiseTrial, of_weight_noise


def _per_example(d: Any) -> bool:
    return bool(d.kind != "drop_connect" or d.masks == "example")


@of_weight_noise(
    "weight-values",
    "A weight is 0 or theta / (1 - rate).",
    kinds=("drop_connect",),
    catches=("no-noise", "connect-not-inverted", "connect-scale-by-rate", "connect-normal-outputs"),
)
def weight_values(trial: WeightNoiseTrial) -> Finding:
    """Exact: an input of one 1 shows the weights of its row. A dropped one may be 0 up to rounding."""
    held = trial.load()
    kept = np.repeat(held["theta"], 2, axis=0) / (1.0 - trial.description.rate)
    for _ in range(trial.calls):
        y = trial.guard.sample(trial.rows())
        off = (np.abs(y - kept) > trial.rounding(kept)) & (np.abs(y) > trial.rounding(kept))
        if np.any(off):
            return exact(True, f"a weight is {(y / kept)[off][0]:.4g} of theta / (1 - rate); 0 or 1 is right", 1)
    return exact(False, "every weight is 0 or theta / (1 - rate)", trial.calls)


@of_weight_noise(
    "weight-rate",
    "A weight is dropped with the probability that is declared.",
    kinds=("drop_connect",),
    catches=("no-noise", "connect-rate-as-keep"),
)
def weight_rate(trial: WeightNoiseTrial) -> Finding:
    """Exact law, binomial."""
    dropped = ~trial.kept_once(trial.load())
    right = trial.description.rate
    verdict = statistics.binomial(int(np.sum(dropped)), dropped.size, right, alpha=trial.alpha)
    said = f"{np.mean(dropped):.4f} of the weights are 0; {right:.4f} is right"
    return judged(verdict, said, outcomes(dropped, right, ("dropped", "kept")))


@of_weight_noise(
    "output-law",
    "An output is normal, with the mean and the variance that the weights give it.",
    kinds=NORMAL,
    catches=(
        "no-noise",
        "x-not-squared",
        "variance-without-root",
        "raw-scale-without-half",
        "raw-scale-as-stored",
        "noise-of-the-other-form",
        "uniform-noise",
    ),
)
def output_law(trial: WeightNoiseTrial) -> Finding:
    """Exact law, Kolmogorov's."""
    z = np.ravel(trial.standard(trial.load()))
    said = f"standardised outputs average {np.mean(z):+.3f}, with deviation {np.std(z):.3f}"
    return judged(standard_normal(z, trial.alpha), f"{said}; 0 and 1 are right", z)


def _agree(trial: WeightNoiseTrial, first: Array, second: Array, what: str) -> Finding:
    """Whether masks of two of something agree as often as independent ones do."""
    rate = trial.description.rate
    same, right = first == second, rate**2 + (1.0 - rate) ** 2
    verdict = statistics.binomial(int(np.sum(same)), same.size, right, alpha=trial.alpha)
    said = f"masks of two {what} agree in {np.mean(same):.4f} of pairs; {right:.4f} is right"
    return judged(verdict, said, outcomes(same, right))


def _correlated(trial: WeightNoiseTrial, first: Array, second: Array, what: str) -> Finding:
    verdict = statistics.correlation(np.ravel(first), np.ravel(second), alpha=trial.alpha)
    return judged(verdict, f"the noise of two {what} should have correlation 0", sides(first, second))


@of_weight_noise(
    "examples-apart",
    "The noise of different examples is independent.",
    when=_per_example,
    catches=("connect-mask-a-call", "zeta-shared-across-batch"),
)
def examples_apart(trial: WeightNoiseTrial) -> Finding:
    """Exact law, of disjoint pairs: examples that see the same input, or any two of normal outputs."""
    held = trial.load()
    if trial.description.kind in NORMAL:
        found = trial.standard(held)
        return _correlated(trial, found[:, 0::2], found[:, 1::2], "examples")
    kept = trial.kept(held)
    return _agree(trial, kept[:, :, 0], kept[:, :, 1], "examples")


@of_weight_noise(
    "examples-together",
    "All examples of a call have the same mask.",
    kinds=("drop_connect",),
    when=lambda d: d.masks == "call",
    catches=("connect-mask-an-example", "connect-normal-outputs"),
)
def examples_together(trial: WeightNoiseTrial) -> Finding:
    """Exact: two examples that see the same input have the same output."""
    bound = trial.rounding(trial.load()["theta"] / (1.0 - trial.description.rate))
    y = [trial.guard.sample(trial.rows()) for _ in range(trial.calls)]
    wrong = any(bool(np.any(np.abs(draw[0::2] - draw[1::2]) > bound)) for draw in y)
    return exact(wrong, f"two equal examples of one call {'differ' if wrong else 'agree'}; they should agree", len(y))


@of_weight_noise(
    "outputs-apart",
    "The noise of different outputs is independent.",
    catches=("connect-mask-of-inputs", "zeta-shared-across-outputs"),
)
def outputs_apart(trial: WeightNoiseTrial) -> Finding:
    """Exact law, of disjoint pairs of outputs."""
    held = trial.load()
    found = trial.standard(held) if trial.description.kind in NORMAL else trial.kept_once(held)
    even = found.shape[-1] // 2 * 2
    judge = _correlated if trial.description.kind in NORMAL else _agree
    return judge(trial, found[..., 0:even:2], found[..., 1:even:2], "outputs")


@of_weight_noise(
    "inputs-apart",
    "The masks of different inputs are independent.",
    kinds=("drop_connect",),
    catches=("connect-mask-of-outputs",),
)
def inputs_apart(trial: WeightNoiseTrial) -> Finding:
    """Exact law, of disjoint pairs of inputs whose weights are 1 and 2, so that a sum tells which of them are kept."""
    d, pairs = trial.description, trial.description.inputs // 2
    trial.load(theta=1.0 + (np.arange(d.inputs) % 2)[:, None])
    x = np.repeat(np.eye(pairs, -(-d.inputs // 2)), 2, axis=1)[:, : d.inputs]
    sums = np.stack([trial.guard.sample(x) for _ in range(4 * trial.calls)]) * (1.0 - d.rate)
    found = np.clip(np.rint(sums), 0, 3).astype(int)
    return _agree(trial, found % 2, found // 2, "inputs")


CLAIMS = (
    weight_values,
    weight_rate,
    output_law,
    examples_apart,
    examples_together,
    outputs_apart,
    inputs_apart,
)
