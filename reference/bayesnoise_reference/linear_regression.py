"""Bayesian linear regression, where everything is known: the test of a variational method from end to end.

`y = X w + e`, `e ~ N(0, noise_scale^2)`, prior `w ~ N(0, prior_scale^2)`. The posterior is Gaussian with precision
`L = X'X / noise_scale^2 + I / prior_scale^2`. Among independent Gaussians the best has the exact posterior's mean, and
the variances `1 / L_ii`; what is lost in the evidence is `(sum log L_ii - log det L) / 2`. Bishop 2006, "Pattern
Recognition and Machine Learning", sections 3.3, 3.5 and 10.1.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.gaussian_vectors import conditional, log_density


class Problem(NamedTuple):
    """The data and the two known scales."""

    x: Array  # (n, d)
    y: Array  # (n,)
    noise_scale: float
    prior_scale: float


def precision(problem: Problem) -> Array:
    """The precision matrix of the exact posterior, `(d, d)`."""
    d = problem.x.shape[1]
    return problem.x.T @ problem.x / problem.noise_scale**2 + np.eye(d) / problem.prior_scale**2


def posterior(problem: Problem) -> tuple[Array, Array]:
    """Mean and covariance of the exact posterior."""
    lam = precision(problem)
    mean = np.linalg.solve(lam, problem.x.T @ problem.y / problem.noise_scale**2)
    return mean, np.linalg.inv(lam)


def log_evidence(problem: Problem) -> float:
    """`log p(y)`, from the normalisation of the exact posterior."""
    n, d = problem.x.shape
    lam = precision(problem)
    mean, _ = posterior(problem)
    _, logdet = np.linalg.slogdet(lam)
    quadratic = problem.y @ problem.y / problem.noise_scale**2 - mean @ lam @ mean
    normalisation = n * np.log(2 * np.pi * problem.noise_scale**2) + d * np.log(problem.prior_scale**2) + logdet
    return float(-0.5 * (normalisation + quadratic))


def log_evidence_of_data(problem: Problem) -> float:
    """`log p(y)` once more, with the weights integrated out: `y ~ N(0, noise_scale^2 I + prior_scale^2 X X')`."""
    n = problem.x.shape[0]
    covariance = problem.noise_scale**2 * np.eye(n) + problem.prior_scale**2 * problem.x @ problem.x.T
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, problem.y)
    return float(-0.5 * (n * np.log(2 * np.pi) + white @ white) - np.sum(np.log(np.diag(root))))


def mean_field_optimum(problem: Problem) -> tuple[Array, Array]:
    """Mean and standard deviations of the best independent Gaussian."""
    mean, _ = posterior(problem)
    return mean, 1.0 / np.sqrt(np.diag(precision(problem)))


def elbo(problem: Problem, mean: Array, scale: Array) -> Array:
    """`E log p(y | w) - KL(q || prior)` for independent `w_i ~ N(mean_i, scale_i^2)`."""
    s2, p2 = problem.noise_scale**2, problem.prior_scale**2
    expected = np.zeros((), dtype=np.result_type(mean, scale))
    for x_n, y_n in zip(problem.x, problem.y, strict=True):
        residual = y_n - np.sum(x_n * mean)  # its square in expectation: bias squared plus variance
        second_moment = residual**2 + np.sum(x_n**2 * scale**2)
        expected = expected - 0.5 * np.log(2 * np.pi * s2) - second_moment / (2 * s2)
    entropy = np.sum(0.5 * np.log(2 * np.pi * np.e * scale**2))
    cross_entropy = np.sum(0.5 * np.log(2 * np.pi * p2) + (mean**2 + scale**2) / (2 * p2))
    return np.asarray(expected + entropy - cross_entropy)


def gap(problem: Problem) -> float:
    """Log evidence minus the ELBO at the mean-field optimum, at least 0."""
    lam = precision(problem)
    return float(0.5 * (np.sum(np.log(np.diag(lam))) - np.linalg.slogdet(lam)[1]))


def predictive_variance(problem: Problem, x: Array) -> tuple[Array, Array]:
    """Variance of a new y at each row of x, under the exact posterior and under the mean-field optimum."""
    _, covariance = posterior(problem)
    _, scale = mean_field_optimum(problem)
    exact = np.array([row @ covariance @ row for row in x])
    mean_field = np.array([np.sum(row**2 * scale**2) for row in x])
    return problem.noise_scale**2 + exact, problem.noise_scale**2 + mean_field


def joint(x: Array, noise_scale: Any, prior_scale: Any) -> Array:
    """The covariance `(d + n, d + n)` of all weights, then all data, from `y_n = sum_i x_ni w_i + noise_scale e_n`.

    `prior_scale (d,)`, one a weight. All means are 0.
    """
    n, d = x.shape
    covariance = np.zeros((d + n, d + n), dtype=np.result_type(x, noise_scale, prior_scale))
    for i in range(d):
        covariance[i, i] = prior_scale[i] ** 2
        for a in range(n):
            covariance[i, d + a] = covariance[d + a, i] = prior_scale[i] ** 2 * x[a, i]
    for a in range(n):
        for b in range(n):
            covariance[d + a, d + b] = sum(x[a, i] * prior_scale[i] ** 2 * x[b, i] for i in range(d))
        covariance[d + a, d + a] += noise_scale**2
    return covariance


def weights_given_data(x: Array, y: Array, noise_scale: Any, prior_scale: Any) -> tuple[Array, Array]:
    """Mean and covariance of the weights given `y (n,)`, by conditioning the joint law."""
    n, d = x.shape
    return conditional(np.zeros(d + n), joint(x, noise_scale, prior_scale), range(d, d + n), y)


def new_data_given_data(x: Array, y: Array, new: Array, noise_scale: Any, prior_scale: Any) -> tuple[Array, Array]:
    """Mean and covariance of the targets at the rows `new (m, d)` given `y (n,)`, by conditioning the joint law."""
    (n, d), m = x.shape, len(new)
    data = joint(np.concatenate([x, new]), noise_scale, prior_scale)[d:, d:]
    return conditional(np.zeros(n + m), data, range(n), y)


def log_density_of_data(x: Array, y: Array, noise_scale: Any, prior_scale: Any) -> Any:
    """The log evidence of `y (n,)`: its density under its marginal law."""
    d = x.shape[1]
    return log_density(y, np.zeros(len(y)), joint(x, noise_scale, prior_scale)[d:, d:])
