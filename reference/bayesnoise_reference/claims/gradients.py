"""Gradients that are exact: of the mean, of the bias, of the input, and all of one draw.

For a loss linear in the output, `sum(g y)`, the gradient of the mean weights does not depend on the noise at all. And
since `y - B(x, mean)` is homogeneous of degree 1 in the scales, Euler's identity
`sum(scale dL/dscale) = sum(g (y - B(x, mean)))` ties the gradient to the draw that made y.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.causes import WRONG_OUTPUT
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.claims.weight_trial import TINY, Loaded, WeightTrial, slope

NEEDS = ("sample", "gradients")


def loss(trial: WeightTrial, x: Array) -> Array:
    """A random upstream gradient, none of it near zero."""
    shape = designs.apply(trial.description, x, np.zeros(trial.description.weight_shape)).shape
    g = trial.rng.uniform(0.5, 1.5, shape) * trial.rng.choice([-1.0, 1.0], shape)
    return trial.rounded(g)


def _exactly(trial: WeightTrial, seen: Array, right: Array, size: Array, what: str) -> Finding:
    worst = float(np.max(np.abs(seen - right) / (64 * trial.guard.eps * size + 1e-25)))
    if worst <= 1.0:
        return exact(False, f"the gradient of {what} is exact", 1)
    at = int(np.argmax(np.abs(seen - right)))
    return exact(True, f"the gradient of {what} is {seen.flat[at]:.6g} where {right.flat[at]:.6g} is right", 1)


@of_weights(
    "gradient-mean",
    "The gradient of the mean weights is that of a deterministic layer.",
    needs=NEEDS,
    catches=("gradient-mean-averaged", "gradient-mean-perturbed"),
)
def gradient_mean(trial: WeightTrial) -> Finding:
    """Exact, for a linear loss."""
    trial.load()
    x = trial.rows(6)
    g = loss(trial, x)
    seen = trial.guard.gradients(x, g)["mean"]
    return _exactly(
        trial,
        seen,
        designs.adjoint(trial.description, x, g),
        designs.adjoint(trial.description, np.abs(x), np.abs(g)),
        "the mean weights",
    )


@of_weights(
    "gradient-bias",
    "The gradient of the bias, or of its mean, is the sum of the upstream gradient.",
    needs=NEEDS,
    when=lambda d: d.bias != "none",
    catches=("gradient-mean-averaged",),
)
def gradient_bias(trial: WeightTrial) -> Finding:
    """Exact."""
    trial.load()
    x = trial.rows(6)
    g = loss(trial, x)
    seen = trial.guard.gradients(x, g)["bias" if trial.description.bias == "deterministic" else "bias_mean"]
    axes = (0, *range(2, g.ndim))
    return _exactly(trial, seen, np.sum(g, axes), np.sum(np.abs(g), axes), "the bias")


def _euler(trial: WeightTrial, held: Loaded, found: dict[str, Array]) -> float:
    d = trial.description
    total = float(np.sum(held.scale * found["rho"] / slope(d, held.rho)))
    if d.bias == "random":
        total += float(np.sum(held.bias_scale * found["bias_rho"] / slope(d, held.bias_rho)))
    return total


@of_weights(
    "gradient-same-draw",
    "The gradient is that of the draw that made the output.",
    needs=NEEDS,
    catches=(
        *WRONG_OUTPUT,
        "gradient-scale-without-chain",
        "gradient-noise-redrawn",
        "gradient-mean-averaged",
        "gradient-scale-zero",
        "gradient-scale-sign",
        "gradient-scale-as-shared",
    ),
)
def gradient_same_draw(trial: WeightTrial) -> Finding:
    """Exact: Euler's identity, when the adapter gives the output with the gradients."""
    held, worst, ratio = trial.load(), 0.0, 1.0
    for _ in range(4):
        x = trial.rows(6)
        g = loss(trial, x)
        found = trial.guard.gradients(x, g)
        if "y" not in found:
            return not_run('gradients does not give "y", the output of its draw')
        left, right = _euler(trial, held, found), float(np.sum(g * (found["y"] - trial.mean_output(x, held))))
        size = float(np.sum(np.abs(g) * trial.rounding(x, held, 6.0)))
        if abs(left - right) / size > worst:
            worst, ratio = abs(left - right) / size, left / right
    if worst <= 4.0:
        return exact(False, "the gradients of the scales and the output are of one draw", 4)
    return exact(True, f"the gradients of the scales give {ratio:.4g} times what the output of their draw gives", 4)


@of_weights(
    "gradient-input",
    "With all scales zero the gradient of the input is that of the mean weights.",
    needs=NEEDS,
    catches=("gradient-input-averaged", "scale-floor", "scale-softplus-missing"),
)
def gradient_input(trial: WeightTrial) -> Finding:
    """Exact, by the adjoint identity in random directions, when the adapter gives this gradient."""
    held = trial.load(scale=TINY, bias_scale=TINY)
    x, direction = trial.rows(3), trial.rows(3)
    g = loss(trial, x)
    found = trial.guard.gradients(x, g)
    if "x" not in found:
        return not_run('gradients does not give "x", the gradient of the input')
    seen = np.sum(found["x"] * direction, axis=tuple(range(1, x.ndim)))
    right = np.sum(g * designs.apply(trial.description, direction, held.mean), axis=tuple(range(1, g.ndim)))
    size = np.sum(
        np.abs(g) * designs.apply(trial.description, np.abs(direction), np.abs(held.mean)), tuple(range(1, g.ndim))
    )
    return _exactly(trial, seen, right, size, "the input")


@of_weights(
    "gradient-input-same-draw",
    "The gradient of the input is that of the draw that made the output, its noise included.",
    needs=NEEDS,
    catches=(
        "gradient-input-averaged",
        "gradient-input-without-noise",
        "gradient-noise-redrawn",
        "variance-floor",
        "variance-without-root",
        "x-not-squared",
    ),
)
def gradient_input_same_draw(trial: WeightTrial) -> Finding:
    """Exact: without a bias an output is homogeneous of degree 1 in the input, so that `x dL/dx` sums to `g y`."""
    worst, ratio = 0.0, 1.0
    for _ in range(4):
        held, x = trial.without_bias(), trial.rows(6)
        g = loss(trial, x)
        found = trial.guard.gradients(x, g)
        if "x" not in found or "y" not in found:
            return not_run('gradients does not give "x" and "y", the gradient of the input and the output of its draw')
        left = np.sum((found["x"] * x).reshape(len(x), -1), axis=1)
        right = np.sum((g * found["y"]).reshape(len(x), -1), axis=1)
        size = np.sum((np.abs(g) * trial.rounding(x, held, 6.0)).reshape(len(x), -1), axis=1)
        at = int(np.argmax(np.abs(left - right) / size))
        if abs(left[at] - right[at]) / size[at] > worst:
            worst, ratio = float(abs(left[at] - right[at]) / size[at]), float(left[at] / right[at])
    if worst <= 4.0:
        return exact(False, "the gradient of the input and the output are of one draw", 4)
    return exact(True, f"the gradient of the input gives {ratio:.4g} times what the output of its draw gives", 4)


CLAIMS = (gradient_mean, gradient_bias, gradient_same_draw, gradient_input, gradient_input_same_draw)
