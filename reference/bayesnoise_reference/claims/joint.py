"""What one draw has to do with another: across calls, weights, examples and positions.

Two draws that differ in sign alone are uncorrelated, so each claim looks at values and at sizes: both are standard
normal pairs, independent under the claim, and their correlation has an exact law.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact, judged, least_likely, size
from bayesnoise_reference.claims.pictured import sides
from bayesnoise_reference.claims.weight_trial import WeightTrial


def _unrelated(trial: WeightTrial, a: Array, b: Array, what: str) -> Finding:
    """Values and sizes both: twice the smaller p, which is Bonferroni's over the two."""
    a, b = a.ravel(), b.ravel()
    by_value = statistics.correlation(a, b, alpha=trial.alpha / 2.0)
    by_size = statistics.correlation(size(a), size(b), alpha=trial.alpha / 2.0)
    verdict, of_sizes = least_likely((by_value, by_size))
    picture = sides(size(a), size(b)) if of_sizes else sides(a, b)
    r, s = (float(np.corrcoef(u, v)[0, 1]) if np.std(u) and np.std(v) else 1.0 for u, v in ((a, b), (size(a), size(b))))
    return judged(verdict, f"{what} have correlation {r:+.3f}, and their sizes {s:+.3f}; 0 is right", picture)


@of_weights(
    "calls-independent",
    "Two successive calls share no noise.",
    catches=(
        "eps-across-calls",
        "rademacher-noise",
        "no-noise",
        "output-transposed-noise",
        "signs-on-the-whole-weight",
    ),
)
def calls_independent(trial: WeightTrial) -> Finding:
    """The same weight in successive calls."""
    held = trial.without_bias()
    z = trial.read(designs.reading(trial.description, trial.rng), held, 2 * ((trial.calls + 1) // 2))
    return _unrelated(trial, z[::2], z[1::2], "a weight in two successive calls")


def _neighbours(d: Description, seen: designs.Reading, axis: int) -> tuple[list[int], list[int]]:
    """Pairs of elements of a reading, whose weights differ by one step in one axis: each is in one pair at most."""
    where = {tuple(c): m for m, c in enumerate(np.stack(np.unravel_index(seen.weight, d.weight_shape), axis=1))}
    first, second = [], []
    for place, m in where.items():
        other = (*place[:axis], place[axis] + 1, *place[axis + 1 :])
        if place[axis] % 2 == 0 and other in where:
            first.append(m)
            second.append(where[other])
    return first, second


def _across(trial: WeightTrial, axis: int, what: str) -> Finding:
    d = trial.description
    seen = designs.reading(d)  # the first inputs, not random ones: they have neighbours
    a, b = _neighbours(d, seen, axis)
    z = trial.read(seen, trial.without_bias())
    return _unrelated(trial, z[:, a], z[:, b], what)


def _output_axis(d: Description) -> int:
    return 1 if d.family == "dense" else 0


@of_weights(
    "outputs-independent",
    "Weights to neighbouring outputs share no noise.",
    when=lambda d: d.outputs > 1,
    catches=(
        "no-noise",
        "eps-shared-across-outputs",
        "signs-zero-one",
        "zeta-shared-across-outputs",
    ),
)
def outputs_independent(trial: WeightTrial) -> Finding:
    """The same input, neighbouring outputs."""
    return _across(trial, _output_axis(trial.description), "weights to neighbouring outputs")


@of_weights(
    "inputs-independent",
    "Weights from neighbouring inputs share no noise.",
    when=lambda d: d.inputs // d.groups > 1,
    catches=("no-noise", "eps-shared-across-inputs", "zeta-shared-across-batch"),
)
def inputs_independent(trial: WeightTrial) -> Finding:
    """The same output, neighbouring inputs."""
    return _across(trial, 1 - _output_axis(trial.description), "weights from neighbouring inputs")


@of_weights(
    "one-draw-a-call",
    "All examples of a call see one draw of the weights.",
    kinds=("shared",),
    catches=("scale-softplus-missing", "noise-per-example"),
)
def one_draw_a_call(trial: WeightTrial) -> Finding:
    """Exact: weights read off impulses in a call give the dense rows of that call."""
    d, worst = trial.description, 0.0
    held = trial.without_bias(mean=0.0)
    seen = designs.reading(d)
    for _ in range(4):
        x = designs.only_read(d, seen, trial.rows(3))
        y = trial.guard.sample(np.concatenate([seen.x, x]))
        w = np.zeros(int(np.prod(d.weight_shape)))
        w[seen.weight] = y[: len(seen.x)].ravel()[seen.at]
        error = np.abs(y[len(seen.x) :] - designs.apply(d, x, w.reshape(d.weight_shape)))
        worst = max(worst, float(np.max(error / trial.rounding(x, held, 6.0))))
    if worst <= 1.0:
        return exact(False, "the weights that impulses show are those that the other examples of the call see", 4)
    said = f"examples of one call see different weights: their outputs differ by {worst:.3g} roundings"
    return exact(True, f"{said}, {_other_estimator(trial, seen)}", 4)


def _other_estimator(trial: WeightTrial, seen: designs.Reading) -> str:
    """Under which estimator two equal examples differ as they do here: by a sign alone, or altogether."""
    a, b = np.abs(trial.guard.sample(designs.twice(seen.x)).reshape(2, -1)[:, seen.at])
    flipped = np.all(np.abs(a - b) <= 64 * trial.guard.eps * np.maximum(a, b))
    return f"as under the estimator {'flipout' if flipped else 'local'}, where this layer is described as shared"


@of_weights(
    "examples-independent",
    "Two equal examples of a call share no noise.",
    kinds=("local",),
    catches=(
        "rademacher-noise",
        "no-noise",
        "variance-as-scale",
        "variance-without-root",
        "zeta-shared-across-batch",
    ),
)
def examples_independent(trial: WeightTrial) -> Finding:
    """A reading twice in one call."""
    held = trial.without_bias()
    seen = designs.reading(trial.description, trial.rng, inputs=32)
    y = [trial.guard.sample(designs.twice(seen.x)) for _ in range(trial.calls)]
    z = np.stack([v.reshape(2, -1)[:, seen.at] - held.mean.ravel()[seen.weight] for v in y])
    z = z / held.scale.ravel()[seen.weight]
    return _unrelated(trial, z[:, 0], z[:, 1], "two equal examples")


def _positions(trial: WeightTrial, calls: int) -> Array:
    """(calls, out, positions): a constant input, at the positions that see no padding, the parameters as loaded."""
    d = trial.description
    x = np.ones(designs.input_shape(d, 1))
    return np.stack([trial.guard.sample(x)[0].reshape(d.outputs, -1)[:, designs.interior(d)] for _ in range(calls)])


@of_weights(
    "positions-agree",
    "Under a constant input all positions of an output are equal: one filter slides over them.",
    families=("convolution",),
    kinds=("shared", "flipout"),
    catches=("signs-per-position",),
)
def positions_agree(trial: WeightTrial) -> Finding:
    """Exact: the correlation between positions is 1."""
    trial.without_bias(mean=0.0)
    y = _positions(trial, min(trial.calls, 256))
    spread = float(np.max(np.ptp(y, axis=2) / (np.max(np.abs(y)))))
    flat = y.reshape(-1, y.shape[2])
    r = float(np.corrcoef(flat[:, 0], flat[:, -1])[0, 1]) if len(flat) > 2 else float("nan")
    wrong = spread > 64 * np.prod(trial.description.weight_shape[1:]) * trial.guard.eps
    sentence = f"under a constant input, two positions of one output have correlation {r:.3f}; 1 is right"
    return exact(bool(wrong), sentence, y.shape[0])


@of_weights(
    "positions-independent",
    "Two neighbouring positions of an output share no noise.",
    families=("convolution",),
    kinds=("local",),
    catches=(
        "eps-across-calls",
        "rademacher-noise",
        "no-noise",
        "scale-softplus-missing",
        "zeta-shared-across-positions",
    ),
)
def positions_independent(trial: WeightTrial) -> Finding:
    """A local estimator draws at every position: its joint law is not that of a weight, its marginal laws are."""
    d = trial.description
    held = trial.without_bias(mean=0.0)
    width = np.sqrt(trial.variance(np.ones(designs.input_shape(d, 1)), held))[0]
    z = _positions(trial, trial.calls) / width.reshape(d.outputs, -1)[:, designs.interior(d)]
    return _unrelated(trial, z[:, :, 0], z[:, :, 1], "two positions of one output")


CLAIMS = (
    calls_independent,
    outputs_independent,
    inputs_independent,
    one_draw_a_call,
    examples_independent,
    positions_agree,
    positions_independent,
)
