"""The signs of flipout, every one against every other: tiled or paired ones are copies that stand apart.

As in `signs`, two equal examples of a call show whether their signs on a weight agree: a fair coin, the product of one
of the input and one of the output. Beside one input the coins of any two outputs agree like a coin. And two inputs in
one example show, by the size of their sum, whether their coins agree.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims import designs, pairs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import judged
from bayesnoise_reference.claims.pictured import tosses
from bayesnoise_reference.claims.signs import agreements, least_fair, output_of, products
from bayesnoise_reference.claims.weight_trial import WeightTrial


@of_weights(
    "output-sign-pairs",
    "The signs of any two outputs, wherever they stand, are independent.",
    kinds=("flipout",),
    when=lambda d: d.outputs // d.groups > 1,
    catches=(
        "no-noise",
        "no-output-signs",
        "one-scalar-sign",
        "output-signs-tiled",
        "output-signs-paired",
        "signs-fixed",
        "signs-shared-across-batch",
        "output-signs-reuse-input-signs",
    ),
)
def output_sign_pairs(trial: WeightTrial) -> Finding:
    """Exact law, binomial, times the number of pairs."""
    seen = designs.reading(trial.description, trial.rng, inputs=1)
    outputs, one_each = np.unique(output_of(trial, seen), return_index=True)
    kept = pairs.some(trial.rng, len(outputs))
    pair = pairs.of_events(products(trial, seen)[:, one_each[kept]], 0.5, trial.alpha)
    a, b = outputs[kept[pair.first]], outputs[kept[pair.second]]
    said = f"of all outputs, {a} and {b} least fairly change sign together between equal examples"
    return judged(pair.verdict, f"{said}: in {100 * pair.alike:.1f} % of draws; 50 % is right", pair.picture)


def _partners(trial: WeightTrial) -> Array:
    """(m, 2): pairs of inputs of one group: all, or some of those that tiles, neighbours and mirrors would join."""
    d: Description = trial.description
    most, n = 128 if d.family == "dense" else 24, d.inputs // d.groups
    first, second = np.triu_indices(n, 1)
    if len(first) > most:
        steps = [n // 2, (n + 1) // 2, n // 4, 1]
        joined = np.logical_or.reduce([second - first == step for step in steps] + [first + second == n - 1])
        likely, others = (trial.rng.permutation(np.flatnonzero(which)) for which in (joined, ~joined))
        chosen = np.concatenate([likely[: most // 2], others])[:most]
        first, second = first[chosen], second[chosen]
    return np.stack([first, second], axis=1) + n * int(trial.rng.integers(d.groups))


@of_weights(
    "input-sign-pairs",
    "The signs of any two inputs, wherever they stand, are independent.",
    kinds=("flipout",),
    when=lambda d: d.inputs // d.groups > 1,
    catches=(
        "no-noise",
        "no-input-signs",
        "one-scalar-sign",
        "input-signs-tiled",
        "input-signs-paired",
        "signs-fixed",
        "signs-shared-across-batch",
        "noise-per-example",
    ),
)
def input_sign_pairs(trial: WeightTrial) -> Finding:
    """Exact law, binomial, times the number of pairs that are asked."""
    asked = _partners(trial)
    counts = np.sum(agreements(trial, asked), axis=0)
    at, verdict = least_fair(trial, counts)
    said = f"of {len(asked)} pairs of inputs, {asked[at, 0]} and {asked[at, 1]} least fairly change sign together"
    said = f"{said}: in {100 * counts[at] / trial.calls:.1f} % of draws; 50 % is right"
    return judged(verdict, said, tosses(counts, trial.calls))


CLAIMS = (output_sign_pairs, input_sign_pairs)
