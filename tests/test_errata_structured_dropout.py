"""What is said of variational structured dropout and is not so: every row of docs/errata.md about it, with numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_reference.numerics import gauss_hermite_grid

Array = Any

K, Q = 5, 3
ALPHA = np.exp(0.5 * np.random.default_rng(1).standard_normal(K))
THETA = np.random.default_rng(2).standard_normal((K, Q))


def reflections(count: int, size: int = K) -> Array:
    """A product of Householder reflections."""
    rng, u = np.random.default_rng(3), np.eye(size)
    for _ in range(count):
        v = rng.standard_normal(size)
        u = (np.eye(size) - 2.0 * np.outer(v, v) / (v @ v)) @ u
    return u


U = reflections(2)


def gaussian_kl(covariance: Array, mean: Array, precision: Array) -> float:
    """From `N(mean, covariance)` to `N(0, diag(1 / precision))`."""
    terms = np.sum(precision * (np.diag(covariance) + mean**2)) - len(mean)
    return 0.5 * float(terms - np.linalg.slogdet(covariance)[1] - np.sum(np.log(precision)))


def test_the_sum_runs_over_inputs() -> None:
    """`(Q/2) sum_i [log(1 + sum_j alpha_j U_ij^2) - log alpha_i]` with j over the K inputs is the divergence."""
    right = 0.0
    for q in range(Q):
        d = np.diag(THETA[:, q])
        covariance = d @ U @ np.diag(ALPHA) @ U.T @ d
        best = 1.0 / (np.diag(covariance) + THETA[:, q] ** 2)  # the precisions that make it least
        right += gaussian_kl(covariance, THETA[:, q], best)

    def formula(last: int) -> float:
        s = (U[:, :last] ** 2) @ ALPHA[:last]
        return float(0.5 * Q * np.sum(np.log1p(s) - np.log(ALPHA)))

    assert formula(K) == pytest.approx(right, rel=1e-12)
    assert abs(formula(Q) - right) > 0.5


def test_the_noise_is_of_columns() -> None:
    """`diag(U e) = sum_i e_i diag(U_:i)` for `e = sqrt(alpha) eps`: by columns, not by rows."""
    e = np.sqrt(ALPHA) * np.random.default_rng(4).standard_normal(K)
    by_columns = sum(e[i] * np.diag(U[:, i]) for i in range(K)) @ THETA
    by_rows = sum(e[i] * np.diag(U[i]) for i in range(K)) @ THETA
    right = np.diag(U @ e) @ THETA
    np.testing.assert_allclose(by_columns, right, atol=1e-14)
    assert np.max(np.abs(by_rows - right)) > 0.3


@pytest.mark.parametrize("rotation", [np.eye(K), U], ids=["variational dropout", "structured"])
def test_the_law_of_the_weights_stays_singular(rotation: Array) -> None:
    """`vec(W) - Theta` spans K of the K Q dimensions, the same K with the reflections and without."""
    spread = np.stack([(np.diag(rotation[:, k]) @ THETA).ravel() for k in range(K)])
    plain = np.stack([(np.diag(np.eye(K)[k]) @ THETA).ravel() for k in range(K)])
    assert np.linalg.matrix_rank(spread) == K < K * Q
    outside = spread - spread @ np.linalg.pinv(plain) @ plain
    assert np.max(np.abs(outside)) < 1e-13


def test_the_regulariser_has_a_half() -> None:
    """The second-order term of `E loss(h + h * U e) - loss(h)` for a quadratic loss, which has no other."""
    k = 3
    rng, u = np.random.default_rng(5), reflections(2, k)
    h, root, alpha = rng.standard_normal(k), rng.standard_normal((k, k)), np.exp(rng.standard_normal(k))
    hessian = root @ root.T
    nodes, weights = gauss_hermite_grid(3, k)

    def loss(v: Array) -> float:
        return 0.5 * float(v @ hessian @ v)

    rise = sum(w * (loss(h + h * (u @ (np.sqrt(alpha) * z))) - loss(h)) for z, w in zip(nodes, weights, strict=True))
    inner = float(np.sum(hessian * (np.diag(h) @ u @ np.diag(alpha) @ u.T @ np.diag(h))))
    assert rise == pytest.approx(0.5 * inner, rel=1e-10)


def test_the_empirical_prior_has_a_precision_a_weight() -> None:
    """It is no isotropic prior: the best precisions of one column differ."""
    covariance = np.diag(THETA[:, 0]) @ U @ np.diag(ALPHA) @ U.T @ np.diag(THETA[:, 0])
    best = 1.0 / (np.diag(covariance) + THETA[:, 0] ** 2)
    at_one = gaussian_kl(covariance, THETA[:, 0], np.full(K, np.exp(np.mean(np.log(best)))))
    assert at_one > gaussian_kl(covariance, THETA[:, 0], best) + 0.2


def test_the_penalty_of_dropout_has_the_precision_and_the_chance_to_keep() -> None:
    """Of a weight that is theta with the chance `keep`, else 0, to `N(0, 1 / l^2)`: `keep l^2 theta^2 / 2` and more."""
    keep, root, s = 0.9, 3.0, 0.02
    w = np.linspace(-1.0, 4.0, 100_001)

    def divergence(theta: float) -> float:
        q = (keep * np.exp(-0.5 * ((w - theta) / s) ** 2) + (1 - keep) * np.exp(-0.5 * (w / s) ** 2)) / s
        q = q / np.sqrt(2.0 * np.pi) + 1e-300
        log_prior = -0.5 * (root * w) ** 2 - 0.5 * np.log(2.0 * np.pi) + np.log(root)
        return float(np.trapezoid(q * (np.log(q) - log_prior), w))

    assert divergence(2.0) - divergence(1.0) == pytest.approx(keep * root**2 * (4.0 - 1.0) / 2, rel=1e-9)
