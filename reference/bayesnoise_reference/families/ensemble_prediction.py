"""Exact claims about what an ensemble predicts: the moments of a mixture, or its probabilities."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import deep_ensemble
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.ensemble import (
    EnsembleTrial,
    Held,
    log_probabilities,
    moments,
    of_ensembles,
    outputs,
    prediction,
)

CAUSES = {
    "ensemble-first-member": "the prediction is that of the first member",
    "ensemble-summed": "the members are summed in the place of their mean",
    "ensemble-recent-members": "a running mean gives later members a larger share",
    "ensemble-medians": "medians over the members stand in the place of means",
    "ensemble-bias-shared": "all members have the bias of the first",
    "ensemble-spread-missing": "the variance is the mean of the variances, without the spread of the means",
    "ensemble-noise-missing": "the variance is the spread of the means, without the mean of the variances",
    "ensemble-unbiased-spread": "the spread of the means is divided by one less than the number of members",
    "ensemble-scales-averaged": "standard deviations are averaged in the place of variances",
    "ensemble-variance-as-scale": "the standard deviation is given as the variance",
    "ensemble-second-moment": "the second moment is given as the variance",
    "ensemble-variance-of-the-mean": "the variance is divided by the number of members, as that of their mean",
    "ensemble-cancellation": "the variance is a mean of squares less a square, which has no digits left far from zero",
    "ensemble-minimum-missing": "the minimum of the variance is not added",
    "ensemble-variance-clipped": "raw variances are clipped",
    "ensemble-softplus-overflows": "softplus is computed as log(1 + exp(raw)), which overflows",
    "ensemble-logits-averaged": "the logits are averaged in the place of the probabilities",
    "ensemble-votes": "the members vote, each for its most probable class",
    "ensemble-softmax-overflows": "softmax is computed without taking the largest logit off",
}
GAUSSIAN, CATEGORICAL = ("gaussian",), ("categorical",)
_MEMBERS = ("ensemble-first-member", "ensemble-summed", "ensemble-recent-members", "ensemble-bias-shared")
_VARIANCE = (
    "ensemble-noise-missing",
    "ensemble-variance-as-scale",
    "ensemble-second-moment",
    "ensemble-variance-of-the-mean",
)
_SPREAD = ("ensemble-spread-missing", "ensemble-unbiased-spread")


@of_ensembles(
    "mean",
    "The mean of the prediction is the mean of the members' means.",
    needs=("evaluate",),
    kinds=GAUSSIAN,
    catches=(
        *_MEMBERS,
        "ensemble-medians",
    ),
)
def mean(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding."""
    held, x = trial.load(), trial.x()
    want = deep_ensemble.mixture_moments(*moments(trial.description, outputs(held, x)))[0]
    return compared(trial, {"mean": (trial.guard.evaluate(x)[:, 0], want)}, 64.0, "of the prediction the")


@of_ensembles(
    "variance",
    "The variance of the prediction is the mean of the variances and the spread of the means.",
    needs=("evaluate",),
    kinds=GAUSSIAN,
    catches=(
        *_MEMBERS,
        *_VARIANCE,
        *_SPREAD,
        "ensemble-scales-averaged",
    ),
)
def variance(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the spread is divided by the number of members, for which the law of the mixture asks."""
    held, x = trial.load(), trial.x()
    want = deep_ensemble.mixture_moments(*moments(trial.description, outputs(held, x)))[1]
    return compared(trial, {"variance": (trial.guard.evaluate(x)[:, 1], want)}, 256.0, "of the prediction the")


@of_ensembles(
    "probabilities",
    "The probabilities of the prediction are the means of the members' probabilities.",
    needs=("evaluate",),
    kinds=CATEGORICAL,
    catches=(
        *_MEMBERS,
        "ensemble-medians",
        "ensemble-logits-averaged",
        "ensemble-votes",
    ),
)
def probabilities(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding."""
    held, x = trial.load(), trial.x()
    want = np.mean(np.exp(log_probabilities(outputs(held, x))), axis=0)
    return compared(trial, {"vector of probabilities": (trial.guard.evaluate(x), want)}, 64.0, "of the prediction the")


@of_ensembles(
    "permuted",
    "The order of the members changes nothing.",
    needs=("evaluate",),
    catches=("ensemble-first-member", "ensemble-recent-members", "ensemble-bias-shared"),
)
def permuted(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: two ensembles, the second of which has the members of the first one place further."""
    held, x = trial.load(), trial.x()
    first = trial.guard.evaluate(x)
    trial.load(**{name: np.roll(value, 1, axis=0) for name, value in held.items()})
    return compared(trial, {"prediction": (trial.guard.evaluate(x), first)}, 128.0, "in another order the")


def _chosen(held: Held, which: Array) -> Held:
    return {name: value[which] for name, value in held.items()}


@of_ensembles(
    "alike",
    "Members that are one and the same predict what that one predicts.",
    needs=("evaluate",),
    catches=(
        *_VARIANCE,
        "ensemble-summed",
        "ensemble-votes",
    ),
)
def alike(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding."""
    d, x = trial.description, trial.x()
    held = trial.load(**_chosen(trial.parameters(), np.zeros(d.members, dtype=int)))
    only = np.eye(d.members)[0]
    return compared(
        trial, {"prediction": (trial.guard.evaluate(x), prediction(d, held, x, only))}, 256.0, "of equals the"
    )


@of_ensembles(
    "repeated",
    "A member that is there several times counts as often.",
    needs=("evaluate",),
    catches=(
        *_MEMBERS,
        *_VARIANCE,
        *_SPREAD,
        "ensemble-medians",
        "ensemble-scales-averaged",
        "ensemble-logits-averaged",
        "ensemble-votes",
    ),
)
def repeated(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the mixture of two, of which the second is there once."""
    d, x = trial.description, trial.x()
    which = np.minimum(np.arange(d.members)[::-1], 1)
    held = trial.load(**_chosen(trial.parameters(), which))
    shares = np.zeros(d.members)
    shares[0], shares[-1] = 1.0 - 1.0 / d.members, 1.0 / d.members
    return compared(
        trial, {"prediction": (trial.guard.evaluate(x), prediction(d, held, x, shares))}, 256.0, "of two members the"
    )


@of_ensembles(
    "far-from-zero",
    "Means far from zero that differ little have a variance with all its digits.",
    needs=("evaluate",),
    kinds=GAUSSIAN,
    catches=(
        *_MEMBERS,
        *_VARIANCE,
        *_SPREAD,
        "ensemble-cancellation",
    ),
)
def far_from_zero(trial: EnsembleTrial) -> Finding:
    """To a thousandth, where the square of the mean times the rounding unit is about the variance."""
    d = trial.description
    away = 2.0 ** np.round(-0.5 * np.log2(trial.guard.eps))
    bias = np.stack([away + np.arange(d.members) % 4, np.full(d.members, -1.0)], axis=1)
    held, x = trial.constant(bias), trial.x(2)
    seen, want = trial.guard.evaluate(x)[0, 1], prediction(d, held, x)[0, 1]
    wrong = not abs(seen - want) <= 1e-3 * want
    return exact(wrong, f"of means near {away:g} the variance is {seen:.6g}; {want:.6g} is right", 1, "a thousandth")


@of_ensembles(
    "extreme",
    "Predictions from outputs far out are finite and right.",
    needs=("evaluate",),
    catches=(
        *_VARIANCE,
        "ensemble-summed",
        "ensemble-minimum-missing",
        "ensemble-variance-clipped",
        "ensemble-softplus-overflows",
        "ensemble-softmax-overflows",
    ),
)
def extreme(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: raw variances far out on both sides under equal means, or logits with a gap of thousands."""
    d, x = trial.description, trial.x(2)
    for bias in trial.far_out():
        held = trial.constant(bias)
        want = prediction(d, held, x)
        for column in range(d.outputs):
            pair = {"prediction": (trial.guard.evaluate(x, finite=False)[:, column], want[:, column])}
            found = compared(trial, pair, 256.0, f"of outputs {bias[0].tolist()} the")
            if found.refuted:
                return found
    return exact(False, "predictions from outputs far out are right", 2)


CLAIMS = (mean, variance, probabilities, permuted, alike, repeated, far_from_zero, extreme)
