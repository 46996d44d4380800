"""A matrix Gaussian given pseudo-data, as the law of a Gaussian vector given some of its numbers.

Louizos, Welling 2016, "Structured and Efficient Variational Deep Learning with Matrix Gaussian Posteriors" (arXiv
1603.04733). The vector holds all weights, row after row, and all pseudo-outputs `B_kj = sum_i A_ki W_ij + noise` of
variance `jitter v_j`; its covariance is written out pair by pair, and inverted as it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.gaussian_vectors import conditional


class Given(NamedTuple):
    """The law before the pseudo-data, and these."""

    mu: Array  # (i, o)
    log_u: Array  # (i,)
    log_v: Array  # (o,)
    inputs: Array  # (m, i)
    outputs: Array  # (m, o)


def joint(given: Given, jitter: float) -> tuple[Array, Array]:
    """Mean and covariance of the weights `(i, o)`, then of the pseudo-outputs `(m, o)`, each in the order of memory."""
    mu, log_u, log_v, inputs, _ = given
    (i, o), m = mu.shape, len(inputs)
    u, v = np.exp(log_u), np.exp(log_v)
    kind = np.result_type(mu, log_u, log_v, inputs)
    total = (i + m) * o
    mean, covariance = np.zeros(total, dtype=kind), np.zeros((total, total), dtype=kind)
    rows = np.concatenate([np.eye(i), inputs])  # every number of the vector is a row times a column of weights
    for a in range(i + m):
        for j in range(o):
            mean[a * o + j] = sum(rows[a, k] * mu[k, j] for k in range(i))
            for b in range(i + m):
                own = sum(rows[a, k] * u[k] * rows[b, k] for k in range(i)) * v[j]
                covariance[a * o + j, b * o + j] = own + (jitter * v[j] if a == b >= i else 0.0)
    return mean, covariance


def weights_given_outputs(given: Given, jitter: float) -> tuple[Array, Array]:
    """Mean `(i o,)` and covariance `(i o, i o)` of the weights, given what they answer to the pseudo-inputs."""
    mean, covariance = joint(given, jitter)
    return conditional(mean, covariance, range(given.mu.size, len(mean)), np.ravel(given.outputs))


def moments(x: Array, law: tuple[Array, Array], o: int) -> tuple[Array, list[Array]]:
    """The mean `(n, o)` of the outputs, and for each example their covariance `(o, o)`."""
    mean, covariance = law
    means, covariances = [], []
    for x_n in x:
        linear = np.kron(x_n, np.eye(o))  # y_j = sum_i x_i W_ij
        means.append(linear @ mean)
        covariances.append(linear @ covariance @ linear.T)
    return np.stack(means), covariances


def output(x: Array, law: tuple[Array, Array], zeta: Array) -> Array:
    """A draw of each example's outputs, which are independent of each other: their covariance is diagonal."""
    means, covariances = moments(x, law, zeta.shape[1])
    return np.stack([m + np.sqrt(np.diag(c)) * z for m, c, z in zip(means, covariances, zeta, strict=True)])


def sampled_weights(given: Given, jitter: float, eps: Any) -> Array:
    """Weights from a draw `eps (i + m, o)` of everything: those of no pseudo-data, moved by what these answer wrongly.

    Matheron's rule: `W + cov(W, B) cov(B)^-1 (B - B(W))` has the law of W given B, column by column of W.
    """
    mu, log_u, log_v, inputs, outputs = given
    i, m = len(mu), len(inputs)
    u, v = np.exp(log_u), np.exp(log_v)
    w = mu + np.sqrt(u)[:, None] * eps[:i] * np.sqrt(v)
    answered = inputs @ w - np.sqrt(jitter) * eps[i:] * np.sqrt(v)
    gain = np.diag(u) @ inputs.T @ np.linalg.inv(inputs @ np.diag(u) @ inputs.T + jitter * np.eye(m))
    return np.asarray(w + gain @ (outputs - answered))
