"""What attention computes with its mean weights and with given noise, its gradients, and its divergence: exactly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.guard import AdapterError
from bayesnoise_reference.claims.claim import Finding, claim
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.claims.weight_trial import TINY
from bayesnoise_reference.families.attention import PROJECTIONS, AttentionTrial, Held
from bayesnoise_reference.families.attention_law import FAMILY, KINDS
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "attention-scores-not-scaled": "scores are not divided by the root of the features of a head",
    "attention-scores-scaled-by-features": "scores are divided by the root of all features, not of those of a head",
    "attention-heads-interleaved": "the features of a head are every so many, not next to each other",
    "attention-softmax-over-queries": "the softmax goes over the positions that look, not over those that are seen",
    "attention-not-causal": "positions see later ones",
    "attention-causal-too-strict": "positions do not see themselves",
    "attention-output-bias-missing": "the bias of the output is not added",
    "attention-gradient-through-values-alone": "no gradient passes through the softmax",
    "attention-kl-no-output": "the KL leaves out the projection of the output",
}
WRONG_OUTPUT = (
    "attention-scores-not-scaled",
    "attention-scores-scaled-by-features",
    "attention-heads-interleaved",
    "attention-softmax-over-queries",
    "attention-not-causal",
    "attention-causal-too-strict",
    "attention-output-bias-missing",
    "mean-shrunk",
)


def _off(trial: AttentionTrial, seen: Array, right: Array, where: str) -> Finding:
    worst = float(np.max(np.abs(seen - right), initial=0.0))
    wrong = not worst <= trial.rounding * (1.0 + np.max(np.abs(right)))
    return exact(wrong, f"{where} the output is {worst:.3g} away from the definition at most", 1)


@claim(
    "scale-zero",
    "With all scales zero the output is that of the mean weights.",
    catches=(*WRONG_OUTPUT, "signs-on-the-whole-weight", "scale-softplus-missing"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def scale_zero(trial: AttentionTrial) -> Finding:
    """Exact."""
    held, x = trial.random(TINY), trial.rows(3, 4)
    return _off(trial, trial.guard.sample(x), trial.output(x, held.mean, held.bias), "with all scales zero")


@claim(
    "evaluation",
    "In evaluation the output is that of the mean weights.",
    needs=("evaluate",),
    catches=(*WRONG_OUTPUT, "evaluation-noisy"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def evaluation(trial: AttentionTrial) -> Finding:
    """Exact, with wide scales."""
    held, x = trial.random(), trial.rows(2, 3)
    return _off(trial, trial.guard.evaluate(x), trial.output(x, held.mean, held.bias), "in evaluation")


@claim(
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
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
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
    noise = {k: np.asarray(v.astype(trial.guard.dtype), dtype=np.float64) for k, v in noise.items()}
    for name in PROJECTIONS:
        ones = np.ones((n, d.features))
        signs = zip(noise.get(f"{name}_sign_in", ones), noise.get(f"{name}_sign_out", ones), strict=True)
        own[name] = np.stack(
            [held.mean[name] + held.scale[name] * noise[f"{name}_eps"] * np.outer(r, s) for r, s in signs]
        )
    return _off(trial, trial.guard.sample_with_noise(x, noise), trial.output(x, own, held.bias), "for given noise")


def _moved(loss: Callable[[dict[str, Any]], Any], arrays: dict[str, Array], name: str, value: Array) -> Any:
    return loss(arrays | {name: value})


@claim(
    "gradients-without-noise",
    "With all scales zero gradients are those of attention with the mean weights.",
    needs=("sample", "gradients"),
    catches=("attention-gradient-through-values-alone", "gradient-mean-averaged"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def gradients_without_noise(trial: AttentionTrial) -> Finding:
    """Exact: the derivative of the definition by complex step, of every mean."""
    held, x = trial.random(TINY), trial.rows(2, 3)
    g = trial.rows(*x.shape[:2])
    found = trial.guard.gradients(x, g)

    def loss(arrays: dict[str, Any]) -> Any:
        return np.sum(g * trial.output(x, arrays, held.bias))

    off = {}
    for name, value in held.mean.items():
        right = complex_step(partial(_moved, loss, held.mean, name), value)
        off[name] = float(np.max(np.abs(found[f"{name}_mean"] - right)) / max(float(np.max(np.abs(right))), 1e-3))
    name = max(off, key=lambda k: off[k])
    wrong = not off[name] <= 64.0 * trial.rounding
    return exact(wrong, f"the gradient of {name}_mean is {off[name]:.3g} of its size away from the derivative", 1)


@claim(
    "scale-gradient",
    "The gradient of a scale is that of its mean times the draw.",
    needs=("sample", "gradients"),
    catches=("gradient-scale-without-chain", "gradient-scale-zero", "gradient-noise-redrawn"),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def scale_gradient(trial: AttentionTrial) -> Finding:
    """Exact, for one example, with the draw of values and of outputs read off that very call."""
    worst = 0.0
    for name in ("value", "output"):
        shape = (trial.description.features,) * 2
        held, x = trial.reading(name, np.zeros(shape), trial.rng.uniform(0.2, 0.8, shape))
        g = trial.rows(*x.shape[:2])
        found = trial.guard.gradients(x, g)
        if "y" not in found:
            return not_run("gradients give no output of their draw")
        row = int(np.argmax(x[0, 0]))
        right = found[f"{name}_mean"][row] * trial.draws(name, held, x, found["y"])[0] * held.slope[name][row]
        worst = max(worst, float(np.max(np.abs(found[f"{name}_rho"][row] - right)) / np.max(np.abs(right))))
    wrong = not worst <= 1e4 * trial.guard.eps
    return exact(wrong, f"the gradient of a scale is {worst:.3g} of its size away from that of the draw", 2)


def _kl(held: Held, prior: float) -> Any:
    return sum(divergences.gaussian(held.mean[k], held.scale[k], 0.0, prior) for k in PROJECTIONS)


@claim(
    "kl",
    "The KL is the sum over the weights of all four projections.",
    needs=("kl",),
    catches=("attention-kl-no-output", "kl-mean", "kl-sign", "kl-reversed", "kl-no-half", "kl-prior-variance-as-scale"),
    families=FAMILY,
    estimators=KINDS,
    when=lambda d: d.prior is not None,
    trial=AttentionTrial,
)
def kl(trial: AttentionTrial) -> Finding:
    """Exact: quadrature of the definition."""
    held, prior = trial.random(), trial.description.prior
    assert prior is not None
    seen, right = trial.guard.kl(), float(np.real(_kl(held, prior)))
    wrong = not abs(seen - right) <= 256.0 * trial.guard.eps * abs(right)
    return exact(wrong, f"the KL is {seen:.6g}; {right:.6g} is {'right' if wrong else 'expected'}", 1)


@claim(
    "zero-batch",
    "A batch without examples gives an output of none.",
    catches=("empty-batch-fails",),
    families=FAMILY,
    estimators=KINDS,
    trial=AttentionTrial,
)
def zero_batch(trial: AttentionTrial) -> Finding:
    """Exact."""
    trial.random()
    trial.guard.sample(np.zeros((1, 2, trial.description.features)))
    try:
        trial.guard.sample(np.zeros((0, 2, trial.description.features)))
    except AdapterError as wrong:
        if wrong.kind == "hangs":
            raise
        return exact(True, f"for a batch of 0 examples, {wrong.sentence}", 1)
    return exact(False, "a batch of 0 examples gives an output of 0 examples", 1)


CLAIMS = (scale_zero, evaluation, replay, gradients_without_noise, scale_gradient, kl, zero_batch)
