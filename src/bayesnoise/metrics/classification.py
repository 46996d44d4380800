"""Scores of class probabilities, averaged over the passes before they are scored."""

from __future__ import annotations

import numpy as np

from bayesnoise import _host
from bayesnoise._typing import Array


def nll(log_probabilities: Array, labels: Array) -> float:
    """`-mean_n log mean_t p_t(label)`, in nats: `(t, n, k), (n,) -> float`.

    The logarithm of a mean, never the mean of logarithms. Infinite where every pass gives a label probability 0.
    Raises TypeError or ValueError for wrong shapes, labels outside the classes and rows that are not normalised.
    """
    log_p = _host.log_probabilities("log_probabilities", log_probabilities)
    t, n, k = log_p.shape
    right = _host.labels(labels, n, k)
    of_label = np.take_along_axis(log_p, np.broadcast_to(right, (t, n))[..., None], axis=-1)[..., 0]  # (t, n)
    return float(-np.mean(_host.log_mean_exp(of_label)))


def accuracy(probabilities: Array, labels: Array) -> float:
    """The share of examples whose most probable class is the label, the first of equals: `(n, k), (n,) -> float`.

    Raises TypeError or ValueError for wrong shapes, labels outside the classes and rows that are no probabilities.
    """
    p = _host.probabilities("probabilities", probabilities)
    return float(np.mean(np.argmax(p, axis=-1) == _host.labels(labels, *p.shape)))


def brier(probabilities: Array, labels: Array) -> float:
    """`mean_n sum_c (p_c - [label = c])^2`, from 0 to 2: `(n, k), (n,) -> float`. Errors as for `accuracy`.

    Brier 1950, "Verification of forecasts expressed in terms of probability": the original form, summed over classes.
    """
    p = _host.probabilities("probabilities", probabilities)
    right = np.arange(p.shape[1]) == _host.labels(labels, *p.shape)[:, None]
    errors = p - right
    return float(np.mean(np.sum(errors * errors, axis=-1)))
