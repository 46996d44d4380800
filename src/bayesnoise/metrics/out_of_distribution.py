"""How well a score tells examples of the training distribution from others.

A larger score means more in-distribution (a maximum probability; an entropy with its sign changed), and "in" is the
positive class. An example is accepted when its score is at or above a threshold; every distinct score is a threshold,
so ties are exact. All counts are integers until the last division.
"""

from __future__ import annotations

import numpy as np

from bayesnoise import _host
from bayesnoise._host import Floats, Integers
from bayesnoise._typing import Array


def _scores(in_scores: Array, out_scores: Array) -> tuple[Floats, Floats]:
    return _host.finite("in_scores", in_scores, (1,)), _host.finite("out_scores", out_scores, (1,))


def _accepted(positive: Floats, negative: Floats) -> tuple[Integers, Integers]:
    """How many of each are accepted, at every distinct threshold from the highest to the lowest."""
    thresholds = np.unique(np.concatenate([positive, negative]))[::-1]
    below = [np.searchsorted(np.sort(x), thresholds, side="left") for x in (positive, negative)]
    return positive.size - below[0], negative.size - below[1]


def auroc(in_scores: Array, out_scores: Array) -> float:
    """`P(in > out) + P(in = out) / 2` over all pairs, the area under the ROC curve: `(n,), (m,) -> float`.

    Raises TypeError or ValueError for wrong shapes and for what is not finite, as all functions of this file do.
    """
    inside, outside = _scores(in_scores, out_scores)
    ranked = np.sort(outside)
    twice = np.searchsorted(ranked, inside, side="left") + np.searchsorted(ranked, inside, side="right")
    return int(np.sum(twice)) / (2 * inside.size * outside.size)


def _average_precision(positive: Floats, negative: Floats) -> float:
    true, false = _accepted(positive, negative)
    gained = np.diff(true, prepend=0) / positive.size
    return float(np.sum(gained * (true / (true + false))))


def aupr_in(in_scores: Array, out_scores: Array) -> float:
    """`sum_k (R_k - R_(k-1)) P_k` over thresholds, the average precision with "in" positive: `(n,), (m,) -> float`."""
    return _average_precision(*_scores(in_scores, out_scores))


def aupr_out(in_scores: Array, out_scores: Array) -> float:
    """The average precision with "out" positive, its scores with their signs changed: `(n,), (m,) -> float`."""
    inside, outside = _scores(in_scores, out_scores)
    return _average_precision(-outside, -inside)


def fpr_at_95_tpr(in_scores: Array, out_scores: Array) -> float:
    """The share of "out" accepted at the highest threshold that accepts 95 % of "in": `(n,), (m,) -> float`."""
    inside, outside = _scores(in_scores, out_scores)
    true, false = _accepted(inside, outside)
    first = int(np.argmax(100 * true >= 95 * inside.size))
    return int(false[first]) / outside.size


def detection_error(in_scores: Array, out_scores: Array) -> float:
    """`min over thresholds of (1 - TPR) / 2 + FPR / 2`, at most 1/2: `(n,), (m,) -> float`.

    Liang et al. 2018, "Enhancing the Reliability of Out-of-distribution Image Detection" (arXiv 1706.02690), fix TPR at
    95 % instead; tables of the minimum are the more common ones.
    """
    inside, outside = _scores(in_scores, out_scores)
    true, false = _accepted(inside, outside)
    errors = (inside.size - true) * outside.size + false * inside.size  # the lowest threshold accepts all: 1/2
    return int(np.min(errors)) / (2 * inside.size * outside.size)
