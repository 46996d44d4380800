"""Where implementations break: scales far out, inputs of zeros, batches of nothing."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference.claims import calls, designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.divergence import moderately, narrow, wide
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import TINY, Loaded, WeightTrial


def _hold(trial: WeightTrial, level: float) -> Loaded:
    d = trial.description
    mean, bias = trial.rng.standard_normal(d.weight_shape), trial.rng.standard_normal(d.outputs)
    return trial.load_raw(mean, np.full(d.weight_shape, level), bias, np.full(d.outputs, level))


@of_weights(
    "extreme-wide",
    "An output under very wide scales is finite.",
    catches=("scale-exp-for-softplus", "softplus-overflows"),
)
def extreme_wide(trial: WeightTrial) -> Finding:
    """Exact: no number overflows on the way to one that does not."""
    d = trial.description
    for level in (moderately(d, wide(d)), wide(d)):
        _hold(trial, level)
        y = trial.guard.sample(trial.rows(3), finite=False)
        if not np.all(np.isfinite(y)):
            return exact(True, f"at stored scales of {level:g} the output has NaN or infinity; it has finite values", 1)
    return exact(False, "outputs under very wide scales are finite", 2)


@of_weights(
    "extreme-narrow",
    "An output under very narrow scales is that of the mean weights.",
    catches=(
        "scale-softplus-missing",
        "mean-shrunk",
        "bias-missing",
        "mean-noised",
        "signs-on-the-whole-weight",
        "variance-floor",
        "scale-floor",
    ),
)
def extreme_narrow(trial: WeightTrial) -> Finding:
    """Exact."""
    d = trial.description
    for level in (moderately(d, narrow(d)), narrow(d)):
        held, x = _hold(trial, level), trial.rows(3)
        error = np.abs(trial.guard.sample(x, finite=False) - trial.mean_output(x, held))
        if not np.all(error <= trial.rounding(x, held, 9.0)):
            return exact(True, f"at stored scales of {level:g} the output is not that of the mean weights", 1)
    return exact(False, "outputs under very narrow scales are those of the mean weights", 2)


@of_weights(
    "extreme-gradients",
    "Gradients at extreme scales are finite.",
    needs=("sample", "gradients"),
    catches=("scale-exp-for-softplus", "softplus-overflows", "gradient-root-at-zero"),
)
def extreme_gradients(trial: WeightTrial) -> Finding:
    """Exact, both ways."""
    d = trial.description
    levels = {moderately(d, wide(d)), wide(d), moderately(d, narrow(d)), narrow(d)}
    for level in sorted(levels):
        held, x = _hold(trial, level), trial.rows(3)
        found = trial.guard.gradients(x, np.ones_like(trial.mean_output(x, held)), finite=False)
        for name, grad in found.items():
            if not np.all(np.isfinite(grad)):
                return exact(True, f"at stored scales of {level:g} the gradient of {name} has NaN or infinity", 1)
    return exact(False, "gradients at extreme scales are finite", len(levels))


@of_weights(
    "zero-row",
    "An input of zeros gives the bias, beside other examples too.",
    catches=("scale-softplus-missing", "bias-missing", "variance-floor"),
)
def zero_row(trial: WeightTrial) -> Finding:
    """Exact: a dead layer below is no reason for NaN, nor for noise."""
    held, x = trial.load(bias_scale=TINY), trial.rows(3)
    x[1] = 0.0
    y = trial.guard.sample(x, finite=False)[1]
    wrong = not np.all(np.abs(y - trial.mean_output(x, held)[1]) <= trial.rounding(x, held)[1])
    return exact(wrong, f"an input of zeros gives {'something else than' if wrong else 'exactly'} the bias", 1)


@of_weights(
    "zero-row-gradients",
    "An input of zeros gives weights a gradient of zero.",
    needs=("sample", "gradients"),
    catches=("gradient-root-at-zero",),
)
def zero_row_gradients(trial: WeightTrial) -> Finding:
    """Exact: the square root of a variance of zero must not make 0 * inf."""
    held = trial.without_bias()
    x = np.zeros(designs.input_shape(trial.description, 2))
    found = trial.guard.gradients(x, np.ones_like(trial.mean_output(x, held)), finite=False)
    for name in ("mean", "rho"):
        if not np.all(found[name] == 0.0):
            kind = (
                "NaN or infinity"
                if not np.all(np.isfinite(found[name]))
                else f"up to {np.max(np.abs(found[name])):.3g}"
            )
            return exact(True, f"an input of zeros gives {name} a gradient of {kind}; 0 is right", 1)
    return exact(False, "an input of zeros gives the weights a gradient of zero", 1)


@of_weights(
    "zero-batch",
    "A batch without examples gives an output without examples.",
    catches=("empty-batch-fails",),
)
def zero_batch(trial: WeightTrial) -> Finding:
    """Exact: the last batch of a shard may be empty. A layer that takes no batch at all says nothing of this one."""
    trial.load()
    return calls.empty(trial, np.zeros(designs.input_shape(trial.description, 1)))


@of_weights(
    "one-example",
    "A batch of one example works, and has noise.",
    catches=("no-noise",),
)
def one_example(trial: WeightTrial) -> Finding:
    """Exact: two calls on one example differ, and neither is that of the mean weights."""
    held, x = trial.load(), trial.rows(1)
    a, b, still = trial.guard.sample(x), trial.guard.sample(x), trial.mean_output(x, held)
    # Continuous draws coincide with probability zero.
    wrong = bool(np.array_equal(a, b) or np.all(np.abs(a - still) <= trial.rounding(x, held)))
    return exact(wrong, f"two calls on one example {'do not differ' if wrong else 'differ'}; they should", 2)


CLAIMS = (extreme_wide, extreme_narrow, extreme_gradients, zero_row, zero_row_gradients, zero_batch, one_example)
