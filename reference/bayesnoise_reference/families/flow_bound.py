"""Factors that a flow makes: the bound on the divergence, at given noise and at its own, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import chdtr

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.pictured import chi_squares
from bayesnoise_reference.families._comparison import compared, gradients_compared
from bayesnoise_reference.families.flow import NARROW, FlowTrial, bound, of_flow

VALUES = (
    "flow-same-parity",
    "flow-gate-swapped",
    "bound-log-det-missing",
    "bound-log-det-sign",
    "bound-log-det-of-all",
    "bound-log-q-missing",
    "bound-log-r-missing",
    "bound-log-r-sign",
    "bound-r-log-det-missing",
    "bound-r-log-det-sign",
    "bound-kl-without-factor",
    "bound-precision-as-variance",
    "bound-no-tanh",
    "bound-tanh-summed",
    "bound-r-of-the-start",
    "kl-prior-variance-as-scale",
)  # what is wrong with the bound, at any draw


def _greatest(trial: FlowTrial, held: dict[str, Array]) -> float:
    """The bound without noise."""
    units, weights = _numbers(trial)
    return float(bound(trial.description, held, np.zeros(units), np.zeros(weights)))


def _numbers(trial: FlowTrial) -> tuple[int, int]:
    """The units, and the weights of one."""
    d = trial.description
    return d.units, d.inputs * d.outputs // d.units


@of_flow(
    "bound-replay",
    "At given noise the bound is that of the definition.",
    needs=("bound_with_noise",),
    catches=(*VALUES, "bound-contrast-not-squared", "flow-base-variance"),
)
def bound_replay(trial: FlowTrial) -> Finding:
    """Exact, at three draws."""
    units, weights = _numbers(trial)
    pairs = {}
    for which in ("first", "second", "third"):
        held, eps, eta = trial.load(), trial.normals(units), trial.normals(weights)
        want = np.reshape(bound(trial.description, held, eps, eta), (1,))
        pairs[f"of the {which} draw"] = np.reshape(trial.guard.ask("bound_with_noise", eps=eps, eta=eta), (-1,)), want
    return compared(trial, pairs, 2e4, "for given noise the bound")


@of_flow(
    "bound-differences",
    "Between parameters with tiny scales the bound changes by what the definition says, at the same noise.",
    needs=("kl", "seed"),
    catches=VALUES,
)
def bound_differences(trial: FlowTrial) -> Finding:
    """Exact: only `-|eps|^2 / 2` of the draw's own density is left of the noise, which a seed repeats."""
    seen, right = [], []
    for _ in range(2):
        held = trial.load(rho=NARROW, base_log_sigma=NARROW)
        trial.guard.seed(17)
        seen.append(trial.guard.kl())
        right.append(_greatest(trial, held))
    off = abs((seen[0] - seen[1]) - (right[0] - right[1]))
    wrong = not off <= 2e4 * trial.guard.eps * max(map(abs, right))
    return exact(wrong, f"the bound changes by {seen[0] - seen[1]:.6g}; {right[0] - right[1]:.6g} is right", 2)


@of_flow(
    "bound-law",
    "The bound is estimated at a fresh draw, with the density of that draw.",
    needs=("kl",),
    catches=("bound-log-q-missing", "bound-log-r-missing", "kl-draw-fixed"),
)
def bound_law(trial: FlowTrial) -> Finding:
    """Exact law: with tiny scales the bound is the greatest that it can be less half of a chi-square number."""
    held, units = trial.load(rho=NARROW, base_log_sigma=NARROW), trial.description.units
    most = _greatest(trial, held)
    found = np.array([2.0 * (most - trial.guard.kl()) for _ in range(4 * trial.calls)])
    verdict = statistics.law(found, lambda v: chdtr(units, np.maximum(v, 0.0)), alpha=trial.alpha)
    said = f"the bound is {np.mean(found) / 2:.5g} below its greatest value on average; {units / 2:g} is right"
    return judged(verdict, said, chi_squares(found, units))


@of_flow(
    "bound-afresh",
    "The bound is estimated at a draw of its own in every call.",
    needs=("kl",),
    catches=("kl-draw-fixed",),
)
def bound_afresh(trial: FlowTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    same = trial.guard.kl() == trial.guard.kl()
    return exact(same, f"two estimates of the bound are {'the same' if same else 'different'}", 2)


@of_flow(
    "bound-gradient",
    "The gradient of the bound is its derivative by every parameter.",
    needs=("kl_gradients",),
    catches=(
        "bound-gradient-sign",
        "bound-gradient-r-missing",
        "bound-gradient-flow-missing",
        "bound-log-det-sign",
        "bound-kl-without-factor",
        "kl-prior-variance-as-scale",
    ),
)
def bound_gradient(trial: FlowTrial) -> Finding:
    """Exact, where it depends on no noise: with tiny scales, and with scales of weights on which r does not look."""
    units, weights = _numbers(trial)

    def of(p: dict[str, Array]) -> Any:
        return bound(trial.description, p, np.zeros(units), np.zeros(weights))

    findings = []
    for given, names in (({"rho": NARROW}, ()), ({"contrast": 0.0}, ("mean", "rho"))):
        held = trial.load(base_log_sigma=NARROW, **given)
        found = trial.guard.kl_gradients()
        findings.append(gradients_compared(trial, found, held, of, "the gradient of the bound", names))
    return next((finding for finding in findings if finding.refuted), findings[0])


CAUSES = {
    "bound-log-det-missing": "the density of the factors lacks the flow's determinant",
    "bound-log-det-sign": "the flow's determinant enters the density of the factors with the wrong sign",
    "bound-log-det-of-all": "the determinant counts the gates of the elements that stay",
    "bound-log-q-missing": "the bound lacks the density of the factors",
    "bound-log-r-missing": "the bound lacks the auxiliary density",
    "bound-log-r-sign": "the auxiliary density enters the bound with the wrong sign",
    "bound-r-log-det-missing": "the auxiliary density lacks the determinant of its flow",
    "bound-r-log-det-sign": "the determinant of the auxiliary density has the wrong sign",
    "bound-kl-without-factor": "the divergence to the prior is that of the means without their factors",
    "bound-precision-as-variance": "the logarithm of the precision is used as that of a variance",
    "bound-no-tanh": "the auxiliary density lacks its tanh",
    "bound-tanh-summed": "the auxiliary density sums over the weights of a unit: it averages",
    "bound-r-of-the-start": "the auxiliary density is taken before the flow has moved the factors",
    "bound-contrast-not-squared": "the variance of what the auxiliary density sees is not of squares",
    "bound-gradient-sign": "the gradient of the bound has the wrong sign",
    "bound-gradient-r-missing": "the auxiliary density gets no gradient of the bound",
    "bound-gradient-flow-missing": "the flow gets no gradient of the bound",
}

CLAIMS = (bound_replay, bound_differences, bound_law, bound_afresh, bound_gradient)
