"""All numbers of a draw together, wherever they stand: neighbours may be independent where others are copies.

A reading shows k standard normal numbers a call. If they are independent, `sum z / sqrt(k)` is standard normal and
`sum z^2` has the chi-square law of k degrees; and no two of them, followed through the calls, are alike. Copies double
the variances of the sums, numbers of opposite sign cancel in the first, and both are pairs that are alike.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr, chdtrc, ndtri

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs, pairs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.readings import variance_of
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial

ENOUGH = 512  # calls that show a doubled variance, with an error of 1e-8 and a miss of 1e-6
_SMALL = 1e-6  # the scale of a bias that is read beside weights, and does not blur them
_COPIES = ("noise-tiled-across-outputs", "noise-mirrored-across-outputs")
_SHARED = ("eps-shared-across-outputs", "eps-shared-across-inputs", "zeta-shared-across-outputs")
_ALONG = ("zeta-shared-across-positions", "zeta-shared-along-an-axis")  # an image
_STORED = ("scale-exp-for-softplus", "scale-softplus-missing")


def sum_of_squares(z: Array) -> Array:
    """Of every row `(..., k)`, as a standard normal number: the chi-square law through the normal one."""
    k, total = z.shape[-1], np.sum(z * z, axis=-1)
    below, above = np.maximum(chdtr(k, total), 1e-300), np.maximum(chdtrc(k, total), 1e-300)
    return np.asarray(np.where(total < k, ndtri(below), -ndtri(above)))


def _draws(trial: WeightTrial, calls: int) -> Array:
    """(calls, k): what a reading shows."""
    return trial.read(designs.reading(trial.description, trial.rng), trial.without_bias(), calls)


@of_weights(
    "draw-sum",
    "The sum over all weights that a call draws varies as one of independent numbers.",
    kinds=("shared", "local"),
    when=lambda d: np.prod(d.weight_shape) > 1,
    catches=("no-noise", *_COPIES, *_SHARED, *_ALONG, *_STORED, "zeta-shared-across-batch"),
)
def draw_sum(trial: WeightTrial) -> Finding:
    """Exact law, normal, one number a call: sees copies, and halves that cancel."""
    z = _draws(trial, max(trial.calls, ENOUGH))
    return variance_of(trial, np.sum(z, axis=1) / z.shape[1] ** 0.5, "the sum over the weights of a call")


@of_weights(
    "draw-squares",
    "The sum of squares over all weights that a call draws varies as one of independent numbers.",
    when=lambda d: np.prod(d.weight_shape) > 1,
    catches=(
        "no-noise",
        "uniform-noise",
        "rademacher-noise",
        *_COPIES,
        *_SHARED,
        *_ALONG,
        *_STORED,
        "zeta-shared-across-batch",
        "eps-kernel-symmetric",
        "output-transposed-noise",
        "scale-as-variance",
        "variance-as-scale",
        "variance-without-root",
        "signs-on-the-whole-weight",
        "signs-zero-one",
    ),
)
def draw_squares(trial: WeightTrial) -> Finding:
    """Exact law, chi-square, one number a call: sees copies whatever their signs."""
    score = sum_of_squares(_draws(trial, max(trial.calls, ENOUGH)))
    return variance_of(trial, score, "the sum of squares over the weights of a call")


@of_weights(
    "draw-pairs",
    "No two weights that a call draws are alike, wherever they stand.",
    when=lambda d: np.prod(d.weight_shape) > 1,
    catches=(
        "no-noise",
        "rademacher-noise",
        "eps-across-calls",
        *_COPIES,
        *_SHARED,
        *_ALONG,
        "zeta-shared-across-batch",
        "eps-kernel-symmetric",
    ),
)
def draw_pairs(trial: WeightTrial) -> Finding:
    """Exact law, Fisher's of a correlation, times the number of pairs."""
    d = trial.description
    seen = designs.reading(d, trial.rng)
    kept = pairs.some(trial.rng, len(seen.weight))
    seen = designs.Reading(seen.x, seen.at[kept], seen.weight[kept])
    pair = pairs.of_normals(trial.read(seen, trial.without_bias()), trial.alpha)
    a, b = (_place(d.weight_shape, int(seen.weight[m])) for m in (pair.first, pair.second))
    said = f"the weights most alike, {a} and {b}, or their sizes, have correlation {pair.alike:+.3f}; 0 is right"
    return judged(pair.verdict, said, pair.picture)


def _place(shape: tuple[int, ...], flat: int) -> str:
    return f"({', '.join(str(int(i)) for i in np.unravel_index(flat, shape))})"


def _bias_of(trial: WeightTrial, y: Array, held: Loaded) -> Array:
    """(out,): the standard normal numbers behind the bias of an example of zeros."""
    return np.asarray((y.reshape(trial.description.outputs, -1)[:, 0] - held.bias) / held.bias_scale)


@of_weights(
    "bias-pairs",
    "The noise of a bias is like that of no other output and of no weight.",
    when=lambda d: d.bias == "random",
    catches=(
        "no-noise",
        "eps-across-calls",
        "bias-missing",
        "bias-noise-missing",
        "bias-noise-tiled",
        "bias-noise-of-a-weight",
        "rademacher-noise",
        "scale-as-variance",
        "scale-softplus-missing",
        "variance-floor",
    ),
)
def bias_pairs(trial: WeightTrial) -> Finding:
    """Exact law, as for pairs of weights: impulses show these, an example of zeros the bias, in one call."""
    d = trial.description
    seen = designs.reading(d, trial.rng)
    kept = pairs.some(trial.rng, len(seen.weight), pairs.MOST // 2)
    at, weight = seen.at[kept], seen.weight[kept]
    outputs = pairs.some(trial.rng, d.outputs, pairs.MOST // 2)
    held = trial.load(bias=0.0, bias_scale=_SMALL)
    x, rows = np.concatenate([seen.x, np.zeros_like(seen.x[:1])]), []
    for _ in range(trial.calls):
        y = trial.guard.sample(x)
        weights = (y.ravel()[at] - held.mean.ravel()[weight]) / held.scale.ravel()[weight]
        rows.append(np.concatenate([weights, _bias_of(trial, y[-1], held)[outputs]]))
    pair = pairs.of_normals(np.stack(rows), trial.alpha, len(at))
    other = f"of weight {_place(d.weight_shape, int(weight[pair.first]))}" if pair.first < len(at) else ""
    other = other or f"of output {outputs[pair.first - len(at)]}"
    said = f"the noise of the bias of output {outputs[pair.second - len(at)]} and that {other}, or their sizes, have"
    return judged(pair.verdict, f"{said} correlation {pair.alike:+.3f}; 0 is right", pair.picture)


def _zeros(trial: WeightTrial) -> tuple[Array, float]:
    """(calls, 5, out, positions): what an input of zeros gives, and what rounding may do to it."""
    d, held = trial.description, trial.load()
    x = np.zeros(designs.input_shape(d, 5))
    y = np.stack([trial.guard.sample(x).reshape(5, d.outputs, -1) for _ in range(4)])
    return y, float(np.max(trial.rounding(x, held, 6.0)))


@of_weights(
    "bias-one-draw",
    "All examples of a call see one draw of a random bias.",
    kinds=("shared",),
    when=lambda d: d.bias == "random",
    catches=("bias-noise-per-example",),
)
def bias_one_draw(trial: WeightTrial) -> Finding:
    """Exact, at an input of zeros."""
    y, rounding = _zeros(trial)
    off = float(np.max(np.ptp(y, axis=1)))
    return exact(off > rounding, f"the biases that the examples of a call see differ by {off:.3g}; 0 is right", 4)


@of_weights(
    "bias-one-a-filter",
    "A filter has one bias, the same at every position.",
    families=("convolution",),
    when=lambda d: d.bias == "random",
    catches=("bias-noise-per-position", "variance-floor"),
)
def bias_one_a_filter(trial: WeightTrial) -> Finding:
    """Exact, at an input of zeros."""
    y, rounding = _zeros(trial)
    off = float(np.max(np.ptp(y, axis=3)))
    return exact(off > rounding, f"the biases of a filter at its positions differ by {off:.3g}; 0 is right", 4)


CLAIMS = (draw_sum, draw_squares, draw_pairs, bias_pairs, bias_one_draw, bias_one_a_filter)
