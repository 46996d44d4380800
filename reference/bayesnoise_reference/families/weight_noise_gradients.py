"""Gradients through noise on weights, what it does for given numbers, and its divergence to the log-uniform prior."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import dense, divergences, posteriors, sparse_variational_dropout, variational_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Check, Claim, Finding, claim
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.weight_noise import NORMAL, RAW, WeightNoiseTrial
from bayesnoise_reference.numerics import complex_step


def _claim(
    topic: str, law: str, kinds: tuple[str, ...], *catches: str, needs: tuple[str, ...], when: Any = None
) -> Callable[[Check], Claim]:
    return claim(
        topic,
        law,
        needs=needs,
        families=("weight_noise",),
        estimators=kinds,
        when=when or (lambda d: True),
        trial=WeightNoiseTrial,
        catches=catches,
    )


def _output(kind: str, x: Array, held: dict[str, Array], zeta: Array) -> Array:
    given = x, held["theta"], held[RAW[kind]], zeta, dense.output
    return variational_dropout.type_a(*given) if kind == "multiplicative" else sparse_variational_dropout.output(*given)


@_claim(
    "masked-gradient",
    "The gradient of theta is masked and scaled as its weights are.",
    ("drop_connect",),
    "gradient-noise-redrawn",
    "connect-gradient-unmasked",
    "connect-gradient-unscaled",
    "gradient-mean-averaged",
    needs=("gradients",),
)
def masked_gradient(trial: WeightNoiseTrial) -> Finding:
    """Exact: for examples that see one input each, `theta dL/dtheta` is `y dL/dy`; 8 draws."""
    held, x = trial.load(), np.eye(trial.description.inputs)
    for _ in range(8):
        grad_y = trial.rng.choice([-1.0, 1.0], held["theta"].shape) * 2.0
        found = trial.guard.gradients(x, grad_y)
        if "y" not in found:
            return not_run("the gradients come without the output of their draw")
        right = found["y"] * grad_y
        if np.any(np.abs(held["theta"] * found["theta"] - right) > trial.rounding(8.0)):
            return exact(True, "the gradient of theta is not that of the masked weights of the draw", 1)
    return exact(False, "the gradient of theta is that of the masked weights", 8)


@_claim(
    "local-gradients",
    "The gradients are those of the output at the noise of the draw.",
    NORMAL,
    "gradient-noise-redrawn",
    "gradient-mean-averaged",
    "gradient-raw-half",
    "gradient-theta-of-mean-alone",
    needs=("gradients",),
)
def local_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact: the output tells zeta, and a complex step through the definition the gradients."""
    d, held, x = trial.description, trial.load(), trial.x(4)
    grad_y = trial.x(4 * d.outputs)[:, 0].reshape(4, d.outputs)
    found = trial.guard.gradients(x, grad_y)
    if "y" not in found:
        return not_run("the gradients come without the output of their draw")
    zeta = (found["y"] - x @ held["theta"]) / np.sqrt(x**2 @ trial.deviation(held) ** 2)
    values = held | {"x": x}

    def loss(at: Array, name: str) -> Any:
        given = values | {name: at}
        return np.sum(grad_y * _output(d.kind, given["x"], given, zeta))

    for name in ("theta", RAW[d.kind], "x"):
        if name not in found:
            continue
        right = complex_step(partial(loss, name=name), values[name])
        if np.any(np.abs(found[name] - right) > 64.0 * trial.rounding(1.0 + np.max(np.abs(right)))):
            return exact(True, f"the gradient of {name} is not that of the draw", 1)
    return exact(False, "every gradient is that of the draw", 1)


@_claim(
    "zero-row-gradients",
    "An input of zeros gives the weights gradients of zero.",
    NORMAL,
    "gradient-root-at-zero",
    needs=("gradients",),
)
def zero_row_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact: the root of a variance of zero must not make 0 * inf."""
    d = trial.description
    trial.load()
    found = trial.guard.gradients(np.zeros((2, d.inputs)), np.ones((2, d.outputs)), finite=False)
    wrong = any(not np.all(found[name] == 0.0) for name in ("theta", RAW[d.kind]))
    return exact(wrong, f"an input of zeros gives the weights gradients that are {'not ' if wrong else ''}zero", 1)


@_claim(
    "replay",
    "Given its noise, the output is that of the definition.",
    NORMAL,
    "no-noise",
    "x-not-squared",
    "variance-without-root",
    "raw-scale-without-half",
    "raw-scale-as-stored",
    "noise-of-the-other-form",
    needs=("sample_with_noise",),
)
def replay(trial: WeightNoiseTrial) -> Finding:
    """Exact."""
    d, held, x = trial.description, trial.load(), trial.x(5)
    zeta = np.round(64.0 * trial.rng.standard_normal((5, d.outputs))) / 64.0
    right = _output(d.kind, x, held, zeta)
    size = np.abs(x) @ (np.abs(held["theta"]) + np.abs(trial.deviation(held))) * (1.0 + np.abs(zeta))
    wrong = bool(np.any(np.abs(trial.guard.sample_with_noise(x, {"zeta": zeta}) - right) > trial.rounding(size)))
    return exact(wrong, f"for given noise the output {'is another' if wrong else 'is right'}", 1)


def _divergence(kind: str, held: dict[str, Array]) -> Any:
    law = posteriors.multiplicative if kind == "multiplicative" else posteriors.additive
    return divergences.log_uniform(*law(held["theta"], held[RAW[kind]]))


def _with(kind: str, held: dict[str, Array], name: str, value: Array) -> Any:
    return _divergence(kind, held | {name: value})


@_claim(
    "kl-differences",
    "Between two settings the divergence differs by the sum over the weights of the integral that defines it.",
    NORMAL,
    "kl-mean",
    "kl-sign",
    "raw-scale-as-stored",
    needs=("kl",),
)
def kl_differences(trial: WeightNoiseTrial) -> Finding:
    """Exact, by quadrature."""
    d, settings, seen = trial.description, [], []
    for _ in range(2):
        settings.append(trial.load())
        seen.append(trial.guard.kl())
    right = [float(np.real(_divergence(d.kind, held))) for held in settings]
    weights = d.inputs * d.outputs
    bound = trial.rounding(8.0 * weights) + 1e-9 * weights + 2.0 * d.error * weights
    change, expected = seen[0] - seen[1], right[0] - right[1]
    wrong = not abs(change - expected) <= bound
    return exact(wrong, f"the divergence changes by {change:.6g}; {expected:.6g} is right", 2)


@_claim(
    "kl-gradients",
    "The gradients of the divergence are its derivatives.",
    NORMAL,
    "kl-mean",
    "kl-sign",
    needs=("kl_gradients",),
    when=lambda d: d.error == 0.0,
)
def kl_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact, by a complex step through the quadrature, one weight at a time."""
    d, held = trial.description, trial.load()
    seen = trial.guard.kl_gradients()
    for index in np.ndindex(2, 2):
        one = {name: value[index] for name, value in held.items()}
        for name in ("theta", RAW[d.kind]):
            right = complex_step(partial(_with, d.kind, one, name), one[name])
            if abs(seen[name][index] - right) > trial.rounding(16.0) + 1e-8:
                return exact(True, f"the gradient of the divergence by {name} is not its derivative", 1)
    return exact(False, "the gradients of the divergence are its derivatives", 1)


CLAIMS = (masked_gradient, local_gradients, zero_row_gradients, replay, kl_differences, kl_gradients)
