"""Gradients through attention, with and without noise, and its divergence: exactly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.claims.weight_trial import TINY
from bayesnoise_reference.families.attention import PROJECTIONS, AttentionTrial, Held, of_attention
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "attention-gradient-through-values-alone": "no gradient passes through the softmax",
    "attention-gradient-input-of-values": "the gradient of the input leaves out its way through queries and keys",
    "attention-gradient-bias-of-last": "the gradient of a bias is that of the last position, not the sum over them",
    "attention-kl-no-output": "the KL leaves out the projection of the output",
}
WRONG_KL = ("attention-kl-no-output", "kl-mean", "kl-sign", "kl-reversed", "kl-prior-variance-as-scale")


def _moved(loss: Callable[[dict[str, Any]], Any], arrays: dict[str, Array], name: str, value: Array) -> Any:
    return loss(arrays | {name: value})


@of_attention(
    "gradients-without-noise",
    "With all scales zero gradients are those of attention with the mean weights.",
    needs=("sample", "gradients"),
    catches=(
        "attention-gradient-through-values-alone",
        "attention-gradient-input-of-values",
        "attention-gradient-bias-of-last",
        "gradient-mean-averaged",
    ),
)
def gradients_without_noise(trial: AttentionTrial) -> Finding:
    """Exact: the derivative of the definition by complex step, of every mean and bias, and of the input."""
    held, x = trial.random(TINY), trial.rows(2, 3)
    g = trial.rows(*x.shape[:2])
    found = trial.guard.gradients(x, g)
    arrays: dict[str, Array] = {"x": x}
    for k in PROJECTIONS:
        arrays |= {f"{k}_mean": held.mean[k], f"{k}_bias": held.bias[k]}

    def loss(at: dict[str, Any]) -> Any:
        weights, biases = ({k: at[f"{k}_{part}"] for k in PROJECTIONS} for part in ("mean", "bias"))
        return np.sum(g * trial.output(at["x"], weights, biases))

    off = {}
    for name, value in arrays.items():
        if name in found:
            right = complex_step(partial(_moved, loss, arrays, name), value)
            off[name] = float(np.max(np.abs(found[name] - right)) / max(float(np.max(np.abs(right))), 1.0))
    name = max(off, key=lambda k: off[k])
    wrong = not off[name] <= 64.0 * trial.rounding
    return exact(wrong, f"the gradient of {name} is {off[name]:.3g} of its size away from the derivative", 1)


@of_attention(
    "scale-gradient",
    "The gradient of a scale is that of its mean times the draw.",
    needs=("sample", "gradients"),
    catches=("gradient-scale-without-chain", "gradient-scale-zero", "gradient-noise-redrawn"),
)
def scale_gradient(trial: AttentionTrial) -> Finding:
    """Exact, for one example, with the draw of each projection read off that very call."""
    worst = 0.0
    for name in PROJECTIONS:
        shape = (trial.description.features,) * 2
        held, x = trial.reading(name, np.zeros(shape), trial.rng.uniform(0.2, 0.8, shape))
        found = trial.guard.gradients(x, trial.rows(*x.shape[:2]))
        if "y" not in found:
            return not_run("gradients give no output of their draw")
        at = trial.entries(name, x)
        right = found[f"{name}_mean"][at] * trial.draws(name, held, x, found["y"])[0] * held.slope[name][at]
        worst = max(worst, float(np.max(np.abs(found[f"{name}_rho"][at] - right)) / np.max(np.abs(right))))
    wrong = not worst <= 1e4 * trial.guard.eps
    return exact(wrong, f"the gradient of a scale is {worst:.3g} of its size away from that of the draw", 4)


def _kl(held: Held, prior: float) -> Any:
    return sum(divergences.gaussian(held.mean[k], held.scale[k], 0.0, prior) for k in PROJECTIONS)


@of_attention(
    "kl",
    "The KL is the sum over the weights of all four projections.",
    needs=("kl",),
    when=lambda d: d.prior is not None,
    catches=(*WRONG_KL, "kl-no-half"),
)
def kl(trial: AttentionTrial) -> Finding:
    """Exact: quadrature of the definition."""
    held, prior = trial.random(), trial.description.prior
    assert prior is not None
    seen, right = trial.guard.kl(), float(np.real(_kl(held, prior)))
    wrong = not abs(seen - right) <= 256.0 * trial.guard.eps * abs(right)
    return exact(wrong, f"the KL is {seen:.6g}; {right:.6g} is right", 1)


@of_attention(
    "kl-gradients",
    "The gradients of the KL are its derivatives, in all four projections.",
    needs=("kl_gradients",),
    when=lambda d: d.prior is not None,
    catches=(*WRONG_KL, "gradient-scale-without-chain"),
)
def kl_gradients(trial: AttentionTrial) -> Finding:
    """Exact: a complex step through the quadrature, of one weight of every row, and biases without a gradient."""
    held, prior, seen = trial.random(), trial.description.prior, trial.guard.kl_gradients()
    kl_of = partial(divergences.gaussian, prior_mean=0.0, prior_scale=prior)
    features = trial.description.features
    for k, row in ((k, row) for k in PROJECTIONS for row in range(features)):
        at = row, int(trial.rng.integers(features))
        mean, scale = held.mean[k][at], held.scale[k][at]
        by_mean = float(complex_step(partial(kl_of, scale=scale), mean))
        by_scale = float(complex_step(partial(kl_of, mean), scale))
        for name, right in ((f"{k}_mean", by_mean), (f"{k}_rho", by_scale * held.slope[k][at])):
            if not abs(seen[name][at] - right) <= 4096.0 * trial.guard.eps * (1.0 + abs(right)):
                said = f"the gradient of the KL by a {name} is {seen[name][at]:.6g}; {right:.6g} is right"
                return exact(True, said, 1)
    return exact(False, "the gradients of the KL are its derivatives", 4 * features)


CLAIMS = (gradients_without_noise, scale_gradient, kl, kl_gradients)
