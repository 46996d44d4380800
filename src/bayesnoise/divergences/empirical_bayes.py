"""The divergence of a column of weights with correlated noise to a Gaussian prior whose precisions are at their best.

A column of Q has the law `N(theta, D S D)`, `D = diag(theta)`: its weights share the noise `1 + e`, `e ~ N(0, S)`. To
the prior `N(0, diag(1 / beta))` its divergence is least at `beta_i = 1 / (theta_i^2 (1 + S_ii))`, and there it is

    KL = (Q / 2) sum_i (log(1 + S_ii) - log alpha_i),    prod_i alpha_i = det S

summed over the k units of a column, not over the Q columns. theta is gone. By Hadamard's inequality it is not negative.
Nguyen et al. 2021 (arXiv 2102.07927); with `S = diag(alpha)` it is `ARD`.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from bayesnoise._typing import Array


def empirical_bayes_kl(log_alpha: Array, variances: Array, columns: float) -> Array:
    """The divergence of all columns, shape (): (k,) eigenvalues of S in the logarithm, (k,) its diagonal."""
    xp = array_namespace(log_alpha, variances)
    return 0.5 * columns * xp.sum(xp.log1p(variances) - log_alpha)


def empirical_bayes_kl_grad(log_alpha: Array, variances: Array, columns: float) -> tuple[Array, Array]:
    """The gradients by log alpha and by the variances, each (k,), the one with the other held fixed."""
    return array_namespace(log_alpha).full_like(log_alpha, -0.5 * columns), 0.5 * columns / (1.0 + variances)
