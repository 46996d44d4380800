"""Optimizers of a Gaussian law on one vector of numbers, a whole run at a time, in the symbols of their papers.

Each takes the start `(d,)`, the gradient of the mean loss as a function of the weights and the step, the noise
`(steps, samples, d)`, the learning rate of every step, the number of examples N and the prior's precision lambda. It
returns the means and the standard deviations after the last step. Shen et al. 2024 (arXiv 2402.17641), algorithm 1;
Khan et al. 2018 (arXiv 1806.04854), figure 1 and section 3.2; numbering as reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.linear_regression import Problem, precision
from bayesnoise_reference.optimizers import Gradient


class Law(NamedTuple):
    """Independent Gaussians."""

    mean: Array  # (d,)
    scale: Array  # (d,)


def ivon(
    start: Array,
    gradient: Gradient,
    noise: Array,
    rates: Sequence[float],
    examples: float,
    prior_precision: float,
    beta1: float,
    beta2: float,
    first_precision: float,
) -> Law:
    """IVON: the momentum is a weighted sum over all past gradients; h is the Hessian without the prior."""
    weight_decay = prior_precision / examples
    m, h, past = start.copy(), np.full(start.shape, first_precision - weight_decay), []
    sigma = 1.0 / np.sqrt(examples * (h + weight_decay))
    for t, rate in enumerate(rates):
        draws = [m + sigma * eps for eps in noise[t]]
        at = [gradient(theta, t) for theta in draws]
        h_hat = np.mean([g * (theta - m) / sigma**2 for g, theta in zip(at, draws, strict=True)], axis=0)
        past.append(np.mean(at, axis=0))
        rho = 1.0 - beta2
        h = beta2 * h + rho * h_hat + 0.5 * rho**2 * (h - h_hat) ** 2 / (h + weight_decay)
        weights = [beta1 ** (t - s) if beta1 or s == t else 0.0 for s in range(t + 1)]
        m = m - rate * (np.average(past, axis=0, weights=weights) + weight_decay * m) / (h + weight_decay)
        sigma = 1.0 / np.sqrt(examples * (h + weight_decay))
    return Law(m, sigma)


def vadam(
    start: Array,
    gradient: Gradient,
    noise: Array,
    rates: Sequence[float],
    examples: float,
    prior_precision: float,
    beta1: float,
    beta2: float,
    first_precision: float,
) -> Law:
    """Vadam: both corrected moments are weighted means over all past gradients.

    The law reads the mean of squares as one that began at `first_precision`.
    """
    share = prior_precision / examples
    mu, firsts, squares = start.copy(), [], []
    s = np.full(start.shape, float(first_precision))
    for t, rate in enumerate(rates):
        sigma = 1.0 / np.sqrt(examples * (s + share))
        at = [gradient(mu + sigma * eps, t) for eps in noise[t]]
        firsts.append(np.mean(at, axis=0) + share * mu)
        squares.append(np.mean(np.square(at), axis=0))
        s = beta2 * s + (1.0 - beta2) * squares[-1]
        first = np.average(firsts, axis=0, weights=[beta1 ** (t - i) if beta1 or i == t else 0.0 for i in range(t + 1)])
        second = np.average(squares, axis=0, weights=[beta2 ** (t - i) for i in range(t + 1)])
        mu = mu - rate * first / (np.sqrt(second) + share)
    return Law(mu, 1.0 / np.sqrt(examples * (s + share)))


def vogn(
    start: Array,
    gradients: Gradient,
    noise: Array,
    rates: Sequence[float],
    examples: float,
    prior_precision: float,
    beta1: float,
    beta2: float,
    first_precision: float,
) -> Law:
    """VOGN, from the gradient of each example at a draw, `(m, d)`: s is without the prior, and a weighted sum."""
    weight_decay = prior_precision / examples
    mu, averages, squares = start.copy(), [], []
    s = np.full(start.shape, first_precision - weight_decay)
    for t, rate in enumerate(rates):
        sigma = 1.0 / np.sqrt(examples * (s + weight_decay))
        each = [gradients(mu + sigma * eps, t) for eps in noise[t]]
        averages.append(sum(g_i for rows in each for g_i in rows) / sum(len(rows) for rows in each))
        squares.append(sum(g_i**2 for rows in each for g_i in rows) / sum(len(rows) for rows in each))
        s = np.full(start.shape, beta2 ** (t + 1) * (first_precision - weight_decay))
        s = s + sum((1.0 - beta2) * beta2 ** (t - i) * square for i, square in enumerate(squares))
        weights = [beta1 ** (t - i) if beta1 or i == t else 0.0 for i in range(t + 1)]
        mu = mu - rate * (np.average(averages, axis=0, weights=weights) + weight_decay * mu) / (s + weight_decay)
    return Law(mu, 1.0 / np.sqrt(examples * (s + weight_decay)))


def vogn_limit(problem: Problem) -> Law:
    """Where VOGN ends on a linear regression, with its expectations exact, whatever the size of its batches.

    The gradient of example i is `x_i (x_i . w - y_i) / noise^2`: its square has the mean
    `x_i^2 (r_i^2 + sum_j x_ij^2 sigma_j^2) / noise^4`, with r_i the residual at the posterior mean. A fixed point.
    """
    n, d = problem.x.shape
    mean = np.linalg.solve(precision(problem), problem.x.T @ problem.y / problem.noise_scale**2)
    variance = np.full(d, 1.0 / n)
    for _ in range(10000):
        square = np.zeros(d)
        for x_i, y_i in zip(problem.x, problem.y, strict=True):
            square += x_i**2 * ((x_i @ mean - y_i) ** 2 + x_i**2 @ variance) / problem.noise_scale**4 / n
        variance = 0.5 * variance + 0.5 / (n * square + 1.0 / problem.prior_scale**2)
    return Law(mean, np.sqrt(variance))


def vadam_limit(problem: Problem) -> Law:
    """Where Vadam ends on the whole data of a linear regression, with its expectations exact.

    The mean of squared gradients at the posterior mean m is `(delta m_i)^2 + sum_j H_ij^2 sigma_j^2`, with H the
    Hessian of the mean loss: a fixed point in sigma, found by iteration.
    """
    n, d = problem.x.shape
    share = 1.0 / (problem.prior_scale**2 * n)
    hessian = precision(problem) / n - share * np.eye(d)
    mean = np.linalg.solve(precision(problem), problem.x.T @ problem.y / problem.noise_scale**2)
    variance = np.full(d, 1.0 / n)
    for _ in range(10000):
        square = (share * mean) ** 2 + hessian**2 @ variance
        variance = 0.5 * variance + 0.5 / (n * (square + share))
    return Law(mean, np.sqrt(variance))
