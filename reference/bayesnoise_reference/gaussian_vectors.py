"""Gaussian vectors by their definitions, with dense covariances and inverses: densities, conditioning, divergence.

Written with analytic operations, so that complex numbers pass through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array


def log_density(value: Any, mean: Any, covariance: Any) -> Any:
    """Of `N(mean, covariance)` at a value."""
    away = value - mean
    quadratic = away @ np.linalg.inv(covariance) @ away
    return -0.5 * (len(away) * np.log(2 * np.pi) + np.log(np.linalg.det(covariance)) + quadratic)


def conditional(mean: Array, covariance: Array, given: Any, values: Array) -> tuple[Array, Array]:
    """Mean and covariance of the other numbers of a vector, when those at the indices `given` have the values."""
    given = list(given)
    rest = [i for i in range(len(mean)) if i not in given]
    across = covariance[np.ix_(rest, given)]
    weights = across @ np.linalg.inv(covariance[np.ix_(given, given)])
    new_mean = mean[rest] + weights @ (values - mean[given])
    return new_mean, covariance[np.ix_(rest, rest)] - weights @ covariance[np.ix_(given, rest)]


def divergence(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> Any:
    """`KL(N(mean, covariance) || N(other_mean, other_covariance))`."""
    inverse, away = np.linalg.inv(other_covariance), other_mean - mean
    log_ratio = np.log(np.linalg.det(other_covariance)) - np.log(np.linalg.det(covariance))
    return 0.5 * (np.trace(inverse @ covariance) + away @ inverse @ away - len(mean) + log_ratio)
