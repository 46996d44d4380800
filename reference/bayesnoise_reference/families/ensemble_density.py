"""Exact claims about the density of an ensemble's prediction, far out too, and the parts of its uncertainty."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from bayesnoise_reference import deep_ensemble
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.ensemble import (
    EnsembleTrial,
    Held,
    entropy,
    log_each,
    log_probabilities,
    moments,
    of_ensembles,
    outputs,
    split,
)

CAUSES = {
    "ensemble-moment-matched": "the density is that of the normal law with the moments of the mixture",
    "ensemble-log-densities-averaged": "the logarithms of the likelihoods are averaged in the place of themselves",
    "ensemble-densities-summed": "the logarithm of the number of members is not taken off",
    "ensemble-density-underflows": "likelihoods are averaged after they have underflowed",
    "ensemble-density-clipped": "likelihoods are clipped from below before their logarithm",
    "ensemble-density-constant": "the density lacks its factor 1 / sqrt(2 pi)",
    "ensemble-parts-swapped": "the aleatoric and the epistemic part stand in each other's place",
    "ensemble-total-as-aleatoric": "the whole uncertainty is given as its aleatoric part",
    "ensemble-bits": "entropies are in bits, not in nats",
    "ensemble-entropy-of-zero": "0 log 0 is NaN in an entropy",
}
GAUSSIAN, CATEGORICAL = ("gaussian",), ("categorical",)


@of_ensembles(
    "log-density",
    "The log density of the prediction is the logarithm of the mean of the members' densities.",
    needs=("log_density",),
    catches=(
        "ensemble-bias-shared",
        "ensemble-logits-averaged",
        "ensemble-moment-matched",
        "ensemble-log-densities-averaged",
        "ensemble-densities-summed",
        "ensemble-density-constant",
    ),
)
def log_density(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: by the densities themselves, which do not underflow here."""
    d, held, x, y = trial.description, trial.load(), trial.x(), trial.y()
    f = outputs(held, x)
    if d.kind == "gaussian":
        want = deep_ensemble.log_density(y, *moments(d, f))
    else:
        chosen = np.exp(log_probabilities(f))[:, np.arange(len(y)), y.astype(int)]
        want = np.log(np.mean(chosen, axis=0))
    got = trial.asked("log_density", y.shape, x=x, y=y)
    return compared(trial, {"log density": (got, want)}, 256.0, "of the prediction the")


def _far(trial: EnsembleTrial, held: Held, x: Array, y: Array, where: str) -> Finding:
    each = log_each(trial.description, outputs(held, x), y)
    want = logsumexp(each, axis=0) - np.log(len(each))
    got = trial.asked("log_density", y.shape, finite=False, x=x, y=y)
    return compared(trial, {"log density": (got, want)}, 512.0, where)


@of_ensembles(
    "log-density-far",
    "The log density of a target far out is finite and right.",
    needs=("log_density",),
    catches=(
        "ensemble-logits-averaged",
        "ensemble-softmax-overflows",
        "ensemble-moment-matched",
        "ensemble-log-densities-averaged",
        "ensemble-density-underflows",
        "ensemble-density-clipped",
    ),
)
def log_density_far(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: every member's density underflows, and its logarithm does not."""
    d, x = trial.description, trial.x(2)
    if d.kind == "gaussian":
        return _far(trial, trial.load(), x, np.array([-200.0, 200.0]), "far out the")
    logits = np.linspace(1000.0, -1000.0, d.classes) * (1.0 + np.arange(d.members)[:, None] / 8.0)
    return _far(trial, trial.constant(logits), x, np.full(2, d.classes - 1.0), "of a label without hope the")


@of_ensembles(
    "log-density-variances",
    "The log density under variances far out is finite and right.",
    needs=("log_density",),
    kinds=GAUSSIAN,
    catches=(
        "ensemble-minimum-missing",
        "ensemble-variance-clipped",
        "ensemble-softplus-overflows",
        "ensemble-densities-summed",
        "ensemble-density-constant",
    ),
)
def log_density_variances(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: raw variances far out on both sides, and targets of up to 3 standard deviations."""
    d, x = trial.description, trial.x(3)
    for bias in trial.far_out():
        held = trial.constant(bias)
        middle, spread = (part[0, 0] for part in moments(d, outputs(held, x)))
        y = trial.rounded(middle + np.sqrt(spread) * np.array([-1.0, 0.5, 3.0]))
        found = _far(trial, held, x, y, f"at raw variances of {bias[0, 1]:g} the")
        if found.refuted:
            return found
    return exact(False, "the log density under variances far out agrees to rounding", 2)


@of_ensembles(
    "uncertainty",
    "The aleatoric part is the mean of the members' uncertainties, the epistemic part what their disagreement adds.",
    needs=("uncertainty",),
    catches=(
        "ensemble-bias-shared",
        "ensemble-unbiased-spread",
        "ensemble-scales-averaged",
        "ensemble-parts-swapped",
        "ensemble-total-as-aleatoric",
        "ensemble-bits",
    ),
)
def uncertainty(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: of variances, or of entropies in nats."""
    held, x = trial.load(), trial.x()
    got, want = trial.asked("uncertainty", (len(x), 2), x=x), split(trial.description, held, x)
    pairs = {name: (got[:, i], want[:, i]) for i, name in enumerate(("aleatoric part", "epistemic part"))}
    return compared(trial, pairs, 256.0, "of the uncertainty the")


@of_ensembles(
    "uncertainty-total",
    "The parts of the uncertainty add up to that of the prediction.",
    needs=("evaluate", "uncertainty"),
    catches=(
        "ensemble-spread-missing",
        "ensemble-noise-missing",
        "ensemble-variance-as-scale",
        "ensemble-second-moment",
        "ensemble-variance-of-the-mean",
        "ensemble-logits-averaged",
        "ensemble-votes",
        "ensemble-total-as-aleatoric",
        "ensemble-bits",
    ),
)
def uncertainty_total(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: the variance of the prediction, or the entropy of its probabilities."""
    trial.load()
    x = trial.x()
    said = trial.guard.evaluate(x)
    want = said[:, 1] if trial.description.kind == "gaussian" else entropy(said)
    got = np.sum(trial.asked("uncertainty", (len(x), 2), x=x), axis=1)
    return compared(trial, {"sum": (got, want)}, 256.0, "of the parts the")


@of_ensembles(
    "uncertainty-alike",
    "Members that agree have no epistemic uncertainty.",
    needs=("uncertainty",),
    catches=(
        "ensemble-parts-swapped",
        "ensemble-bits",
    ),
)
def uncertainty_alike(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding."""
    d, x = trial.description, trial.x()
    one = trial.parameters()
    held = trial.load(**{name: np.repeat(value[:1], d.members, axis=0) for name, value in one.items()})
    got = trial.asked("uncertainty", (len(x), 2), x=x)
    pairs = {"aleatoric part": (got[:, 0], split(d, held, x)[:, 0]), "epistemic part": (got[:, 1], np.zeros(len(x)))}
    return compared(trial, pairs, 256.0, "of members that agree the")


@of_ensembles(
    "uncertainty-certain",
    "Where members are certain and disagree, all uncertainty is epistemic, and finite.",
    needs=("uncertainty",),
    kinds=CATEGORICAL,
    catches=(
        "ensemble-bias-shared",
        "ensemble-softmax-overflows",
        "ensemble-parts-swapped",
        "ensemble-total-as-aleatoric",
        "ensemble-bits",
        "ensemble-entropy-of-zero",
    ),
)
def uncertainty_certain(trial: EnsembleTrial) -> Finding:
    """Exact, to rounding: probabilities of 0 and 1, one class for some members and another for the rest."""
    d, x = trial.description, trial.x(2)
    label = np.arange(d.members) % 2
    trial.constant(1000.0 * (np.arange(d.classes) == label[:, None]))
    got = trial.asked("uncertainty", (2, 2), finite=False, x=x)
    want = entropy(np.bincount(label) / d.members)
    pairs = {"aleatoric part": (got[:, 0], np.zeros(2)), "epistemic part": (got[:, 1], np.full(2, want))}
    return compared(trial, pairs, 64.0, "of certain members the")


CLAIMS = (
    log_density,
    log_density_far,
    log_density_variances,
    uncertainty,
    uncertainty_total,
    uncertainty_alike,
    uncertainty_certain,
)
