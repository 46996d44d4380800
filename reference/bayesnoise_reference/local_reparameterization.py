"""Local reparameterization: the output's own Gaussian law in the place of that of the weights.

Kingma, Salimans, Welling 2015, "Variational Dropout and the Local Reparameterization Trick" (arXiv 1506.02557),
section 2.3. An output is linear in the weights, `y = sum_w c_w w`, so with independent weights it is Gaussian with mean
`sum c_w mean_w` and variance `sum c_w^2 scale_w^2`. The coefficients are read off one weight at a time.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array, Contract


def example_moments(x_n: Array, mean: Array, scale: Array, contract: Contract) -> tuple[Array, Array]:
    """Mean and variance of every output of one example."""
    m: Array = np.zeros(())  # broadcasts to the output
    v: Array = np.zeros(())
    for index in np.ndindex(*mean.shape):
        alone = np.zeros(mean.shape)
        alone[index] = 1.0
        coefficient = contract(x_n, alone)  # of this weight, in every output
        m = m + coefficient * mean[index]
        v = v + coefficient**2 * scale[index] ** 2
    return np.asarray(m), np.asarray(v)


def moments(x: Array, mean: Array, scale: Array, contract: Contract) -> tuple[Array, Array]:
    """Mean and variance of every output of every example: true of any estimator, for each output by itself."""
    each = [example_moments(x_n, mean, scale, contract) for x_n in x]
    return np.stack([m for m, _ in each]), np.stack([v for _, v in each])


def output(x: Array, mean: Array, scale: Array, zeta: Array, contract: Contract) -> Array:
    """`y = m + sqrt(v) zeta`, with `zeta` like the output, standard normal."""
    m, v = moments(x, mean, scale, contract)
    return np.asarray(m + np.sqrt(v) * zeta)
