"""Gradients through noise of learned strength, and its divergences."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bayesnoise_reference import concrete_dropout, information_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding, claim
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.strength import INFORMATION, KINDS, StrengthTrial
from bayesnoise_reference.numerics import complex_step


def _expected(trial: StrengthTrial, held: dict[str, Array], x: Array, y: Array, grad_y: Array) -> dict[str, Array]:
    """Every gradient from the output of the draw, under diagonal weights."""
    d, plain = trial.description, trial.plain(held, x)
    factor = y / plain
    if d.kind == "concrete":
        p = trial.rate(held)
        z = 1.0 - factor * (1.0 - p)
        by_logit = np.asarray(np.sum(grad_y * y * (p - z / d.temperature)))
        return {"x": grad_y * factor, "theta": (x * factor).T @ grad_y, "logit": by_logit}
    h, s, alpha = trial.maps(held, x)
    slope = 1.0 if d.kind == "log_uniform" else expit(h)  # h is positive
    by_h = grad_y * factor * slope
    by_s = d.span * grad_y * y * (np.log(factor) / alpha) * expit(s) * expit(-s)
    by_x = by_h @ held["theta"].T + by_s @ held["theta_alpha"].T
    return {"x": by_x, "theta": x.T @ by_h, "theta_alpha": x.T @ by_s}


@claim(
    "gradients",
    "The gradients are those of the draw: of the input, of the weights, and of what decides the noise.",
    needs=("gradients",),
    families=("strength",),
    estimators=KINDS,
    trial=StrengthTrial,
    catches=(
        "strength-gradient-identity",
        "strength-gradient-redrawn",
        "strength-gradient-logit-missing",
        "strength-gradient-logit-of-mask",
        "strength-gradient-alpha-missing",
        "strength-gradient-alpha-range",
    ),
)
def gradients(trial: StrengthTrial) -> Finding:
    """Exact: behind diagonal weights the output tells the draw."""
    held, x = trial.load(), trial.x()
    grad_y = trial.x() * trial.rng.choice([-1.0, 1.0], x.shape)
    found = trial.guard.gradients(x, grad_y)
    if "y" not in found:
        return not_run("the gradients come without the output of their draw")
    for name, right in _expected(trial, held, x, found["y"], grad_y).items():
        if name not in found:
            continue
        size = 1.0 + np.max(np.abs(right)) + 4.0 * x.size
        if np.any(np.abs(found[name] - right) > 16.0 * trial.rounding(size)):
            return exact(True, f"the gradient of {name} is not that of the draw", 1)
    return exact(False, "every gradient is that of the draw", 1)


@claim(
    "kl-value",
    "The divergence is that of a mask with this rate, the entropy of every unit counted.",
    needs=("kl",),
    families=("strength",),
    estimators=("concrete",),
    trial=StrengthTrial,
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


@claim(
    "kl-gradients",
    "The gradients of the divergence are its derivatives by the weights and by the logit.",
    needs=("kl_gradients",),
    families=("strength",),
    estimators=("concrete",),
    trial=StrengthTrial,
    catches=("strength-kl-sign", "strength-kl-entropy-missing", "strength-kl-without-rate"),
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


def _of_examples(trial: StrengthTrial, held: dict[str, Array], x: Array) -> Array:
    """The divergence of each example by its definition, times beta."""
    d = trial.description
    found = []
    for h, s in zip(x @ held["theta"], x @ held["theta_alpha"], strict=True):
        own = (
            information_dropout.to_log_uniform(h, s, d.least, d.span)
            if d.kind == "log_uniform"
            else information_dropout.to_log_normal(h, s, 0.0, 1.0, d.least, d.span)
        )
        found.append(d.beta * float(np.real(own)))
    return np.asarray(found)


@claim(
    "example-kl",
    "The divergence of an example is the sum over its units of the integral that defines it, times beta.",
    needs=("example_kl",),
    families=("strength",),
    estimators=INFORMATION,
    trial=StrengthTrial,
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
    seen, right = trial.guard.ask("example_kl", x=x), _of_examples(trial, held, x)
    if seen.shape != right.shape:
        return exact(True, f"the divergences of 5 examples have shape {seen.shape}; {right.shape} is right", 1)
    if trial.description.kind == "log_uniform":
        seen, right = seen - seen[0], right - right[0]
    wrong = bool(np.any(np.abs(seen - right) > 4.0 * trial.rounding(16.0 * trial.description.units)))
    return exact(wrong, f"divergences of examples are {seen[1]:.6g}; {right[1]:.6g} is right", right.size)


@claim(
    "dead-units",
    "A unit that is off adds nothing that depends on alpha.",
    needs=("example_kl",),
    families=("strength",),
    estimators=("log_uniform",),
    trial=StrengthTrial,
    catches=("strength-kl-of-dead-units",),
)
def dead_units(trial: StrengthTrial) -> Finding:
    """Exact: inputs below zero, behind weights of 1, differ in alpha alone."""
    trial.load()
    seen = trial.guard.ask("example_kl", x=-trial.x(4))
    wrong = bool(np.any(np.abs(seen - seen[0]) > trial.rounding(16.0)))
    return exact(wrong, f"divergences of examples whose units are off {'differ' if wrong else 'agree'}", 4)


CLAIMS = (gradients, kl_value, kl_gradients, example_kl, dead_units)
