"""The gradients of a divergence by mean and scale, against a complex step through the integral that defines it."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.divergence import DivergenceTrial, definition, of_divergence
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "divergence-mean": "the divergence is averaged over the weights, not summed",
    "divergence-sign": "the divergence has the wrong sign",
    "divergence-doubled": "the divergence is twice what it should be, as without a factor of 1/2",
    "divergence-scale-as-variance": "the scale is taken for a variance",
    "divergence-variance-as-scale": "the square of the scale is taken for the scale",
    "divergence-prior-as-variance": "the prior's scale is taken for its variance",
    "divergence-prior-mean-ignored": "the prior's mean is taken to be zero",
    "divergence-constant": "a constant of each weight is missing",
    "divergence-skips-one": "one of the weights is left out",
    "divergence-nan-at-zero": "a mean of zero gives 0/0 or log 0",
    "divergence-epsilon": "a constant is added under a logarithm",
    "divergence-clipped": "scales are clipped before the divergence is computed",
    "divergence-gradient-averaged": "the gradient of the divergence is divided by the number of weights",
    "divergence-gradient-sign": "the gradient of the divergence has the wrong sign",
    "divergence-gradient-by-log": "the gradient by the logarithm of the scale is given as that by the scale",
    "divergence-gradient-no-mean": "no gradient of the divergence reaches the mean",
    "divergence-gradient-no-scale": "no gradient of the divergence reaches the scale",
    "divergence-gradient-at-zero": "the gradient of the divergence is not finite at a mean of zero",
}
_NEEDS = ("kl_gradients",)


def _against(trial: DivergenceTrial, name: str, where: str) -> Finding:
    d, (mean, scale) = trial.description, (trial.load() if where == "random parameters" else trial.load(0.0))
    seen = trial.guard.kl_gradients(finite=False)[name]
    if name == "mean":
        right = complex_step(lambda m: np.sum(definition(d, m, scale)), mean)
    else:
        right = complex_step(lambda s: np.sum(definition(d, mean, s)), scale)
    size = np.abs(right) + 1.0 / scale
    bound = 1024.0 * trial.guard.eps * size + 8.0 * d.error * size
    wrong = ~(np.abs(seen - right) <= bound)
    if not np.any(wrong):
        return exact(False, f"the gradient by the {name} at {where} is exact", d.size)
    at = int(np.argmax(wrong))
    return exact(True, f"the gradient by the {name} at {where} is {seen[at]:.6g}; {right[at]:.6g} is right", d.size)


@of_divergence(
    "gradient-mean",
    "The gradient by the mean is that of the integral.",
    needs=_NEEDS,
    catches=("divergence-gradient-averaged", "divergence-gradient-sign", "divergence-gradient-no-mean"),
)
def gradient_mean(trial: DivergenceTrial) -> Finding:
    """Exact, at random parameters."""
    return _against(trial, "mean", "random parameters")


@of_divergence(
    "gradient-scale",
    "The gradient by the scale is that of the integral.",
    needs=_NEEDS,
    catches=(
        "divergence-gradient-averaged",
        "divergence-gradient-sign",
        "divergence-gradient-by-log",
        "divergence-gradient-no-scale",
    ),
)
def gradient_scale(trial: DivergenceTrial) -> Finding:
    """Exact, at random parameters."""
    return _against(trial, "scale", "random parameters")


@of_divergence(
    "gradient-at-zero",
    "The gradient by the mean is finite and right where the mean is zero.",
    needs=_NEEDS,
    catches=("divergence-gradient-at-zero",),
)
def gradient_at_zero(trial: DivergenceTrial) -> Finding:
    """Exact: weights start there, and are driven there."""
    return _against(trial, "mean", "means of zero")


CLAIMS = (gradient_mean, gradient_scale, gradient_at_zero)
