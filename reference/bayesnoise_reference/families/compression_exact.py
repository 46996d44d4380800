"""Weights in groups: what a draw is, its gradients, the prediction, and what calls do."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families._comparison import compared, gradients_compared
from bayesnoise_reference.families.compression import CompressionTrial, expected, logarithm, of_compression, output


@of_compression(
    "replay",
    "With given noise the output is that of the definition.",
    needs=("sample_with_noise",),
    catches=(
        "scale-exp-for-softplus",
        "group-shared-across-batch",
        "group-one-scalar",
        "group-factor-not-in-noise",
        "group-factor-squared",
        "jeffreys-log-variance-as-scale",
        "jeffreys-theta-missing",
        "jeffreys-multiplied",
        "cauchy-no-root",
        "cauchy-scales-added",
        "cauchy-shared-missing",
        "cauchy-inverse-divides",
    ),
)
def replay(trial: CompressionTrial) -> Finding:
    """Exact."""
    held, x, noise = trial.load(), trial.rows(3), trial.noise(3)
    want = output(trial.description.kind, held, x, noise)
    return compared(trial, {"y": (trial.guard.sample_with_noise(x, noise), want)}, 2e4, "for given noise the output")


@of_compression(
    "evaluation",
    "Without noise the factors are their means, and the output is the same every time.",
    needs=("evaluate",),
    catches=("evaluation-noisy", "group-evaluation-unscaled", "cauchy-evaluates-median", "jeffreys-theta-missing"),
)
def evaluation(trial: CompressionTrial) -> Finding:
    """Exact, twice."""
    held, x = trial.load(), trial.rows(3)
    want = (x * expected(trial.description.kind, held)) @ held["mean"]
    first, second = (trial.guard.evaluate(x) for _ in range(2))
    return compared(trial, {"y": (first, want), "y, again,": (second, want)}, 2e3, "without noise the output")


@of_compression(
    "group-whole",
    "All weights of an input have one factor.",
    catches=("group-factor-per-weight",),
)
def group_whole(trial: CompressionTrial) -> Finding:
    """Exact: where the weights have no noise, outputs of which there are more than factors are made by these alone."""
    held, worst = trial.load(narrow=("weights",)), 0.0
    for _ in range(4):
        x = trial.rows(4)
        y = trial.guard.sample(x)
        rest = y - (x * trial.factors(held, x, y)) @ held["mean"]
        worst = max(worst, float(np.max(np.abs(rest)) / np.max(np.abs(y))))
    wrong = worst > 2e3 * trial.guard.eps
    return exact(wrong, f"no factor an input makes {worst:.2g} of the outputs; 0 is right", 4)


def _called(trial: CompressionTrial) -> tuple[Array, Array, dict[str, Array]]:
    x = trial.rows(4)
    grad_y = trial.normals(4, trial.description.outputs)
    return x, grad_y, trial.guard.gradients(x, grad_y)


@of_compression(
    "gradient-input",
    "The gradient of the input is that of the factors and the noise that were drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-input-of-mean", "gradient-input-averaged"),
)
def gradient_input(trial: CompressionTrial) -> Finding:
    """Exact: an output is proportional to its input, so `x dL/dx = y dL/dy`, summed over each example (Euler)."""
    trial.load()
    x, grad_y, found = _called(trial)
    if not {"x", "y"} <= found.keys():
        return not_run("the adapter gives no gradient of the input, or not the output of the draw")
    pairs = {"of x": (np.sum(found["x"] * x, axis=1), np.sum(grad_y * found["y"], axis=1))}
    return compared(trial, pairs, 256.0, "along the input the gradient")


@of_compression(
    "gradient-factors",
    "The gradients of the factors' parameters are those of the factors that were drawn.",
    needs=("gradients",),
    catches=(
        "gradient-noise-redrawn",
        "gradient-mean-averaged",
        "group-gradient-stops",
        "jeffreys-gradient-half",
        "cauchy-gradient-half",
        "cauchy-gradient-shared-missing",
    ),
)
def gradient_factors(trial: CompressionTrial) -> Finding:
    """Exact, where the weights have no noise: the factors are read, and with them what is behind.

    The two numbers behind a half-Cauchy factor are seen one at a time, while the other is nothing.
    """
    if trial.description.kind == "normal_jeffreys":
        return _derived(trial, "factors")
    findings = [_derived(trial, "shared"), _derived(trial, "own")]
    return next((finding for finding in findings if finding.refuted), findings[0])


def _derived(trial: CompressionTrial, quiet: str) -> Finding:
    """The gradients where one of the two numbers behind a factor, or neither, is nothing."""
    d = trial.description
    held = trial.load(narrow=("weights",) if quiet == "factors" else ("weights", quiet))
    x, grad_y, found = _called(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    noise = {"zeta": np.zeros(grad_y.shape), "eps": np.zeros(x.shape), "shared_eps": np.zeros((len(x), 1))}
    z = trial.factors(held, x, found["y"])
    if quiet == "factors":
        noise["eps"] = trial.numbers(held, z)
    else:
        mean, own, shared = logarithm(held)
        away = 2.0 * np.log(np.maximum(z, 1e-300)) - mean
        noise["eps"] = away / np.sqrt(own) if quiet == "shared" else noise["eps"]
        noise["shared_eps"] = np.mean(away / np.sqrt(shared), axis=1, keepdims=True) * (quiet == "own")

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(grad_y * output(d.kind, p, x, noise))

    names = tuple(name for name in held if name != "rho")
    return gradients_compared(trial, found, held, loss, "the gradient", names)


@of_compression(
    "gradient-weights",
    "The gradients of the weights are those of the noise that was drawn.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "gradient-mean-averaged", "gradient-scale-zero"),
)
def gradient_weights(trial: CompressionTrial) -> Finding:
    """Exact: where the factors have no noise, that of the outputs is read off them."""
    held, d = trial.load(narrow=("factors",)), trial.description
    x, grad_y, found = _called(trial)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    noise = {"zeta": trial.zeta(held, x, found["y"]), "eps": np.zeros(x.shape), "shared_eps": np.zeros((len(x), 1))}

    def loss(p: dict[str, Array]) -> Any:
        return np.sum(grad_y * output(d.kind, p, x, noise))

    return gradients_compared(trial, found, held, loss, "the gradient", ("mean", "rho"))


CAUSES = {
    "group-shared-across-batch": "all examples share their factors",
    "group-one-scalar": "all groups share the noise of one",
    "group-factor-per-weight": "the weights of a group have factors of their own: they share one",
    "group-factor-not-in-noise": "the factor multiplies the means of its weights, and not their noise",
    "group-factor-squared": "the factor multiplies the means of its weights twice",
    "group-evaluation-unscaled": "without noise the weights are not multiplied by the mean of their factor",
    "group-gradient-stops": "no gradient reaches the factors",
    "jeffreys-log-variance-as-scale": "the stored logarithm is that of a variance, and is used as that of a deviation",
    "jeffreys-theta-missing": "the mean of the factor is 1: it is theta",
    "jeffreys-multiplied": "the noise of the factor is multiplied by theta: it is added",
    "jeffreys-gradient-half": "the gradient of the logarithm of the variance lacks the 1/2 of the root",
    "cauchy-no-root": "the factor lacks its square root",
    "cauchy-scales-added": "the deviations of two logarithms are added: their variances are",
    "cauchy-shared-missing": "the factor that all units share is missing",
    "cauchy-inverse-divides": "the factors of the inverse gamma law divide: their own logarithms are stored",
    "cauchy-evaluates-median": "without noise the factor is its median: its mean is right",
    "cauchy-gradient-half": "the gradients of the logarithms lack the 1/2 of the root",
    "cauchy-gradient-shared-missing": "no gradient reaches the factor that all units share",
}


def _ready(trial: CompressionTrial) -> Array:
    trial.load()
    return trial.rows(3)


CLAIMS = (
    *claims_on_calls(of_compression, _ready, fresh=("no-noise", "eps-across-calls")),
    replay,
    evaluation,
    group_whole,
    gradient_input,
    gradient_factors,
    gradient_weights,
)
