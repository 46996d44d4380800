"""Gaussian weights with the covariance `Sigma = diag(sigma^2) + L L'` over all weights of a layer.

Tomczak, Swaroop, Turner 2020, "Efficient Low Rank Gaussian Variational Inference for Neural Networks" (NeurIPS 2020).
Example n has a mean of its own, `mu + sum_k e_nk L_k`; about it the weights are independent. `Sigma` is written out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import local_reparameterization
from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.numerics import gauss_hermite_grid


def means(mu: Array, factor: Array, e: Array) -> list[Array]:
    """The mean of each example's weights; `factor` is (rank, *weights), `e` (n, rank)."""
    each = []
    for e_n in e:
        mean = mu + 0.0 * factor[0]
        for e_nk, l_k in zip(e_n, factor, strict=True):
            mean = mean + e_nk * l_k
        each.append(mean)
    return each


def output(x: Array, mu: Array, log_sigma: Array, factor: Array, zeta: Array, e: Array, contract: Contract) -> Array:
    """With the diagonal part drawn at the output: `zeta` is like y."""
    rows = []
    for x_n, mean_n, zeta_n in zip(x, means(mu, factor, e), zeta, strict=True):
        m, v = local_reparameterization.example_moments(x_n, mean_n, np.exp(log_sigma), contract)
        rows.append(m + np.sqrt(v) * zeta_n)
    return np.stack(rows)


def covariance(log_sigma: Array, factor: Array) -> Array:
    """Of all weights, in the order of memory: `(weights, weights)`."""
    flat, columns = np.ravel(log_sigma), [np.ravel(l_k) for l_k in factor]
    sigma = np.zeros((len(flat), len(flat)), dtype=np.result_type(log_sigma, factor))
    for i in range(len(flat)):
        for j in range(len(flat)):
            sigma[i, j] = sum(column[i] * column[j] for column in columns)
        sigma[i, i] += np.exp(2.0 * flat[i])
    return sigma


def moments(x: Array, mu: Array, log_sigma: Array, factor: Array, contract: Contract) -> tuple[Array, Array]:
    """Mean and variance of every output: `c' mu` and `c' Sigma c`, with the coefficients c of its weights."""
    full = covariance(log_sigma, factor)
    means, variances = [], []
    for x_n in x:
        coefficients = np.stack([contract(x_n, np.reshape(w, mu.shape)) for w in np.eye(mu.size)])
        means.append(np.tensordot(np.ravel(mu), coefficients, 1))
        variances.append(np.einsum("i...,ij,j...->...", coefficients, full, coefficients))
    return np.stack(means), np.stack(variances)


def kl(mu: Any, log_sigma: Any, factor: Any, prior_scale: float) -> Any:
    """`E log q(w) - log p(w)` to `N(0, prior_scale^2)`, exact with two nodes an axis: the integrand is quadratic."""
    full, n = covariance(log_sigma, factor), np.size(mu)
    precision, log_det = np.linalg.inv(full), np.log(np.linalg.det(full))
    z, weights = gauss_hermite_grid(2, n + len(factor))
    away = z[:, :n] * np.exp(np.ravel(log_sigma)) + z[:, n:] @ np.reshape(factor, (len(factor), n))
    log_q = -0.5 * (n * np.log(2.0 * np.pi) + log_det + np.sum((away @ precision) * away, axis=1))
    w = np.ravel(mu) + away
    log_p = -0.5 * n * np.log(2.0 * np.pi * prior_scale**2) - np.sum(w * w, axis=1) / (2.0 * prior_scale**2)
    return np.sum(weights * (log_q - log_p))
