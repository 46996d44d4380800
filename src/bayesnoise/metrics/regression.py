"""Scores of regression: of the mean, and of the whole predictive density.

The predictive density is a mixture with one Gaussian a pass, `p(y) = mean_t N(y | f_t, s_t^2)`, and is scored as such:
the Gaussian with the same mean and variance is a different density.
"""

from __future__ import annotations

import math

import numpy as np

from bayesnoise import _host
from bayesnoise._host import Floats
from bayesnoise._typing import Array

LOG_2PI = math.log(2 * math.pi)


def _target_scale(target_scale: Array, targets: Floats) -> Floats:
    scale = _host.finite("target_scale", target_scale, (0, 1))
    _host.require("target_scale", scale, scale > 0, "a scale above 0")
    if scale.ndim == 1:
        outputs = targets.shape[1] if targets.ndim == 2 else 1
        _host.shape("target_scale", scale, (outputs,), "one scale an output, or one number")
    return scale


def rmse(mean: Array, targets: Array, *, target_scale: Array = 1.0) -> float:
    """`sqrt(mean (target - mean)^2)` over examples and outputs: `(n[, k]), (n[, k]) -> float`.

    `target_scale` is the standard deviation by which the targets were divided, one number or one an output: the error
    is then in the target's own units. Raises TypeError or ValueError for wrong shapes and for what is not finite.
    """
    prediction = _host.finite("mean", mean, (1, 2))
    y = _host.finite("targets", targets)
    _host.shape("targets", y, prediction.shape, "as mean")
    errors = (y - prediction) * _target_scale(target_scale, y)
    return float(np.sqrt(np.mean(errors * errors)))


def mean_log_likelihood(means: Array, variances: Array, targets: Array, *, target_scale: Array = 1.0) -> float:
    """`mean [log mean_t N(y | f_t, s_t^2) - log target_scale]`, in nats: `(t, n[, k]), (t, n[, k]), (n[, k]) -> float`.

    `means` and `variances` (these also one number, as 1 / tau) are of each pass. With several outputs, each is scored
    by its own mixture and the scores are averaged. `target_scale` is the standard deviation by which targets, means
    and roots of variances were divided: the density is then per unit of the target itself. Raises TypeError or
    ValueError for wrong shapes, for what is not finite, and for a variance that is not above 0.
    """
    f, v = _host.passes(means, variances)
    _host.require("variances", v, v > 0, "variances above 0: a density needs the noise of the targets")
    y = _host.finite("targets", targets)
    _host.shape("targets", y, f.shape[1:], "as one pass of means")
    with np.errstate(over="ignore"):  # a residual of more than 1e154 standard deviations has log-density -inf
        z = (y - f) / np.sqrt(v)
        each = -0.5 * (z * z + np.log(v) + LOG_2PI)
    return float(np.mean(_host.log_mean_exp(each) - np.log(_target_scale(target_scale, y))))
