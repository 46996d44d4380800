"""Gradients through factors, and the divergence of learned ones: per unit, to the log-uniform prior."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.noise import NoiseTrial, of_noise
from bayesnoise_reference.numerics import complex_step


@of_noise(
    "gradient-input",
    "The gradient of the input is that of the output times the factors of its draw.",
    needs=("gradients",),
    catches=("gradient-noise-redrawn", "noise-gradient-identity", "noise-gradient-unscaled", "noise-additive"),
)
def gradient_input(trial: NoiseTrial) -> Finding:
    """Exact: `x dL/dx = y dL/dy`, element by element."""
    trial.load()
    x, grad_y = trial.x(), trial.x()
    found = trial.guard.gradients(x, grad_y)
    if "x" not in found or "y" not in found:
        return not_run("the gradients come without the output of their draw, or without that of the input")
    right = grad_y * found["y"]
    off = np.abs(x * found["x"] - right) > trial.rounding(np.abs(x * grad_y) + np.abs(right))
    wrong = bool(np.any(off))
    said = "is not" if wrong else "is"
    return exact(wrong, f"the gradient of the input {said} that of the output times the factor of the draw", x.size)


@of_noise(
    "gradient-alpha",
    "The gradient of log alpha is the sum of `dL/dy (y - x) / 2` over what shares it.",
    needs=("gradients",),
    kinds=("learned",),
    catches=(
        "gradient-noise-redrawn",
        "noise-gradient-alpha-averaged",
        "noise-gradient-alpha-half",
        "noise-gradient-alpha-missing",
        "noise-gradient-by-alpha",
        "noise-additive",
    ),
)
def gradient_alpha(trial: NoiseTrial) -> Finding:
    """Exact: `y - x` is x times the root of alpha times the noise, whose derivative by log alpha is half of it."""
    trial.load()
    x, grad_y = trial.x(), trial.x()
    found = trial.guard.gradients(x, grad_y)
    if "y" not in found:
        return not_run("the gradients come without the output of their draw")
    axes = (0, *range(2, x.ndim))
    each = 0.5 * grad_y * (found["y"] - x)
    right, size = np.sum(each, axis=axes), np.sum(np.abs(each) + np.abs(grad_y * x), axis=axes)
    wrong = bool(np.any(np.abs(found["log_alpha"] - right) > trial.rounding(size)))
    return exact(wrong, f"the gradient of log alpha {'is not' if wrong else 'is'} half of dL/dy (y - x), summed", 1)


def _loaded(trial: NoiseTrial) -> Array:
    return np.log(trial.load())


def _definition(log_alpha: Array) -> Array:
    """The divergence of one unit for each, by quadrature."""
    each = [divergences.log_uniform(1.0, np.exp(0.5 * np.asarray(a))) for a in log_alpha]
    return np.asarray(each)


@of_noise(
    "kl-differences",
    "Between two settings the divergence differs by the sum over units of the integral that defines it.",
    needs=("kl",),
    kinds=("learned",),
    catches=("noise-kl-averaged", "noise-kl-sign", "noise-kl-of-deviation"),
)
def kl_differences(trial: NoiseTrial) -> Finding:
    """Exact, by quadrature: the prior is improper, and leaves a constant to choose."""
    d = trial.description
    first = _definition(_loaded(trial))
    kl = trial.guard.kl()
    trial.load(2.0)
    seen = kl - trial.guard.kl()
    right = float(np.sum(first) - d.units * _definition(np.array([2.0]))[0])
    bound = 256.0 * trial.guard.eps * d.units + 1e-10 + 2.0 * d.error * d.units
    wrong = not abs(seen - right) <= bound
    return exact(wrong, f"the divergence changes by {seen:.6g}; {right:.6g} is right", 2)


@of_noise(
    "kl-gradient",
    "The gradient of the divergence is the derivative of the integral that defines it, unit by unit.",
    needs=("kl_gradients",),
    kinds=("learned",),
    when=lambda d: d.error == 0.0,
    catches=("noise-kl-gradient-sign", "noise-kl-gradient-averaged"),
)
def kl_gradient(trial: NoiseTrial) -> Finding:
    """Exact, by quadrature and a complex step."""
    log_alpha = _loaded(trial)
    right = np.asarray([complex_step(lambda a: _definition(a[None])[0], value) for value in log_alpha])
    seen = trial.guard.kl_gradients()["log_alpha"]
    wrong = bool(np.any(np.abs(seen - right) > 256.0 * trial.guard.eps + 1e-9))
    return exact(wrong, f"the gradient of the divergence {'is not' if wrong else 'is'} that of its definition", 1)


@of_noise(
    "replay",
    "Given its noise, the output is `x (1 + sqrt(alpha) zeta)`.",
    needs=("sample_with_noise",),
    kinds=("learned",),
    catches=(
        "noise-missing",
        "noise-alpha-as-deviation",
        "noise-alpha-averaged",
        "noise-log-alpha-as-alpha",
        "noise-mean-zero",
        "noise-factor-clipped",
        "noise-additive",
    ),
)
def replay(trial: NoiseTrial) -> Finding:
    """Exact."""
    deviation = np.sqrt(trial.load())
    x = trial.x()
    zeta = trial.normals(*x.shape)
    factor = 1.0 + deviation.reshape(-1, *(1,) * (x.ndim - 2)) * zeta
    size = np.abs(x) * (1.0 + np.abs(factor))
    wrong = bool(np.any(np.abs(trial.guard.sample_with_noise(x, {"zeta": zeta}) - x * factor) > trial.rounding(size)))
    return exact(wrong, f"for given noise the output {'is another' if wrong else 'is right'}", 1)


@of_noise(
    "extremes",
    "At a very small alpha the output is the input, and at a very large one it is finite.",
    kinds=("learned",),
    catches=("noise-mean-zero", "noise-log-alpha-as-alpha"),
)
def extremes(trial: NoiseTrial) -> Finding:
    """Exact."""
    trial.load(-80.0)
    x = trial.x()
    if not np.all(np.abs(trial.guard.sample(x, finite=False) - x) <= trial.rounding(x)):
        return exact(True, "at log alpha = -80 the output is not the input", 1)
    trial.load(60.0)
    wrong = not np.all(np.isfinite(trial.guard.sample(x, finite=False)))
    return exact(wrong, f"at log alpha = 60 the output is {'not ' if wrong else ''}finite", 2)


CLAIMS = (gradient_input, gradient_alpha, kl_differences, kl_gradient, replay, extremes)
