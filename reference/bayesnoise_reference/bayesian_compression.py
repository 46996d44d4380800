"""Bayesian compression: normal weights in groups, each group times a factor with a sparse prior, and bits for the rest.

Louizos, Ullrich, Welling 2017, "Bayesian Compression for Deep Learning" (arXiv 1705.08665).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import divergences, local_reparameterization
from bayesnoise_reference._typing import Array, Contract


def gaussian_factor(theta: Array, log_sigma2: Array, eps: Array) -> Array:
    """`(k,), (k,), (n, k) -> (n, k)`: the factors of the normal-Jeffreys prior."""
    return np.asarray(theta + np.sqrt(np.exp(log_sigma2)) * eps)


def horseshoe_factor(shared: Any, each: Any, shared_eps: Array, eps: Array) -> Array:
    """`(n, 1), (n, k) -> (n, k)`: `sqrt(s_a s_b a_i b_i)`, of four log-normal variables, `s` the same for all i.

    `shared` and `each` hold the mean and the logarithm of the standard deviation of the logarithms of two of them. The
    logarithm of the product of two is normal; its noise is `shared_eps` and `eps`.
    """
    rows = []
    for s_n, e_n in zip(shared_eps, eps, strict=True):
        products = []
        for ((m_a, l_a), (m_b, l_b)), noise in ((shared, s_n), (each, e_n)):
            products.append(np.exp(m_a + m_b + np.sqrt(np.exp(l_a) ** 2 + np.exp(l_b) ** 2) * noise))
        rows.append(np.sqrt(products[0]) * np.sqrt(products[1]))
    return np.stack(rows)


def of_inputs(x: Array, z: Array, mean: Array, scale: Array, zeta: Array, contract: Contract) -> Array:
    """Example n has the weights `z_ni w_io`, `w_io ~ N(mean, scale^2)`; its output is drawn from their law."""
    rows = []
    for x_n, z_n, zeta_n in zip(x, z, zeta, strict=True):
        m, v = local_reparameterization.example_moments(x_n, z_n[:, None] * mean, z_n[:, None] * scale, contract)
        rows.append(m + np.sqrt(v) * zeta_n)
    return np.stack(rows)


def of_outputs(x: Array, z: Array, mean: Array, scale: Array, bias: Array, zeta: Array, contract: Contract) -> Array:
    """A factor a filter, of what the filter and its bias give: `y_no = z_no (w_no * x_n + b_o)`."""
    rows = []
    for x_n, z_n, zeta_n in zip(x, z, zeta, strict=True):
        m, v = local_reparameterization.example_moments(x_n, mean, scale, contract)
        filters = [z_o * (m_o + np.sqrt(v_o) * e_o + b_o) for z_o, m_o, v_o, e_o, b_o in zip(z_n, m, v, zeta_n, bias)]  # noqa: B905
        rows.append(np.stack(filters))
    return np.stack(rows)


def gaussian_factor_kl(theta: Array, log_sigma2: Array) -> Any:
    """To `p(z) = 1 / |z|`, one term a unit."""
    return divergences.log_uniform(theta, np.sqrt(np.exp(log_sigma2)))


def horseshoe_factor_kl(shared: Any, each: Any, factor_scale: float) -> Any:
    """Four terms: the shared pair once, the pair of each unit for each unit."""
    total: Any = 0.0
    for ((m_a, l_a), (m_b, l_b)), gamma_scale in ((shared, factor_scale**2), (each, 1.0)):
        total = total + divergences.log_normal_gamma(m_a, np.exp(l_a), gamma_scale)
        total = total + divergences.log_normal_inverse_gamma(m_b, np.exp(l_b), 1.0)
    return total


def log_half_cauchy(z: Array, scale: float) -> Array:
    """The log-density of `|c|`, with c Cauchy of that scale."""
    return np.asarray(np.log(2.0 / (np.pi * scale)) - np.log1p((z / scale) ** 2))


def places(sd: Array, precision: str) -> int:
    """Binary places of a layer, by search for each weight, then the mean rounded up; at most 23.

    "scale": the first t for which half of `2^-t` is at most the standard deviation. "variance": how many of the unit
    round-offs `2^-1`, `2^-2`, ... are above twice the variance.
    """
    each = []
    for s in np.ravel(sd):
        fine = [t for t in range(23) if 0.5 * 2.0**-t <= s]
        above = [t for t in range(1, 24) if 2.0 * s**2 < 2.0**-t]
        each.append(len(above) if precision == "variance" else min([*fine, 23]))
    return int(np.ceil(np.mean(each)))


def exponent_bits(largest: float) -> int:
    """The first e with `2^(e - 1)` at least `log2(largest) + 1`; that counts as 1 if it is below."""
    inner = max(np.log2(largest) + 1.0, 1.0) if largest > 0 else 1.0
    return next(e for e in range(1, 20) if 2.0 ** (e - 1) >= inner)
