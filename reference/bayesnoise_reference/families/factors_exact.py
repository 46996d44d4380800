"""Random factors of whole units: what a draw with given noise is, its gradients, the prediction and the divergence."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.factors import FactorsTrial, of_factors
from bayesnoise_reference.numerics import complex_step


@of_factors(
    "replay",
    "With given noise the output is the input times the factors of the definition.",
    needs=("sample_with_noise",),
    catches=(
        "factors-per-position",
        "factors-added",
        "factors-shared-across-batch",
        "factors-one-scalar",
        "structured-mean-zero",
        "structured-alpha-as-sd",
        "structured-rotation-missing",
        "structured-rotation-transposed",
        "structured-not-normalised",
        "structured-one-fewer",
        "structured-shift-missing",
        "truncated-not-cut",
        "truncated-clipped",
        "truncated-scale-as-variance",
        "truncated-log-scale-as-scale",
        "truncated-mean-ignored",
    ),
)
def replay(trial: FactorsTrial) -> Finding:
    """Exact, against the definition."""
    held, x = trial.load(), trial.rows(3)
    eps = trial.normals(3, trial.description.units)
    want = x * trial.factors(held, eps)[:, :, None]
    return compared(trial, {"y": (trial.guard.sample_with_noise(x, {"eps": eps}), want)}, 2e4, "the output")


@of_factors(
    "vector-length",
    "The length of a vector that reflects does not matter, however short it is.",
    needs=("sample_with_noise",),
    kinds=("structured",),
    catches=("structured-not-normalised", "structured-epsilon-in-length"),
)
def vector_length(trial: FactorsTrial) -> Finding:
    """Exact: the last matrix and shift a million times smaller."""
    last = trial.description.reflections
    held, x = trial.load(), trial.rows(2)
    eps = trial.normals(2, trial.description.units)
    first = trial.guard.sample_with_noise(x, {"eps": eps})
    shorter = {name: v * 2.0**-20 if name.endswith(f"_{last}") else v for name, v in held.items()}
    trial.guard.load(shorter)
    return compared(trial, {"y": (trial.guard.sample_with_noise(x, {"eps": eps}), first)}, 2e3, "with a short vector")


@of_factors(
    "prediction",
    "Without noise the output is the input times the mean of the factor, and the same every time.",
    needs=("evaluate",),
    catches=("factors-noisy-prediction", "truncated-predicts-mode", "truncated-predicts-uncut"),
)
def prediction(trial: FactorsTrial) -> Finding:
    """Exact, twice."""
    held, x = trial.load(), trial.rows(3)
    want = x * trial.mean(held)[None, :, None]
    first, second = (trial.guard.evaluate(x) for _ in range(2))
    return compared(trial, {"y": (first, want), "y, again,": (second, want)}, 2e3, "the prediction")


@of_factors(
    "gradient-input",
    "The gradient of the input is that of the output times the factors of the same draw.",
    needs=("gradients",),
    catches=("factors-gradient-unscaled", "factors-gradient-redrawn"),
)
def gradient_input(trial: FactorsTrial) -> Finding:
    """Exact: the factors are read off the output of the draw."""
    trial.load()
    x = trial.rows(4)
    grad_y = trial.normals(*x.shape)
    found = trial.guard.gradients(x, grad_y)
    if not {"x", "y"} <= found.keys():
        return not_run("the adapter gives no gradient of the input, or not the output of the draw")
    return compared(trial, {"of x": (found["x"], grad_y * found["y"] / x)}, 64.0, "the gradient")


@of_factors(
    "gradient-parameters",
    "The gradients of the parameters are those of the draw with its noise held fixed.",
    needs=("gradients",),
    catches=(
        "factors-gradient-redrawn",
        "factors-gradient-sign",
        "factors-gradient-first-position",
        "factors-gradient-mean-over-batch",
        "structured-gradient-alpha",
        "structured-gradient-last-only",
        "truncated-gradient-uncut",
        "truncated-gradient-by-scale",
    ),
)
def gradient_parameters(trial: FactorsTrial) -> Finding:
    """Exact: the noise is read off the output of the draw, and the definition differentiated with it."""
    held, x = trial.load(), trial.rows(4)
    grad_y = trial.normals(*x.shape)
    found = trial.guard.gradients(x, grad_y)
    if "y" not in found:
        return not_run("the adapter does not give the output of the draw with its gradients")
    eps = trial.noise(held, (found["y"] / x)[:, :, 0])
    weight = np.sum(grad_y * x, axis=2)

    def loss(name: str, value: Array) -> Array:
        return np.asarray(np.sum(weight * trial.factors(held | {name: value}, eps)))

    pairs = {f"of {name}": (found[name], complex_step(partial(loss, name), value)) for name, value in held.items()}
    return compared(trial, pairs, 1e6 if trial.guard.eps < 1e-10 else 3e4, "the gradient")


@of_factors(
    "divergence",
    "The divergence is the integral that defines it: a term a unit, and for structured noise a column of weights.",
    needs=("kl",),
    catches=(
        "factors-kl-mean",
        "factors-kl-sign",
        "factors-kl-doubled",
        "structured-kl-transposed",
        "structured-kl-over-columns",
        "structured-kl-one-column",
        "structured-kl-no-rotation",
        "truncated-kl-uncut",
        "truncated-kl-no-edges",
    ),
)
def divergence(trial: FactorsTrial) -> Finding:
    """Exact, against quadrature."""
    held = trial.load()
    right, seen = float(np.real(trial.divergence(held))), trial.guard.kl()
    wrong = not abs(seen - right) <= 4096.0 * trial.guard.eps * (abs(right) + trial.description.columns)
    return exact(wrong, f"the divergence is {seen:.8g}; {right:.8g} is {'right' if wrong else 'expected'}", 1)


@of_factors(
    "divergence-gradient",
    "The gradient of the divergence is its derivative by every parameter.",
    needs=("kl_gradients",),
    catches=(
        "factors-kl-gradient-sign",
        "kl-gradient-of-one-missing",
        "factors-kl-mean",
        "factors-kl-doubled",
        "structured-kl-one-column",
        "structured-kl-no-rotation",
    ),
)
def divergence_gradient(trial: FactorsTrial) -> Finding:
    """Exact, by complex step through quadrature."""
    held = trial.load()
    found = trial.guard.kl_gradients()

    def value(name: str, at: Array) -> Any:
        return trial.divergence(held | {name: at})

    pairs = {f"of {name}": (found[name], complex_step(partial(value, name), at)) for name, at in held.items()}
    return compared(trial, pairs, 2e5 if trial.guard.eps < 1e-10 else 2e4, "the gradient of the divergence")


CAUSES = {
    "factors-per-position": "every position of an example has a factor of its own: one an example and unit is right",
    "factors-added": "the noise is added to the input: it multiplies it",
    "factors-shared-across-batch": "all examples of a batch share their factors",
    "factors-one-scalar": "all units of an example share one draw",
    "factors-across-calls": "the noise is drawn once and kept",
    "factors-no-noise": "there is no noise",
    "factors-uniform-noise": "the noise behind the factors is uniform: it is normal",
    "factors-noisy-prediction": "the prediction without noise has noise",
    "factors-gradient-unscaled": "the gradient of the input is not multiplied by the factors",
    "factors-gradient-redrawn": "the backward pass draws factors of its own",
    "factors-gradient-sign": "the gradients of the parameters have the wrong sign",
    "factors-gradient-first-position": "the gradients of the parameters see one position: they are summed over all",
    "factors-gradient-mean-over-batch": "the gradients of the parameters are averaged over the batch: they are summed",
    "factors-kl-mean": "the divergence is averaged over units: it is a sum",
    "factors-kl-sign": "the divergence has the wrong sign",
    "factors-kl-doubled": "a factor 1/2 is missing in the divergence, or it is counted twice",
    "factors-kl-gradient-sign": "the gradient of the divergence has the wrong sign",
    "structured-mean-zero": "the factors have mean 0: the 1 is missing",
    "structured-alpha-as-sd": "alpha is used as a standard deviation: it is a variance",
    "structured-rotation-missing": "the noise is not reflected",
    "structured-rotation-transposed": "the reflections are applied in the reverse order",
    "structured-not-normalised": "the reflection does not divide by the squared length of its vector",
    "structured-one-fewer": "there is a reflection less than there should be, or v_0 reflects in the place of the last",
    "structured-shift-missing": "the vectors are made without their shifts",
    "structured-epsilon-in-length": "a constant is added to the squared length of a vector",
    "structured-gradient-alpha": "the gradient of log alpha lacks the 1/2 of the square root",
    "structured-gradient-last-only": "gradients do not pass from one vector to the one before",
    "structured-kl-transposed": "the divergence uses the rows of the rotation for its columns",
    "structured-kl-over-columns": "the sum over the units ends at the number of columns",
    "structured-kl-one-column": "the divergence counts one column of weights: it counts all",
    "structured-kl-no-rotation": "the divergence is that of independent noise",
    "truncated-not-cut": "the law is not cut to its interval",
    "truncated-clipped": "draws outside the interval are moved to its ends: the law is cut, not clipped",
    "truncated-one-tail": "quantiles are taken from the lower tail alone, which has no digits left in the upper one",
    "truncated-scale-as-variance": "sigma is used as a variance",
    "truncated-log-scale-as-scale": "log sigma is used as sigma",
    "truncated-mean-ignored": "the mean of log z is not used",
    "truncated-predicts-mode": "the prediction uses exp(mu): the mean of the factor is right",
    "truncated-predicts-uncut": "the prediction uses the mean of the log-normal law that is not cut",
    "truncated-gradient-uncut": "the gradients are those of a law that is not cut",
    "truncated-gradient-by-scale": "the gradient is by sigma: it is by log sigma",
    "truncated-kl-uncut": "the divergence has the entropy of a normal law that is not cut",
    "truncated-kl-no-edges": "the divergence lacks the term of the two ends",
}

CLAIMS = (
    replay,
    vector_length,
    prediction,
    gradient_input,
    gradient_parameters,
    divergence,
    divergence_gradient,
)
