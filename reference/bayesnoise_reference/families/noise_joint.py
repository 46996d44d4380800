"""All factors of a call together, wherever they stand: neighbours may be independent where others are copies.

A normal factor is standardised. A mask counts what it drops, and its count becomes a standard normal number by the
binomial law: between the probabilities of fewer and of as many a uniform number is drawn, so that the law is exact.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, ndtri

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import pairs
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import judged
from bayesnoise_reference.claims.numbers import sum_of_squares
from bayesnoise_reference.families.noise import MASKS, NORMAL, NoiseTrial, of_noise, worst

_UNITS = ("noise-tiled-across-units", "noise-mirrored-across-units")
_BATCH = ("noise-tiled-across-batch", "noise-mirrored-across-batch")
_WRONG_LAW = (
    "noise-additive",
    "noise-alpha-as-deviation",
    "noise-alpha-averaged",
    "noise-alpha-from-rate",
    "noise-log-alpha-as-alpha",
    "noise-mean-zero",
    "rademacher-noise",
    "uniform-noise",
)


def _free(trial: NoiseTrial) -> Array:
    """(calls, rows, units, positions): standard normal factors, or what masks drop; one position if all share it."""
    d = trial.description
    if d.kind in NORMAL:
        return trial.standard()
    trial.load()
    dropped = np.asarray(trial.factors() == 0.0)
    return dropped[..., :1] if d.kind == "spatial" else dropped


def _alike(trial: NoiseTrial, table: Array, what: str) -> Finding:
    """`(draws, columns)`: whether two columns are alike."""
    rate = trial.description.rate
    kept = pairs.some(trial.rng, table.shape[1])
    if table.dtype == bool:
        pair = pairs.of_events(table[:, kept], rate**2 + (1.0 - rate) ** 2, trial.alpha)
        right = f"agree in {pair.alike:.4f} of draws; {rate**2 + (1.0 - rate) ** 2:.4f} is right"
    else:
        pair = pairs.of_normals(table[:, kept], trial.alpha)
        right = f"or their sizes, have correlation {pair.alike:+.3f}; 0 is right"
    said = f"the {what} most alike, {kept[pair.first]} and {kept[pair.second]}, {right}"
    return judged(pair.verdict, said, pair.picture)


@of_noise(
    "element-pairs",
    "No two elements of an example have factors that are alike, wherever they stand.",
    kinds=(*MASKS, *NORMAL),
    catches=(
        "noise-missing",
        "noise-shared-across-units",
        "noise-shared-across-positions",
        *_UNITS,
        "rademacher-noise",
        "noise-across-calls",
    ),
)
def element_pairs(trial: NoiseTrial) -> Finding:
    """Exact law of every pair, times their number: a draw is an example of a call."""
    found = _free(trial)
    return _alike(trial, found.reshape(found.shape[0] * found.shape[1], -1), "elements")


@of_noise(
    "example-pairs",
    "No two examples of a call have factors that are alike, wherever they stand.",
    kinds=(*MASKS, *NORMAL),
    catches=(
        "noise-missing",
        "noise-shared-across-batch",
        *_BATCH,
        "rademacher-noise",
        "noise-across-calls",
        "noise-alpha-averaged",
        "noise-log-alpha-as-alpha",
    ),
)
def example_pairs(trial: NoiseTrial) -> Finding:
    """Exact law of every pair, times their number: a draw is an element of a call."""
    found = np.moveaxis(_free(trial), 1, -1)
    return _alike(trial, found.reshape(-1, found.shape[-1]), "examples")


def _count(trial: NoiseTrial, dropped: Array) -> Array:
    """Of every row, the number that is dropped, as a standard normal number."""
    n, k, rate = dropped.shape[-1], np.sum(dropped, axis=-1), trial.description.rate
    fewer = np.where(k > 0, bdtr(np.maximum(k - 1, 0), n, rate), 0.0)
    between = fewer + trial.rng.uniform(size=k.shape) * (bdtr(k, n, rate) - fewer)
    return np.asarray(ndtri(np.clip(between, 1e-300, 1.0 - 1e-16)))


def _spread(trial: NoiseTrial, rows: Array, what: str) -> Finding:
    """`(draws, numbers)`: whether sums of rows vary as those of independent numbers; of squares too, if normal."""
    counted = rows.dtype == bool
    scores = [_count(trial, rows)] if counted else [np.sum(rows, -1) / rows.shape[-1] ** 0.5, sum_of_squares(rows)]
    share = trial.alpha / len(scores)
    verdict, at = worst([statistics.normal_variance(score, 1.0, mean=0.0, alpha=share) for score in scores])
    said = " and ".join(f"{np.mean(score**2):.4g}" for score in scores)
    of = "number dropped" if counted else "sum of the factors, and that of squares,"
    return judged(verdict, f"the {of} {what} has {said} times its variance; 1 is right", scores[at])


@of_noise(
    "element-sum",
    "The sum of the factors of an example varies as one of independent factors.",
    kinds=(*MASKS, *NORMAL),
    catches=(
        "noise-missing",
        "noise-rate-as-keep",
        "noise-shared-across-units",
        "noise-stratified",
        *_UNITS,
        *_WRONG_LAW,
        "noise-shared-across-positions",
    ),
)
def element_sum(trial: NoiseTrial) -> Finding:
    """Exact law, binomial or normal and chi-square, one number an example: sees factors that balance each other."""
    found = _free(trial)
    return _spread(trial, found.reshape(found.shape[0] * found.shape[1], -1), "of an example")


@of_noise(
    "example-sum",
    "The sum of an element's factors over a batch varies as one of independent factors.",
    kinds=(*MASKS, *NORMAL),
    catches=(
        "noise-missing",
        "noise-rate-as-keep",
        "noise-shared-across-batch",
        "noise-tiled-across-batch",
        *_WRONG_LAW,
    ),
)
def example_sum(trial: NoiseTrial) -> Finding:
    """Exact law, as for the elements of an example, one number an element and call."""
    found = np.moveaxis(_free(trial), 1, -1)
    return _spread(trial, found.reshape(-1, found.shape[-1]), "of an element over the batch")


CLAIMS = (element_pairs, example_pairs, element_sum, example_sum)
