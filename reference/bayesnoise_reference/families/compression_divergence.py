"""Weights in groups: the divergence of weights and factors to their priors, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import gradients_compared
from bayesnoise_reference.families.compression import CompressionTrial, divergence, of_compression


def _seen(trial: CompressionTrial) -> tuple[float, float]:
    """The divergence, and what is right."""
    held = trial.load()
    return trial.guard.kl(), float(np.real(divergence(trial.description, held)))


@of_compression(
    "divergence",
    "The divergence is that of every weight and of every factor to its prior, by the integrals that define it.",
    needs=("kl",),
    catches=(
        "kl-mean",
        "kl-sign",
        "group-kl-weights-missing",
        "group-kl-factors-missing",
        "group-kl-factor-per-weight",
        "group-kl-of-marginals",
        "jeffreys-log-variance-as-scale",
        "cauchy-kl-shared-per-unit",
        "cauchy-kl-shared-missing",
        "cauchy-kl-scale-unsquared",
        "cauchy-kl-inverse-as-gamma",
    ),
)
def value(trial: CompressionTrial) -> Finding:
    """Exact, by quadrature; of normal-Jeffreys factors what it changes by, for the constant of their prior is free."""
    d = trial.description
    seen, right = _seen(trial)
    size, verb = abs(right) + d.inputs * d.outputs, "is"
    if d.kind == "normal_jeffreys":
        other = _seen(trial)
        seen, right, verb = seen - other[0], right - other[1], "changes by"
        size += abs(other[1])
    bound = 4096.0 * trial.guard.eps * size + 2.0 * d.error * d.inputs
    wrong = not abs(seen - right) <= bound
    return exact(wrong, f"the divergence {verb} {seen:.8g}; {right:.8g} is {'right' if wrong else 'expected'}", 2)


@of_compression(
    "divergence-gradient",
    "The gradient of the divergence is its derivative by every parameter.",
    needs=("kl_gradients",),
    when=lambda d: d.error == 0.0,
    catches=(
        "kl-mean",
        "kl-sign",
        "kl-gradient-sign",
        "kl-gradient-of-one-missing",
        "group-kl-weights-missing",
        "group-kl-factors-missing",
        "group-kl-factor-per-weight",
        "cauchy-kl-shared-per-unit",
        "cauchy-kl-scale-unsquared",
        "cauchy-kl-inverse-as-gamma",
    ),
)
def gradient(trial: CompressionTrial) -> Finding:
    """Exact, by complex step through quadrature."""
    held = trial.load()
    found = trial.guard.kl_gradients()

    def of(p: dict[str, Array]) -> Any:
        return divergence(trial.description, p)

    return gradients_compared(trial, found, held, of, "the gradient of the divergence")


CAUSES = {
    "group-kl-weights-missing": "the divergence leaves out the weights",
    "group-kl-factors-missing": "the divergence leaves out the factors",
    "group-kl-factor-per-weight": "the divergence of a factor counts once for each of its weights",
    "group-kl-of-marginals": "the divergence of the weights is that of their products with the factors' means",
    "cauchy-kl-shared-per-unit": "the divergence of the factor that all units share counts once a unit",
    "cauchy-kl-shared-missing": "the divergence leaves out the factor that all units share",
    "cauchy-kl-scale-unsquared": "the scale of the half-Cauchy prior is used where its square belongs",
    "cauchy-kl-inverse-as-gamma": "the prior of the inverse gamma variables is taken for a gamma law",
}

CLAIMS = (value, gradient)
