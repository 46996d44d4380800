"""Where attention breaks: scores far out, scales far out, batches of nothing, seeds."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.divergence import moderately, narrow, wide
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import TINY
from bayesnoise_reference.families.attention import AttentionTrial, of_attention

CAUSES = {"attention-softmax-overflows": "the exponentials of the softmax are taken of the scores as they are"}
_WIDE = 1e4  # a product of two, of which scores are made, is a number in any dtype


@of_attention(
    "scores-far-out",
    "Where one score is by far the greatest, a position has the value that it belongs to.",
    catches=("attention-softmax-overflows",),
)
def scores_far_out(trial: AttentionTrial) -> Finding:
    """Exact: with queries and keys of one-hot vectors times 100, the last position sees itself alone."""
    d, hot, identity = trial.description, trial.one_hot(), np.eye(trial.description.features)
    trial.load({"query": 100.0 * hot, "key": 100.0 * hot, "value": hot, "output": identity}, {"key": TINY})
    y = trial.guard.sample(trial.places(2), finite=False)[:, -1]
    wrong = not np.max(np.abs(y - hot[d.each - 1])) <= trial.rounding
    return exact(wrong, f"where scores are far apart the output {'is not' if wrong else 'is'} the greatest's value", 1)


@of_attention(
    "scale-far-out",
    "Under very wide scales outputs are finite, and under very narrow ones those of the mean weights.",
    catches=("softplus-overflows", "attention-softmax-overflows", "scale-softplus-missing"),
)
def scale_far_out(trial: AttentionTrial) -> Finding:
    """Exact: no number overflows on the way to one that does not."""
    d, x = trial.description.weights, trial.rows(2, 3)
    levels = (moderately(d, wide(d)), wide(d)) if d.scale == "softplus" else (np.log(_WIDE),)
    for level in levels:
        trial.load_raw(float(level))
        if not np.all(np.isfinite(trial.guard.sample(x, finite=False))):
            return exact(True, f"at stored scales of {level:g} the output has NaN or infinity; it has finite values", 1)
    held = trial.load_raw(narrow(d))
    right = trial.output(x, held.mean, held.bias)
    off = float(np.max(np.abs(trial.guard.sample(x, finite=False) - right)))
    wrong = not off <= trial.rounding * (1.0 + np.max(np.abs(right)))
    return exact(wrong, f"under very narrow scales the output is off that of the means by {off:.3g} at most", 1)


def _ready(trial: AttentionTrial) -> Array:
    trial.random()
    return trial.rows(2, 3)


CLAIMS = (*claims_on_calls(of_attention, _ready), scores_far_out, scale_far_out)
