"""Weights whose law has a structure: the gradients of one draw, its noise read off its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import not_run
from bayesnoise_reference.families._comparison import compared, gradients_compared
from bayesnoise_reference.families.posterior import NARROW, PosteriorTrial, of_posterior, scale


@of_posterior(
    "gradient-input",
    "The gradient of the input is that of the weights that were drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-input-of-mean", "gradient-input-averaged"),
)
def gradient_input(trial: PosteriorTrial) -> Finding:
    """Exact: an output is proportional to its input, so `x dL/dx = y dL/dy`, summed over each example (Euler)."""
    trial.load()
    x = trial.rows(4)
    grad_y = trial.normals(4, trial.description.outputs)
    found = trial.guard.gradients(x, grad_y)
    if not {"x", "y"} <= found.keys():
        return not_run("the adapter gives no gradient of the input, or not the output of the draw")
    pairs = {"of x": (np.sum(found["x"] * x, axis=1), np.sum(grad_y * found["y"], axis=1))}
    return compared(trial, pairs, 256.0, "along the input the gradient")


def _numbers(trial: PosteriorTrial, held: dict[str, Array], away: Array) -> Array:
    """(inputs, outputs): what the factor adds to each weight, from weights that have no other noise, and its numbers.

    One set of numbers for all weights of a call, or one for each row where an example is a row.
    """
    d, columns = trial.description, np.moveaxis(held["factor"], 0, -1)
    if d.draws == "call":
        e = np.linalg.lstsq(columns.reshape(-1, d.rank), away.ravel(), rcond=None)[0]
        return np.broadcast_to(e, (d.inputs, d.rank))
    return np.stack([np.linalg.lstsq(rows, a, rcond=None)[0] for rows, a in zip(columns, away, strict=True)])


def _impulses(trial: PosteriorTrial) -> tuple[Array, Array, Array, dict[str, Array]]:
    """A number to each input by itself, the gradient by every weight, the weights, and the gradients found."""
    d = trial.description
    size = trial.rng.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], d.inputs)
    grad_y = trial.normals(d.inputs, d.outputs)
    found = trial.guard.gradients(np.diag(size), grad_y)
    return size, grad_y * size[:, None], found.get("y", np.nan * grad_y) / size[:, None], found


@of_posterior(
    "gradient-parameters",
    "The gradients of the parameters are those of the draw with its noise held fixed.",
    needs=("gradients",),
    catches=(
        "gradient-noise-redrawn",
        "gradient-mean-averaged",
        "gradient-scale-zero",
        "k-tied-gradient-whole",
        "matrix-gradient-half",
        "radial-gradient-softplus",
    ),
)
def gradient_parameters(trial: PosteriorTrial) -> Finding:
    """Exact: the noise of each weight is read off an example that sees it alone, and the definition differentiated.

    In a correlated law what is read is the noise of the diagonal, with a factor of 0.
    """
    held, d = trial.load(factor=0.0), trial.description
    _, by_weight, w, found = _impulses(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    eps = (w - held["mu"]) / scale(d.kind, held)
    names = ("mu", "log_sigma") if d.kind == "low_rank" else ()

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(by_weight * (p["mu"] + scale(d.kind, p) * eps))

    return gradients_compared(trial, found, held, loss, "the gradient", names)


@of_posterior(
    "gradient-factor",
    "The gradient of the factor is that of the weights times the factor's own noise.",
    needs=("gradients",),
    kinds=("low_rank",),
    catches=("gradient-noise-redrawn", "low-rank-gradient-of-mean", "low-rank-gradient-factor-zero"),
)
def gradient_factor(trial: PosteriorTrial) -> Finding:
    """Exact: without a diagonal the numbers of the factor can be read off the weights."""
    held = trial.load(log_sigma=NARROW)
    _, by_weight, w, found = _impulses(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    e = _numbers(trial, held, w - held["mu"])

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(by_weight * (p["mu"] + np.einsum("ik,kio->io", e, p["factor"])))

    return gradients_compared(trial, found, held, loss, "the gradient", ("mu", "factor"))


CAUSES = {
    "gradient-input-of-mean": "the gradient of the input is that of the mean weights",
    "k-tied-gradient-whole": "every product gets the gradient of the whole scale, not its share",
    "matrix-gradient-half": "the gradient of a logarithm of a variance lacks the 1/2 of the square root",
    "low-rank-gradient-of-mean": "the gradient of the factor is not multiplied by its noise",
    "low-rank-gradient-factor-zero": "no gradient reaches the factor",
    "radial-gradient-softplus": "the gradient is by the scale: it is by rho",
}

CLAIMS = (gradient_input, gradient_parameters, gradient_factor)
