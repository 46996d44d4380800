"""What attention computes with its mean weights and with given noise: exactly."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import TINY
from bayesnoise_reference.families.attention import PROJECTIONS, AttentionTrial, of_attention

CAUSES = {
    "attention-scores-not-scaled": "scores are not divided by the root of the features of a head",
    "attention-scores-scaled-by-features": "scores are divided by the root of all features, not of those of a head",
    "attention-heads-interleaved": "the features of a head are every so many, not next to each other",
    "attention-softmax-over-queries": "the softmax goes over the positions that look, not over those that are seen",
    "attention-not-causal": "positions see later ones",
    "attention-causal-too-strict": "positions do not see themselves",
    "attention-query-bias-missing": "the bias of the queries is not added",
    "attention-value-bias-missing": "the bias of the values is not added",
    "attention-output-bias-missing": "the bias of the output is not added",
}
WRONG_OUTPUT = (
    "attention-scores-not-scaled",
    "attention-scores-scaled-by-features",
    "attention-heads-interleaved",
    "attention-softmax-over-queries",
    "attention-not-causal",
    "attention-causal-too-strict",
    "attention-query-bias-missing",
    "attention-value-bias-missing",
    "attention-output-bias-missing",
    "mean-shrunk",
)


def _off(trial: AttentionTrial, seen: Array, right: Array, where: str) -> Finding:
    worst = float(np.max(np.abs(seen - right), initial=0.0))
    wrong = not worst <= trial.rounding * (1.0 + np.max(np.abs(right)))
    return exact(wrong, f"{where} the output is {worst:.3g} away from the definition at most", 1)


@of_attention(
    "scale-zero",
    "With all scales zero the output is that of the mean weights.",
    catches=(*WRONG_OUTPUT, "signs-on-the-whole-weight", "scale-softplus-missing"),
)
def scale_zero(trial: AttentionTrial) -> Finding:
    """Exact."""
    held, x = trial.random(TINY), trial.rows(3, 4)
    return _off(trial, trial.guard.sample(x), trial.output(x, held.mean, held.bias), "with all scales zero")


@of_attention(
    "evaluation",
    "In evaluation the output is that of the mean weights.",
    needs=("evaluate",),
    catches=(*WRONG_OUTPUT, "evaluation-noisy"),
)
def evaluation(trial: AttentionTrial) -> Finding:
    """Exact, with wide scales."""
    held, x = trial.random(), trial.rows(2, 3)
    return _off(trial, trial.guard.evaluate(x), trial.output(x, held.mean, held.bias), "in evaluation")


@of_attention(
    "replay",
    "For given noise each example has the output of the projections that the noise makes.",
    needs=("sample_with_noise",),
    catches=(
        *WRONG_OUTPUT,
        *(f"attention-{name}-without-noise" for name in PROJECTIONS),
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "signs-on-the-whole-weight",
    ),
)
def replay(trial: AttentionTrial) -> Finding:
    """Exact: every example's own four matrices."""
    d, rng, n = trial.description, trial.rng, 3
    held, x = trial.random(), trial.rows(n, 4)
    noise: dict[str, Array] = {}
    own: dict[str, Array] = {}
    for name in PROJECTIONS:
        noise[f"{name}_eps"] = rng.standard_normal((d.features, d.features))
        if d.estimator == "flipout":
            noise[f"{name}_sign_in"] = rng.choice([-1.0, 1.0], (n, d.features))
            noise[f"{name}_sign_out"] = rng.choice([-1.0, 1.0], (n, d.features))
    noise = {k: trial.rounded(v) for k, v in noise.items()}
    for name in PROJECTIONS:
        ones = np.ones((n, d.features))
        signs = zip(noise.get(f"{name}_sign_in", ones), noise.get(f"{name}_sign_out", ones), strict=True)
        own[name] = np.stack(
            [held.mean[name] + held.scale[name] * noise[f"{name}_eps"] * np.outer(r, s) for r, s in signs]
        )
    return _off(trial, trial.guard.sample_with_noise(x, noise), trial.output(x, own, held.bias), "for given noise")


CLAIMS = (scale_zero, evaluation, replay)
