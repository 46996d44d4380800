"""Gradients through noise on weights, and what it does for given numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import dense, drop_connect, sparse_variational_dropout, variational_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.weight_noise import FAR, NORMAL, RAW, WeightNoiseTrial, of_weight_noise
from bayesnoise_reference.numerics import complex_step


def _output(kind: str, x: Array, held: dict[str, Array], zeta: Array) -> Array:
    given = x, held["theta"], held[RAW[kind]], zeta, dense.output
    return variational_dropout.type_a(*given) if kind == "multiplicative" else sparse_variational_dropout.output(*given)


@of_weight_noise(
    "masked-gradients",
    "The gradients are those of the masked weights of the draw.",
    needs=("gradients",),
    kinds=("drop_connect",),
    catches=(
        "gradient-noise-redrawn",
        "connect-gradient-unmasked",
        "connect-gradient-unscaled",
        "connect-gradient-input-unmasked",
        "gradient-mean-averaged",
    ),
)
def masked_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact: for examples that see one input each, the output has the weights, and `theta dL/dtheta` is `y dL/dy`."""
    held, x = trial.load(), np.eye(trial.description.inputs)
    for _ in range(8):
        grad_y = trial.rng.choice([-2.0, 2.0], held["theta"].shape)
        found = trial.guard.gradients(x, grad_y)
        if "y" not in found:
            return not_run("the gradients come without the output of their draw")
        each = found["y"] * grad_y
        size = np.abs(2.0 * held["theta"] / (1.0 - trial.description.rate))
        if np.any(np.abs(held["theta"] * found["theta"] - each) > trial.rounding(size)):
            return exact(True, "the gradient of theta is not that of the masked weights of the draw", 1)
        by_input = np.sum(each, axis=1)
        if "x" in found and np.any(np.abs(np.diag(found["x"]) - by_input) > trial.rounding(np.sum(size))):
            return exact(True, "the gradient of the input is not that of the masked weights of the draw", 1)
    return exact(False, "the gradients are those of the masked weights", 8)


@of_weight_noise(
    "local-gradients",
    "The gradients are those of the output at the noise of the draw.",
    needs=("gradients",),
    kinds=NORMAL,
    catches=(
        "gradient-noise-redrawn",
        "gradient-mean-averaged",
        "gradient-raw-half",
        "gradient-theta-of-mean-alone",
        "gradient-input-of-mean-alone",
    ),
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


@of_weight_noise(
    "zero-row-gradients",
    "An input of zeros gives the weights gradients of zero.",
    needs=("gradients",),
    kinds=NORMAL,
    catches=("gradient-root-at-zero",),
)
def zero_row_gradients(trial: WeightNoiseTrial) -> Finding:
    """Exact: the root of a variance of zero must not make 0 * inf."""
    d = trial.description
    trial.load()
    found = trial.guard.gradients(np.zeros((2, d.inputs)), np.ones((2, d.outputs)), finite=False)
    wrong = any(not np.all(found[name] == 0.0) for name in ("theta", RAW[d.kind]))
    return exact(wrong, f"an input of zeros gives the weights gradients that are {'not ' if wrong else ''}zero", 1)


@of_weight_noise(
    "replay",
    "Given its noise, the output is that of the definition, also where alpha is very small or very large.",
    needs=("sample_with_noise",),
    kinds=NORMAL,
    catches=(
        "no-noise",
        "x-not-squared",
        "variance-without-root",
        "raw-scale-without-half",
        "raw-scale-as-stored",
        "raw-clipped",
        "noise-of-the-other-form",
    ),
)
def replay(trial: WeightNoiseTrial) -> Finding:
    """Exact."""
    d = trial.description
    for level in (None, -FAR, FAR):
        held, x = trial.load(log_alpha=level), trial.x(5)
        zeta = np.round(64.0 * trial.rng.standard_normal((5, d.outputs))) / 64.0
        right = _output(d.kind, x, held, zeta)
        size = np.abs(x) @ (np.abs(held["theta"]) + np.abs(trial.deviation(held))) * (1.0 + np.abs(zeta))
        if np.any(np.abs(trial.guard.sample_with_noise(x, {"zeta": zeta}) - right) > trial.rounding(size)):
            return exact(True, "for given noise the output is another", 1)
    return exact(False, "for given noise the output is right", 3)


@of_weight_noise(
    "replay-masks",
    "Given its mask, the output is that of the weights that are kept.",
    needs=("sample_with_noise",),
    kinds=("drop_connect",),
    catches=("no-noise", "connect-not-inverted", "connect-scale-by-rate", "connect-mask-reversed"),
)
def replay_masks(trial: WeightNoiseTrial) -> Finding:
    """Exact."""
    d, held, x = trial.description, trial.load(), trial.x(5)
    one = (d.inputs, d.outputs)
    kept = trial.rng.integers(0, 2, one if d.masks == "call" else (5, *one)).astype(np.float64)
    right = drop_connect.output(x, held["theta"], np.broadcast_to(kept, (5, *one)), d.rate, dense.output)
    size = np.abs(x) @ np.abs(held["theta"]) / (1.0 - d.rate)
    wrong = bool(np.any(np.abs(trial.guard.sample_with_noise(x, {"kept": kept}) - right) > trial.rounding(size)))
    return exact(wrong, f"for a given mask the output {'is another' if wrong else 'is right'}", 1)


CLAIMS = (masked_gradients, local_gradients, zero_row_gradients, replay, replay_masks)
