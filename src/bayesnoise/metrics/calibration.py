"""Whether stated confidence is met: reliability tables, the expected calibration error, coverage of intervals.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv 1706.04599), section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesnoise import _checks, _host
from bayesnoise._host import Floats, Integers
from bayesnoise._typing import Array


class ReliabilityTable(NamedTuple):
    """Examples by the confidence of their most probable class, in equal bins (lower, upper]."""

    lower: Floats  # (bins,)
    upper: Floats  # (bins,)
    examples: Integers  # (bins,)
    confidence: Floats  # (bins,), the mean in the bin: NaN where the bin is empty
    accuracy: Floats  # (bins,), the mean in the bin: NaN where the bin is empty


def reliability_table(probabilities: Array, labels: Array, *, bins: int = 15) -> ReliabilityTable:
    """`(n, k), (n,)`: how often the most probable class is right, at each confidence.

    Raises TypeError or ValueError for wrong shapes, labels outside the classes and rows that are no probabilities.
    """
    _checks.positive_integer("bins", bins)
    p = _host.probabilities("probabilities", probabilities)
    right = np.argmax(p, axis=-1) == _host.labels(labels, *p.shape)
    confidence = np.max(p, axis=-1)
    edges = np.arange(bins + 1) / bins
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0/0 in an empty bin
        mean_confidence = np.bincount(bin_of, weights=confidence, minlength=bins) / count
        mean_accuracy = np.bincount(bin_of, weights=right, minlength=bins) / count
    return ReliabilityTable(edges[:-1], edges[1:], count, mean_confidence, mean_accuracy)


def expected_calibration_error(probabilities: Array, labels: Array, *, bins: int = 15) -> float:
    """`sum_b (n_b / n) |accuracy_b - confidence_b|` over equal bins: `(n, k), (n,) -> float`.

    It is biased upwards, by about 1 / sqrt(n), and is not 0 for a calibrated model. Errors as for `reliability_table`.
    """
    table = reliability_table(probabilities, labels, bins=bins)
    gap = np.where(table.examples > 0, np.abs(table.accuracy - table.confidence), 0.0)
    return float(np.sum(table.examples * gap) / np.sum(table.examples))


def interval_coverage(lower: Array, upper: Array, targets: Array) -> float:
    """The share of targets in [lower, upper]: three arrays of one shape `-> float`.

    Raises TypeError or ValueError for wrong shapes, for what is not finite, and where `lower` is above `upper`.
    """
    y = _host.finite("targets", targets)
    low, high = _host.finite("lower", lower), _host.finite("upper", upper)
    _host.shape("lower", low, y.shape, "as targets")
    _host.shape("upper", high, y.shape, "as targets")
    _host.require("lower", low, low <= high, "at most upper")
    return float(np.mean((low <= y) & (y <= high)))
