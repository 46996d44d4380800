"""Temperature scaling: one number, fitted on held-out data, that makes class probabilities calibrated.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv 1706.04599), section 4.2.

With several passes the temperature divides the logarithm of the mean probability: `softmax(log(mean_t p_t) / T)`. For
one pass that is `softmax(logits / T)`, and for any number the classes keep their order (the accuracy does not change)
and the negative log-likelihood is convex in 1/T.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import log_softmax, softmax

from bayesnoise import _checks, _host
from bayesnoise._host import Floats
from bayesnoise._typing import Array

LOWEST, HIGHEST = 1e-2, 1e2


def _log_mean(logits: Array) -> Floats:
    """`(n, k)` or `(t, n, k) -> (n, k)`: the logarithm of the mean probability."""
    z = _host.real("logits", logits, (2, 3))
    _host.require("logits", z, z < np.inf, "numbers below infinity")  # -inf is a probability of 0
    largest = np.max(z, axis=-1)
    _host.require("the largest logit of logits", largest, np.isfinite(largest), "a finite number")
    log_p = np.asarray(log_softmax(z, axis=-1))
    return log_p if log_p.ndim == 2 else _host.log_mean_exp(log_p)


def fit_temperature(logits: Array, labels: Array) -> float:
    """The temperature of least negative log-likelihood, in [0.01, 100]: `(n, k)` or `(t, n, k), (n,) -> float`.

    `logits` of one pass or of each; log-probabilities do as well. A bound is returned where the likelihood still
    increases there: 0.01 when every example is classified right, 100 when the logits carry no information.
    Raises TypeError or ValueError for wrong shapes, NaN, labels outside the classes, and a label of probability 0.
    """
    log_p = _log_mean(logits)
    right = _host.labels(labels, *log_p.shape)
    of_label = log_p[np.arange(len(right)), right]
    _host.require("the log-probability of labels", of_label, np.isfinite(of_label), "a finite number")
    finite = np.where(np.isfinite(log_p), log_p, 0.0)

    def slope(log_beta: float) -> float:
        """The derivative of the mean negative log-likelihood with respect to beta = 1/T."""
        p = softmax(math.exp(log_beta) * log_p, axis=-1)
        return float(np.mean(np.sum(p * finite, axis=-1) - of_label))

    low, high = -math.log(HIGHEST), -math.log(LOWEST)
    if slope(low) >= 0:
        return HIGHEST
    if slope(high) <= 0:
        return LOWEST
    return math.exp(-root_scalar(slope, bracket=(low, high), xtol=1e-14).root)


def apply_temperature(logits: Array, temperature: float) -> Floats:
    """`log softmax(log(mean_t p_t) / T)`, log-probabilities: `(n, k)` or `(t, n, k) -> (n, k)`. Errors as above."""
    _checks.positive("temperature", temperature)
    return np.asarray(log_softmax(_log_mean(logits) / temperature, axis=-1))
