"""From the passes of a network to predictions with their uncertainty, split by where it comes from.

Regression, by the law of total variance: `Var y = mean_t s_t^2 + Var_t f_t`, aleatoric plus epistemic. The variance
over passes divides by t, for which the law is exact of the mixture; the relative standard error of an estimate from t
passes is sqrt(2 / (t - 1)), 32 % at 20.
Classification, in nats: `H(mean_t p_t) = mean_t H(p_t) + mean_t KL(p_t || mean p)`, aleatoric plus epistemic, the
mutual information of label and weights (Houlsby et al. 2011, arXiv 1112.5745).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import entr, ndtr, ndtri, xlog1py

from bayesnoise import _host
from bayesnoise._host import Floats
from bayesnoise._typing import Array


class RegressionUncertainty(NamedTuple):
    """The predictive mixture `mean_t N(f_t, s_t^2)` of each output, in short."""

    mean: Floats  # (n[, k])
    epistemic_variance: Floats  # (n[, k]), of the means over passes
    aleatoric_variance: Floats  # (n[, k]), the mean of the variances
    total_variance: Floats  # (n[, k]), their sum
    lower: Floats  # (n[, k]), of the equal-tailed interval
    upper: Floats  # (n[, k])


class ClassificationUncertainty(NamedTuple):
    """Class probabilities, and their entropies in nats."""

    probabilities: Floats  # (n, k), the mean over passes
    predictive_entropy: Floats  # (n,), of the mean: the total
    expected_entropy: Floats  # (n,), the mean of the entropies: aleatoric
    mutual_information: Floats  # (n,), the difference: epistemic


def _open_probability(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}, expected a probability above 0 and below 1")


def _lower_quantile(means: Floats, scales: Floats, tail: float) -> Floats:
    """`(t, ...), (t, ...) -> (...)`: the smallest x with `mean_t Phi((x - f_t) / s_t) >= tail`, by bisection."""
    safe = np.where(scales > 0, scales, 1.0)
    of_each = means + ndtri(tail) * scales
    low, high = np.min(of_each, axis=0), np.max(of_each, axis=0)  # the mixture's lies between its components'
    close = np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
    for _ in range(64):  # 54 halvings bring any bracket down to `close`; only subnormal ones take more
        if np.all(high - low <= close):
            break
        middle = low + 0.5 * (high - low)
        with np.errstate(over="ignore"):
            below = np.where(scales > 0, ndtr((middle - means) / safe), middle >= means)
        reached = np.mean(below, axis=0) >= tail
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.asarray(high)


def mixture_quantile(means: Array, variances: Array, probability: float) -> Floats:
    """The quantile of the mixture `mean_t N(f_t, s_t^2)`: `(t, n[, k]), (t, n[, k]) -> (n[, k])`.

    Errors as for `regression_uncertainty`.
    """
    _open_probability("probability", probability)
    f, v = _host.passes(means, variances)
    if probability <= 0.5:
        return _lower_quantile(f, np.sqrt(v), probability)
    return -_lower_quantile(-f, np.sqrt(v), 1 - probability)


def regression_uncertainty(means: Array, variances: Array, *, level: float = 0.95) -> RegressionUncertainty:
    """The summary of `t` passes: `(t, n[, k]), (t, n[, k]) -> (n[, k])` each.

    `variances` are of the noise in the targets, of each pass or one number for all; 0 leaves the epistemic part. The
    interval holds `level` of the mixture, with equal tails, and is not that of a Gaussian with the same variance.
    Raises TypeError or ValueError for wrong shapes, what is not finite, negative variances, and levels outside (0, 1).
    """
    _open_probability("level", level)
    f, v = _host.passes(means, variances)
    epistemic, aleatoric = np.var(f, axis=0), np.mean(v, axis=0)
    scales, tail = np.sqrt(v), 0.5 * (1 - level)
    lower, upper = _lower_quantile(f, scales, tail), -_lower_quantile(-f, scales, tail)
    return RegressionUncertainty(np.mean(f, axis=0), epistemic, aleatoric, aleatoric + epistemic, lower, upper)


def classification_uncertainty(probabilities: Array) -> ClassificationUncertainty:
    """The summary of `t` passes of class probabilities: `(t, n, k)`.

    Raises TypeError or ValueError for wrong shapes, what is not finite, and rows that are no probabilities.
    """
    p = _host.probabilities("probabilities", probabilities, (3,))
    mean = np.mean(p, axis=0)
    predictive = np.sum(entr(mean), axis=-1)
    expected = np.mean(np.sum(entr(p), axis=-1), axis=0)
    # KL(p || m) = sum m ((1 + d) log(1 + d) - d), d = (p - m) / m: its terms are of second order where the passes
    # agree, where a difference of entropies would leave only its rounding.
    d = (p - mean) / np.where(mean > 0, mean, 1.0)
    information = np.mean(np.sum(mean * (xlog1py(1 + d, d) - d), axis=-1), axis=0)
    return ClassificationUncertainty(mean, predictive, expected, np.maximum(information, 0.0))
