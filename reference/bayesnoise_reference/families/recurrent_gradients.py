"""Gradients through time, the divergence, and what is saved of a recurrent layer."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families._comparison import gradients_compared
from bayesnoise_reference.families._wrong_cells import WRONG_SCALE, WRONG_STATE, WRONG_STEP
from bayesnoise_reference.families.recurrent import Held, SequenceTrial, of_recurrent
from bayesnoise_reference.numerics import complex_step

CAUSES = {
    "recurrent-gradient-truncated": "gradients do not pass from a step to the one before",
    "recurrent-gradient-last-step": "the gradient of the weights is that of the last step alone",
    "recurrent-kl-no-hidden": "the KL leaves out the weights of the state",
    "recurrent-kl-one-gate": "the KL counts the weights of one gate alone",
}
_STATELESS = 2  # the gate, g or n, under which a state stays 0 until something comes in


@of_recurrent(
    "gradients-without-noise",
    "With all scales zero gradients are those of the cell with the mean weights.",
    needs=("sample", "gradients"),
    catches=(
        "recurrent-gradient-truncated",
        "recurrent-gradient-last-step",
        "gradient-mean-averaged",
        *WRONG_STEP,
        "scale-softplus-missing",
        "signs-on-the-whole-weight",
        "mean-shrunk",
    ),
)
def gradients_without_noise(trial: SequenceTrial) -> Finding:
    """Exact: the derivative of the definition by every mean, every bias and the input, along a direction each."""
    held, x = trial.load(trial.random()), trial.rows(2, 3)
    g = trial.normals(2, 3, trial.description.units)
    own = {name: f"{name}_mean" if name in held.stored else name for name in held.mean}

    def loss(at: dict[str, Array]) -> Any:
        return np.sum(g * trial.states(at["x"], {name: at[key] for name, key in own.items()}))

    found = trial.guard.gradients(x, g)
    at = {key: held.mean[name] for name, key in own.items()} | {"x": x}
    names = tuple(key for key in at if key in found)
    return gradients_compared(trial, found, at, loss, "with all scales zero the gradient", names)


def _by_mean(scale: Any, prior: float, mean: Any) -> Any:
    return divergences.gaussian(mean, scale, 0.0, prior)


def _by_scale(mean: Any, prior: float, scale: Any) -> Any:
    return divergences.gaussian(mean, scale, 0.0, prior)


def _identity(trial: SequenceTrial, what: str) -> Finding | None:
    """For one sequence `dL/drho = dL/dmean * draw * dscale/drho`, with the draw read off the states of that call."""
    d, gate = trial.description, trial.description.gates[_STATELESS]
    at, steps = trial.columns(gate), min(d.inputs, 4)
    shape = (d.inputs if what == "input" else d.units, d.units)
    scale = trial.rng.uniform(0.2, 0.5, shape) if what == "input" else np.diag(trial.rng.uniform(0.2, 0.5, d.units))
    means = trial.reading(gate) | (trial.kick(gate) if what == "hidden" else {})
    held = trial.load(means, {what: trial.only(gate, scale)})
    x = trial.kicks(1, 2)
    if what == "input":
        x = np.zeros((1, steps + 1, d.inputs))
        x[0, 1:, :steps] = np.eye(steps)
    g = trial.normals(1, x.shape[1], d.units)
    found = trial.guard.gradients(x, g)
    if "y" not in found:
        return None
    a = trial.decode(gate, found["y"])[0]
    if what == "input":
        draw = (a - held.mean["input"][:steps, at]) / held.scale["input"][:steps, at]
        rows: Any = (slice(0, steps), at)
    else:
        draw = a[0] / found["y"][0, 0] / np.diagonal(held.scale["hidden"][:, at])
        rows = (np.arange(d.units), np.arange(at.start, at.stop))
    right = found[f"{what}_mean"][rows] * draw * trial.slope(held, what)[rows]
    seen = found[f"{what}_rho"][rows]
    off = float(np.max(np.abs(seen - right)) / max(float(np.max(np.abs(right))), 1e-3))
    wrong = not off <= 1e5 * trial.guard.eps
    return exact(wrong, f"the gradient of {what}_rho is {off:.3g} of its size away from that of the draw", 1)


@of_recurrent(
    "input-scale-gradient",
    "The gradient of a scale of the input's weights is that of their mean times the draw.",
    needs=("sample", "gradients"),
    catches=(
        "gradient-scale-without-chain",
        "gradient-scale-zero",
        "gradient-noise-redrawn",
        *WRONG_SCALE,
        *WRONG_STATE,
        "recurrent-input-without-noise",
        "recurrent-input-eps-per-step",
        "recurrent-signs-per-step",
    ),
)
def input_scale_gradient(trial: SequenceTrial) -> Finding:
    """Exact, for the draw of that very call."""
    return _identity(trial, "input") or not_run("gradients give no output of their draw")


@of_recurrent(
    "hidden-scale-gradient",
    "The gradient of a scale of the state's weights is that of their mean times the draw.",
    needs=("sample", "gradients"),
    catches=(
        "gradient-scale-without-chain",
        "gradient-scale-zero",
        "gradient-noise-redrawn",
        *WRONG_SCALE,
        "recurrent-hidden-without-noise",
        "recurrent-first-input-again",
        "lstm-forget-missing",
        "lstm-no-tanh-at-output",
        "gru-update-reversed",
        "recurrent-hidden-eps-per-step",
        "recurrent-signs-per-step",
    ),
)
def hidden_scale_gradient(trial: SequenceTrial) -> Finding:
    """Exact, for the draw of that very call."""
    return _identity(trial, "hidden") or not_run("gradients give no output of their draw")


def _kl(held: Held, prior: float) -> float:
    """The sum, of each pair of a mean and a scale once, times how often it is there."""
    total = 0.0
    for name in held.stored:
        pairs = np.stack([held.mean[name].ravel(), held.scale[name].ravel()])
        (means, scales), counts = np.unique(pairs, axis=1, return_counts=True)
        total += sum(
            count * float(divergences.gaussian(m, s, 0.0, prior))
            for m, s, count in zip(means, scales, counts, strict=True)
        )
    return total


@of_recurrent(
    "kl",
    "The KL is the sum over all random parameters, of the input and of the state.",
    needs=("kl",),
    when=lambda d: d.prior is not None,
    catches=(
        "recurrent-kl-no-hidden",
        "recurrent-kl-one-gate",
        "kl-mean",
        "kl-reversed",
        "kl-sign",
        "kl-no-half",
        "kl-prior-variance-as-scale",
        "kl-no-bias",
    ),
)
def kl(trial: SequenceTrial) -> Finding:
    """Exact: quadrature of the definition, of 64 pairs of a mean and a scale, of which every parameter has one."""
    d, mean, scale = trial.description, {}, {}
    for name, shape in trial.shapes().items():
        pair = trial.rng.integers(64, size=shape)
        mean[name] = 0.5 * trial.rng.standard_normal(64)[pair]
        scale[name] = trial.rng.uniform(0.2, 0.6, 64)[pair]
    held = trial.load(mean, scale)
    assert d.prior is not None
    seen, right = trial.guard.kl(), _kl(held, d.prior)
    wrong = not abs(seen - right) <= 256.0 * trial.guard.eps * abs(right)
    return exact(wrong, f"the KL is {seen:.6g}; {right:.6g} is {'right' if wrong else 'expected'}", 1)


@of_recurrent(
    "kl-gradients",
    "The gradient of the KL is its derivative by every mean and every stored scale.",
    needs=("kl_gradients",),
    when=lambda d: d.prior is not None,
    catches=("recurrent-kl-no-hidden", "recurrent-kl-one-gate", "kl-mean", "kl-sign", "kl-no-bias"),
)
def kl_gradients(trial: SequenceTrial) -> Finding:
    """Exact: complex step through the quadrature, of one parameter of every gate in each array."""
    held, d = trial.load(trial.random(), trial.scales()), trial.description
    assert d.prior is not None
    prior, found, seen, right = d.prior, trial.guard.kl_gradients(), [], []
    for name, shape in trial.shapes().items():
        if name not in held.stored:
            continue
        slopes = trial.slope(held, name)
        for gate in d.gates:
            at = (*(trial.rng.integers(n) for n in shape[:-1]), trial.rng.integers(d.units) + gate.place * d.units)
            m, s = held.mean[name][at], held.scale[name][at]
            right.append(complex_step(partial(_by_mean, s, prior), m))
            right.append(complex_step(partial(_by_scale, m, prior), s) * slopes[at])
            seen += [found[f"{name}_mean"][at], found[f"{name}_rho"][at]]
    off = float(np.max(np.abs(np.array(seen) - np.array(right))))
    wrong = not off <= 256.0 * trial.guard.eps * float(np.max(np.abs(right)))
    return exact(wrong, f"the gradient of the KL is off its derivative by {off:.3g} at most", len(right))


@of_recurrent(
    "restored",
    "What is saved and read back has the means and the scales of before.",
    needs=("evaluate", "kl", "save", "restore"),
    when=lambda d: d.prior is not None,
    catches=("restore-forgets-scale",),
)
def restored(trial: SequenceTrial) -> Finding:
    """Exact: the means show in evaluation, the scales in the KL."""
    trial.load(trial.random(), trial.scales())
    x = trial.rows(2, 3)
    before, kept = (trial.guard.evaluate(x), trial.guard.kl()), trial.guard.save()
    trial.load(trial.random(), trial.scales())
    trial.guard.restore(kept)
    after = trial.guard.evaluate(x), trial.guard.kl()
    wrong = not (np.array_equal(before[0], after[0]) and before[1] == after[1])
    return exact(wrong, f"a layer that was saved and read back is {'another' if wrong else 'the same'}", 2)


CLAIMS = (gradients_without_noise, input_scale_gradient, hidden_scale_gradient, kl, kl_gradients, restored)
