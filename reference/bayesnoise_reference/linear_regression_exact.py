"""Bayesian linear regression in fractions: by conditioning the joint normal law of weights and data, without rounding.

The model is that of `linear_regression`, for k targets that share the inputs and the scales. Numbers are taken as the
floats that they are; only logarithms are rounded, and what a caller rounds.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference import linear_regression, rational
from bayesnoise_reference._typing import Array


class Conditioned(NamedTuple):
    """The data and the two scales, and the posterior of the weights: arrays of fractions."""

    x: Array  # (n, d)
    y: Array  # (n, k)
    noise_scale: Any
    prior_scale: Array  # (d,)
    mean: Array  # (d, k)
    covariance: Array  # (d, d), of the weights of each target
    log_evidence: float  # of all targets


def conditioned(x: Array, y: Array, noise_scale: Any, prior_scale: Array) -> Conditioned:
    """Of floats; there may be no data."""
    (n, d), k = x.shape, y.shape[1]
    x, y, noise, prior = (rational.fractions(given) for given in (x, y, noise_scale, prior_scale))
    joint = linear_regression.joint(x, noise, prior)
    of_weights, across, of_data = joint[:d, :d], joint[:d, d:], joint[d:, d:]
    gain, determinant = rational.solved(of_data, np.concatenate([across.T, y], axis=1))
    mean = rational.product(across, gain[:, d:])
    covariance = of_weights - rational.product(across, gain[:, :d])
    quadratic = float(np.sum(y * gain[:, d:]))
    log_evidence = -0.5 * (n * k * np.log(2.0 * np.pi) + k * rational.log(determinant) + quadratic)
    return Conditioned(x, y, noise.reshape(())[()], prior, mean, covariance, float(log_evidence))


def independent(of: Conditioned) -> Array:
    """The covariance of the best law with independent weights: one over the diagonal of the precision, `(d, d)`."""
    return rational.diagonal(1 / np.diagonal(rational.inverse(of.covariance)[0]))


def prior(of: Conditioned) -> Array:
    """The covariance of the prior, `(d, d)`."""
    return rational.diagonal(of.prior_scale**2)


def divergence(covariance: Array, other: Array, away: Array) -> float:
    """From a law to one of another covariance, both `(d, d)`, over k targets whose means are so far away, `(d, k)`."""
    (d, k), (inverse, determinant) = away.shape, rational.inverse(other)
    trace = np.sum(inverse * covariance)  # both are symmetric
    spread = k * (trace - d) + np.sum(away * rational.product(inverse, away))
    log_ratio = rational.log(rational.inverse(covariance)[1] / determinant)
    return 0.5 * (float(spread) - int(k) * log_ratio)


def kl(of: Conditioned, covariance: Array) -> float:
    """From a law with the mean of the posterior, and a covariance, to the prior, over all targets."""
    return divergence(covariance, prior(of), of.mean)


def expected_log_likelihood(of: Conditioned, covariance: Array) -> float:
    """Under the same law: the squares of the residuals, and what the weights vary."""
    rest = of.y - rational.product(of.x, of.mean)
    spread = of.y.shape[1] * np.sum(rational.product(of.x, covariance) * of.x)
    squares = float((np.sum(rest * rest) + spread) / of.noise_scale**2)
    log_constant = math.log(2.0 * math.pi) + 2.0 * rational.log(of.noise_scale)
    return -0.5 * (int(of.y.size) * log_constant + squares)
