"""The output for noise that is given: the definition, to rounding. No sampling error is left to hide in."""

from __future__ import annotations

from functools import partial

import numpy as np

from bayesnoise_reference import convolution, dense, flipout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.causes import WRONG_OUTPUT
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial


def noise_for(trial: WeightTrial, x: Array) -> dict[str, Array]:
    """Noise of the shapes that `sample_with_noise` takes."""
    d, rng, n = trial.description, trial.rng, x.shape[0]
    if d.estimator == "local":
        noise: dict[str, Array] = {
            "zeta": np.asarray(rng.standard_normal(designs.apply(d, x, np.zeros(d.weight_shape)).shape))
        }
    else:
        noise = {"eps": rng.standard_normal(d.weight_shape)}
    if d.estimator == "flipout":
        noise |= {
            "sign_in": rng.choice([-1.0, 1.0], (n, d.inputs)),
            "sign_out": rng.choice([-1.0, 1.0], (n, d.outputs)),
        }
    if d.bias == "random":
        noise["bias_eps"] = rng.standard_normal((d.outputs,) if d.estimator == "shared" else (n, d.outputs))
    return noise


def output(trial: WeightTrial, held: Loaded, x: Array, noise: dict[str, Array]) -> Array:
    """The output for that noise, by the definition of each method."""
    d = trial.description
    bias = held.bias + held.bias_scale * noise.get("bias_eps", np.zeros(d.outputs))
    bias = np.broadcast_to(bias, (x.shape[0], d.outputs)).reshape(-1, *designs.bias_shape(d))
    if d.estimator == "shared":
        return np.asarray(designs.apply(d, x, held.mean + held.scale * noise["eps"]) + bias)
    if d.estimator == "local":
        variance = designs.apply(d, x * x, held.scale**2)
        return np.asarray(designs.apply(d, x, held.mean) + np.sqrt(variance) * noise["zeta"] + bias)
    pattern = (
        dense.sign_pattern
        if d.family == "dense"
        else partial(convolution.sign_pattern, kernel=d.kernel, groups=d.groups)
    )
    signs = noise["sign_in"], noise["sign_out"]

    def contract(x_n: Array, w: Array) -> Array:
        return np.asarray(designs.apply(d, x_n[None], w)[0])

    return np.asarray(flipout.output(x, held.mean, held.scale, noise["eps"], *signs, contract, pattern) + bias)


@of_weights(
    "replay",
    "For given noise the output is that of the definition.",
    needs=("sample_with_noise",),
    catches=WRONG_OUTPUT,
)
def replay(trial: WeightTrial) -> Finding:
    """Exact: every element, to rounding."""
    worst = 0.0
    for _ in range(3):
        held, x = trial.load(), trial.rows(5)
        noise = noise_for(trial, x)
        noise = {k: trial.rounded(v) for k, v in noise.items()}
        error = np.abs(trial.guard.sample_with_noise(x, noise) - output(trial, held, x, noise))
        worst = max(worst, float(np.max(error / trial.rounding(x, held, 6.0))))
    if worst <= 1.0:
        return exact(False, "for given noise the output is that of the definition, to rounding", 3)
    return exact(True, f"for given noise the output is off the definition by {worst:.3g} roundings", 3)


CLAIMS = (replay,)
