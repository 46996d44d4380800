"""The divergences of normal noise on weights: to the log-uniform prior, and to the best normal one for each weight."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import divergences, posteriors
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.weight_noise import FAR, NORMAL, RAW, WeightNoise, WeightNoiseTrial, of_weight_noise
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "kl-of-the-other-prior": "the divergence is that to the other of the log-uniform prior and the best normal one",
    "kl-alpha-clipped": "log alpha is clipped in the divergence, whose gradients are zero beyond",
    "kl-divides-by-theta": "the gradient of the divergence divides by theta, which may be zero",
    "kl-gradient-theta-missing": "the divergence has no gradient by theta, as if alpha were stored",
    "kl-gradient-raw-half": "the gradient of the divergence is by the logarithm of the deviation, not of the variance",
}
_QUADRATURE = 1e-9  # what the integrals of the oracle may be off, a weight


def _divergence(d: WeightNoise, held: dict[str, Array]) -> Any:
    law = posteriors.multiplicative if d.kind == "multiplicative" else posteriors.additive
    to = divergences.log_uniform if d.prior == "log_uniform" else divergences.ard
    return to(*law(held["theta"], held[RAW[d.kind]]))


def _with(d: WeightNoise, held: dict[str, Array], name: str, value: Array) -> Any:
    return _divergence(d, held | {name: value})


@of_weight_noise(
    "kl-differences",
    "Between two settings the divergence differs by the sum over the weights of the integral that defines it.",
    needs=("kl",),
    kinds=NORMAL,
    catches=("kl-mean", "kl-sign", "kl-of-the-other-prior", "kl-alpha-clipped"),
)
def kl_differences(trial: WeightNoiseTrial) -> Finding:
    """Exact, by quadrature: from an alpha of 1, the same for all weights, to those far out."""
    d = trial.description
    weights = d.inputs * d.outputs
    theta = trial.rng.choice([-2.0, 1.5], (d.inputs, d.outputs))  # few values: each is integrated once

    def at(level: float) -> tuple[float, float]:
        held = trial.load(theta=theta, log_alpha=level)
        return trial.guard.kl(), float(np.real(_divergence(d, held)))

    start, right_start = at(0.0)
    for level in (-FAR, FAR):
        end, right_end = at(level)
        change, right = end - start, right_end - right_start
        bound = trial.rounding(abs(right) + weights) + weights * (2.0 * d.error + _QUADRATURE)
        if not abs(change - right) <= bound:
            said = f"from log alpha 0 to {level:g} the divergence changes by {change:.6g}; {right:.6g} is right"
            return exact(True, said, 2)
    return exact(False, "the divergence changes with alpha as its integral does", 3)


@of_weight_noise(
    "kl-gradients",
    "The gradients of the divergence are its derivatives, also where alpha is very small or very large.",
    needs=("kl_gradients",),
    kinds=NORMAL,
    when=lambda d: d.error == 0.0,
    catches=(
        "kl-mean",
        "kl-sign",
        "kl-of-the-other-prior",
        "kl-alpha-clipped",
        "kl-gradient-theta-missing",
        "kl-gradient-raw-half",
    ),
)
def kl_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact, by a complex step through the quadrature, one weight at a time."""
    d = trial.description
    for level in (None, -FAR, FAR):
        held = trial.load(log_alpha=level)
        seen = trial.guard.kl_gradients()
        for index in np.ndindex(2, 2):
            one = {name: value[index] for name, value in held.items()}
            for name in ("theta", RAW[d.kind]):
                right = float(complex_step(partial(_with, d, one, name), one[name]))
                if not abs(seen[name][index] - right) <= trial.rounding(1.0) + 10.0 * _QUADRATURE:
                    found = f"is {seen[name][index]:.6g}; {right:.6g} is right"
                    return exact(True, f"the gradient of the divergence by one {name} {found}", 1)
    return exact(False, "the gradients of the divergence are its derivatives", 12)


@of_weight_noise(
    "kl-of-zero",
    "The divergence of a weight of zero is a number, and has no gradient by it.",
    needs=("kl", "kl_gradients"),
    kinds=("additive",),
    catches=("kl-divides-by-theta",),
)
def kl_of_zero(trial: WeightNoiseTrial) -> Finding:
    """Exact: it is even in theta."""
    trial.load(theta=0.0)
    value, slopes = trial.guard.kl(), trial.guard.kl_gradients(finite=False)
    finite = bool(np.isfinite(value)) and all(bool(np.all(np.isfinite(slope))) for slope in slopes.values())
    if not finite:
        return exact(True, "the divergence of weights of zero, or its gradient, is not a finite number", 1)
    steepest = float(np.max(np.abs(slopes["theta"])))
    return exact(
        steepest != 0.0, f"at zero the divergence has gradients by theta of up to {steepest:.3g}; 0 is right", 1
    )


CLAIMS = (kl_differences, kl_gradients, kl_of_zero)
