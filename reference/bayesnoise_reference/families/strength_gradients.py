"""Gradients through noise of learned strength."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.strength import StrengthTrial, of_strength


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


@of_strength(
    "gradients",
    "The gradients are those of the draw: of the input, of the weights, and of what decides the noise.",
    needs=("gradients",),
    catches=(
        "strength-gradient-identity",
        "strength-gradient-redrawn",
        "strength-gradient-logit-missing",
        "strength-gradient-logit-of-mask",
        "strength-gradient-alpha-missing",
        "strength-gradient-alpha-range",
        "strength-gradient-alpha-of-input",
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


CLAIMS = (gradients,)
