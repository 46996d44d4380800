"""The radial law: `w = mu + sigma eps / |eps| r`, with `eps` standard normal a weight and one standard normal r.

Farquhar, Osborne, Gal 2020, "Radial Bayesian Neural Networks: Beyond Discrete Support In Large-Scale Bayesian Deep
Learning" (arXiv 1907.00865). Expectations of its quadratic functions are exact sums: over the points -1 and 1 for r,
and over the 2n points `+-e_i` for the direction, which integrate polynomials of degree 3 over a sphere exactly.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.special import log1p, ndtr

from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.divergences import log_normal_density
from bayesnoise_reference.numerics import gauss_legendre


def weights(mu: Array, rho: Array, eps: Array, r: float) -> Array:
    """One draw of all weights."""
    return np.asarray(mu + log1p(np.exp(rho)) * eps / np.sqrt(np.sum(eps * eps)) * r)


def second_moment_points(n: int) -> Array:
    """`(4n, n)` equally likely values of `eps / |eps| r` that have its mean and its second moments."""
    axes = np.concatenate([np.eye(n), -np.eye(n)])
    return np.concatenate([axes, -axes])


def moments(x: Array, mu: Array, rho: Array, contract: Contract) -> tuple[Array, Array]:
    """Mean and variance of every output of every example."""
    points = [np.reshape(point, mu.shape) for point in second_moment_points(mu.size)]
    drawn = [mu + log1p(np.exp(rho)) * point for point in points]
    outputs = np.stack([np.stack([contract(x_n, w) for x_n in x]) for w in drawn])
    mean = np.mean(outputs, axis=0)
    return mean, np.mean((outputs - mean) ** 2, axis=0)


@cache
def sphere_area(n: int) -> float:
    """Of the unit sphere in n dimensions, slice by slice: `A_n = A_{n-1} integral_0^pi sin^(n-2)`, two points for 1."""
    if n == 1:
        return 2.0
    if n == 2:
        return 2.0 * np.pi
    angle, width = gauss_legendre(np.linspace(0.0, np.pi, 9))
    return sphere_area(n - 1) * float(np.sum(width * np.sin(angle) ** (n - 2)))


def probability_along(at: Array, n: int) -> Array:
    """That `eps / |eps| r` in n > 1 dimensions is at most so much along any one: the law of r times a cosine."""
    angle, width = gauss_legendre(np.linspace(0.0, 0.5 * np.pi, 9))
    mass = width * np.sin(angle) ** (n - 2)
    return np.asarray(ndtr(np.asarray(at)[..., None] / np.cos(angle)) @ mass / np.sum(mass))


@cache
def entropy(n: int) -> float:
    """Of `eps / |eps| r` in n dimensions: minus the expectation of its log density, by quadrature over the distance.

    The mass between two spheres, `2 phi(R) dR`, is spread over the area `A_n R^(n-1)`.
    """
    ladder = 0.5 ** np.arange(80)
    distance, width = gauss_legendre([0.0, *ladder[::-1], *np.linspace(1.0, 13.0, 25)[1:]])
    mass = 2.0 * np.exp(log_normal_density(distance, 0.0, 1.0))
    log_density = np.log(mass) - np.log(sphere_area(n)) - (n - 1) * np.log(distance)
    return float(-np.sum(width * mass * log_density))


def kl(mu: Any, rho: Any, prior_scale: float, prior_mean: float = 0.0) -> Any:
    """`E log q(w) - E log p(w)`: minus the entropy, which stretching by sigma moves by its logarithms."""
    flat_mu, sigma = np.ravel(mu), log1p(np.exp(np.ravel(rho)))
    points = second_moment_points(len(flat_mu))
    log_p = [np.sum(log_normal_density(flat_mu + sigma * p, prior_mean, prior_scale)) for p in points]
    return -entropy(len(flat_mu)) - np.sum(np.log(sigma)) - np.mean(np.stack(log_p))
