"""The divergence of a relaxed mask, and those of examples under information dropout, with their gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import concrete_dropout, information_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.strength import INFORMATION, Strength, StrengthTrial, of_strength
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "strength-kl-sign": "the layer's divergence has the wrong sign",
    "strength-kl-entropy-once": "the entropy of the mask counts once, and not once a unit",
    "strength-kl-entropy-missing": "the entropy of the mask is left out of the divergence",
    "strength-kl-without-rate": "the penalty of the weights is not divided by 1 - p",
    "strength-kl-prior-as-variance": "the layer's prior scale is taken for a variance",
    "strength-kl-averaged": "the divergence of an example is averaged over its units",
    "strength-kl-over-batch": "every example has the mean divergence of the batch",
    "strength-kl-of-root": "the divergence takes the root of alpha",
    "strength-kl-of-dead-units": "units that are off count in the divergence, whose law does not depend on alpha",
    "strength-kl-no-mean": "the divergence leaves out how far log f is from the prior",
    "strength-kl-unweighted": "beta does not multiply the divergence",
    "strength-kl-gradient-of-deviation": "the gradient of the divergence is by log alpha where alpha is meant",
    "strength-kl-gradient-missing": "no gradient of the divergence reaches the map of alpha",
}
_QUADRATURE = 1e-9  # relative: the integrals of the oracle lose the rounding of log f over alpha


@of_strength(
    "kl-value",
    "The divergence is that of a mask with this rate, the entropy of every unit counted.",
    needs=("kl",),
    kinds=("concrete",),
    catches=(
        "strength-kl-sign",
        "strength-kl-entropy-once",
        "strength-kl-entropy-missing",
        "strength-kl-without-rate",
        "strength-kl-prior-as-variance",
    ),
)
def kl_value(trial: StrengthTrial) -> Finding:
    """Exact, by enumeration, for two rates."""
    d = trial.description
    for logit in (-1.5, 0.25):
        held = trial.load(diagonal=False, logit=logit)
        right = float(np.real(concrete_dropout.divergence(held["theta"], held["logit"], d.units, d.prior)))
        seen = trial.guard.kl()
        if not abs(seen - right) <= trial.rounding(abs(right) + 4.0 * d.units**2):
            return exact(True, f"the divergence is {seen:.6g}; {right:.6g} is right", 1)
    return exact(False, "the divergence is that of a mask with this rate", 2)


@of_strength(
    "kl-gradients",
    "The gradients of the divergence are its derivatives by the weights and by the logit.",
    needs=("kl_gradients",),
    kinds=("concrete",),
    catches=(
        "strength-kl-sign",
        "strength-kl-entropy-once",
        "strength-kl-entropy-missing",
        "strength-kl-without-rate",
        "strength-kl-prior-as-variance",
    ),
)
def kl_gradients(trial: StrengthTrial) -> Finding:
    """Exact, by a complex step through the enumeration."""
    d, held = trial.description, trial.load(diagonal=False)
    seen = trial.guard.kl_gradients()
    for name in ("theta", "logit"):

        def value(at: Array, name: str = name) -> Array:
            given = held | {name: at}
            return np.asarray(concrete_dropout.divergence(given["theta"], given["logit"], d.units, d.prior))

        right = complex_step(value, held[name])
        if np.any(np.abs(seen[name] - right) > trial.rounding(1.0 + np.max(np.abs(right)))):
            return exact(True, f"the gradient of the divergence by {name} is not its derivative", 1)
    return exact(False, "the gradients of the divergence are its derivatives", 2)


def _of_units(d: Strength, h: Any, s: Any) -> Any:
    """The divergence of one example, or of one unit, by its definition, times beta, from what the two maps give."""
    if d.kind == "log_uniform":
        return d.beta * information_dropout.to_log_uniform(h, s, d.least, d.span)
    return d.beta * information_dropout.to_log_normal(h, s, 0.0, 1.0, d.least, d.span)


@of_strength(
    "example-kl",
    "The divergence of an example is the sum over its units of the integral that defines it, times beta.",
    needs=("example_kl",),
    kinds=INFORMATION,
    catches=(
        "strength-kl-sign",
        "strength-kl-averaged",
        "strength-kl-over-batch",
        "strength-kl-of-root",
        "strength-kl-no-mean",
        "strength-kl-unweighted",
    ),
)
def example_kl(trial: StrengthTrial) -> Finding:
    """Exact, by quadrature. Of the log-uniform prior only differences: it leaves a constant to choose."""
    held, x = trial.load(), trial.x(5)
    h, s, _ = trial.maps(held, x)
    right = np.array([float(np.real(_of_units(trial.description, *one))) for one in zip(h, s, strict=True)])
    seen = trial.guard.ask("example_kl", x=x)
    if seen.shape != right.shape:
        return exact(True, f"the divergences of 5 examples have shape {seen.shape}; {right.shape} is right", 1)
    if trial.description.kind == "log_uniform":
        seen, right = seen - seen[0], right - right[0]
    wrong = bool(np.any(np.abs(seen - right) > 4.0 * trial.rounding(16.0 * trial.description.units)))
    return exact(wrong, f"divergences of examples are {seen[1]:.6g}; {right[1]:.6g} is right", right.size)


@of_strength(
    "dead-units",
    "A unit that is off adds nothing that depends on alpha.",
    needs=("example_kl",),
    kinds=("log_uniform",),
    catches=("strength-kl-of-dead-units",),
)
def dead_units(trial: StrengthTrial) -> Finding:
    """Exact: inputs below zero, behind weights of 1, differ in alpha alone."""
    trial.load()
    seen = trial.guard.ask("example_kl", x=-trial.x(4))
    wrong = bool(np.any(np.abs(seen - seen[0]) > trial.rounding(16.0)))
    return exact(wrong, f"divergences of examples whose units are off {'differ' if wrong else 'agree'}", 4)


@of_strength(
    "example-kl-gradients",
    "The gradients of the divergences of examples are their derivatives, also by the input.",
    needs=("example_kl_gradients",),
    kinds=INFORMATION,
    catches=(
        "strength-kl-sign",
        "strength-kl-averaged",
        "strength-kl-of-root",
        "strength-kl-unweighted",
        "strength-kl-gradient-of-deviation",
        "strength-kl-gradient-missing",
    ),
)
def example_kl_gradients(trial: StrengthTrial) -> Finding:
    """Exact, by a complex step through the integral of each unit, with weights of any kind."""
    d, held, x = trial.description, trial.load(diagonal=False), trial.x(4)
    h, s, _ = trial.maps(held, x)
    by_h, by_s = np.zeros(h.shape), np.zeros(s.shape)
    for at in np.ndindex(*h.shape):
        by_h[at] = complex_step(partial(_of_units, d, s=s[at]), h[at])
        by_s[at] = complex_step(partial(_of_units, d, h[at]), s[at])
    by_x = by_h @ held["theta"].T + by_s @ held["theta_alpha"].T
    seen = trial.guard.example_kl_gradients(x)
    for name, right in (("theta", x.T @ by_h), ("theta_alpha", x.T @ by_s), ("x", by_x)):
        bound = (4.0 * trial.rounding() + _QUADRATURE) * (1.0 + np.max(np.abs(right)))
        if name in seen and np.any(np.abs(seen[name] - right) > bound):
            return exact(True, f"the gradient of the divergences by {name} is not their derivative", 1)
    return exact(False, "the gradients of the divergences are their derivatives", 3)


CLAIMS = (kl_value, kl_gradients, example_kl, dead_units, example_kl_gradients)
