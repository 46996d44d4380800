"""Scales far from 1, where a floor or a ceiling shows that moderate scales hide."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import judged, least_likely
from bayesnoise_reference.claims.weight_trial import WeightTrial

_FAR = {"millionths": (2e-6, 1e-5), "tens": (30.0, 80.0)}  # log(1 + exp(rho)) is right at both, in float32 too


@of_weights(
    "scale-far-out",
    "Weights with scales of millionths, and those with scales of tens, have the squares of these as variance.",
    catches=(
        "no-noise",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "scale-softplus-missing",
        "scale-clipped",
        "scale-floor",
        "variance-floor",
        "variance-without-root",
        "output-transposed-noise",
        "signs-zero-one",
    ),
)
def scale_far_out(trial: WeightTrial) -> Finding:
    """Chi-square of weights with mean 0, read off impulses: the less likely of the two, times 2."""
    d, found = trial.description, []
    for name, (low, high) in _FAR.items():
        scale = np.exp(trial.rng.uniform(np.log(low), np.log(high), d.weight_shape))
        z = trial.read(designs.reading(d, trial.rng), trial.without_bias(mean=0.0, scale=scale)).ravel()
        verdict = statistics.normal_variance(z, 1.0, mean=0.0, alpha=trial.alpha / len(_FAR))
        found.append((verdict, name, z))
    verdict, at = least_likely([one for one, _, _ in found])
    _, name, z = found[at]
    said = f"weights with scales of {name} have {np.mean(z**2):.4g} times the variance that they should have"
    return judged(verdict, f"{said}; 1 is right", z)


CLAIMS = (scale_far_out,)
