"""The gradient of the KL to a Gaussian prior: `(mean - m0) / s0^2`, and `(scale / s0^2 - 1 / scale) dscale/drho`."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.divergence import has_kl
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial, sigma, slope


def _expected(trial: WeightTrial, held: Loaded) -> dict[str, tuple[Array, Array]]:
    """Every gradient, and the size of what is added up in it."""
    d, found = trial.description, {}
    parts = {"": (held.mean, held.rho)} | ({"bias_": (held.bias, held.bias_rho)} if d.bias == "random" else {})
    for of, (mean, rho) in parts.items():
        square, scale, chain = d.prior_scale**2, sigma(d, rho), np.abs(slope(d, rho))
        found[f"{of}mean"] = (mean - d.prior_mean) / square, (np.abs(mean) + abs(d.prior_mean)) / square
        found[f"{of}rho"] = (scale / square - 1.0 / scale) * slope(d, rho), (scale / square + 1.0 / scale) * chain
    return found


@of_weights(
    "kl-gradient",
    "The gradient of the KL is that of the closed form, for every random parameter.",
    needs=("kl", "kl_gradients"),
    when=has_kl,
    catches=(
        "kl-gradient-missing",
        "kl-gradient-scale-missing",
        "kl-gradient-without-chain",
        "kl-gradient-averaged",
        "kl-mean",
        "kl-no-bias",
        "kl-prior-mean-ignored",
        "kl-prior-variance-as-scale",
        "prior-aliases-posterior",
        "prior-follows-posterior",
    ),
)
def kl_gradient(trial: WeightTrial) -> Finding:
    """Exact, at random means and scales."""
    expected, seen = _expected(trial, trial.load()), trial.guard.kl_gradients()
    for name, (right, size) in expected.items():
        off = np.abs(seen[name] - right) - 64.0 * trial.guard.eps * size
        if np.any(off > 0.0):
            at = int(np.argmax(off))
            sentence = f"the gradient of the KL by {name} is {seen[name].flat[at]:.6g} where {right.flat[at]:.6g}"
            return exact(True, f"{sentence} is right", 1)
    return exact(False, "the gradient of the KL is exact", 1)


CLAIMS = (kl_gradient,)
