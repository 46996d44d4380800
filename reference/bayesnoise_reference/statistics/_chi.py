"""Expectations over a chi variable, the root of a chi-square one, by Gauss-Legendre quadrature."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri, gammaincinv, gammaln

from bayesnoise_reference.numerics import Real, gauss_legendre

_TAIL = 1e-18  # probability left out on each side


def chi_nodes(degrees: int) -> tuple[Real, Real]:
    """Nodes and weights `(m,)`: `sum(weights * f(nodes))` is `E f(chi)` for smooth bounded f, to about 1e-14."""
    low = np.sqrt(2.0 * gammaincinv(0.5 * degrees, _TAIL))
    high = np.sqrt(chdtri(degrees, _TAIL))
    u, weights = gauss_legendre(np.linspace(low, high, 7), 20)
    log_density = (1.0 - 0.5 * degrees) * np.log(2.0) - gammaln(0.5 * degrees) + (degrees - 1) * np.log(u) - 0.5 * u * u
    return u, weights * np.exp(log_density)
