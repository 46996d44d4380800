"""DropConnect: every weight has a mask of its own, here in the inverted form.

Wan, Zeiler, Zhang, LeCun, Fergus 2013, "Regularization of Neural Networks using DropConnect" (ICML).
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.numerics import masks


def weights(theta: Array, kept: Array, rate: float) -> Array:
    """A weight is dropped where `kept` is 0; what is kept is divided by `1 - rate`."""
    w = np.zeros(theta.shape, dtype=np.result_type(theta, float))
    for index in np.ndindex(*theta.shape):
        if kept[index]:
            w[index] = theta[index] / (1.0 - rate)
    return w


def output(x: Array, theta: Array, kept: Array, rate: float, contract: Contract) -> Array:
    """Example n with the mask `kept[n]`, `(n, *weights)`."""
    each = [contract(x_n, weights(theta, kept_n, rate)) for x_n, kept_n in zip(x, kept, strict=True)]
    return np.stack(each)


def law(x_n: Array, theta: Array, rate: float, contract: Contract) -> tuple[Array, Array]:
    """Every output of one example, `(2^weights, *outputs)`, and its probability."""
    rows, chances = masks(theta.size, 1.0 - rate)
    return np.stack([contract(x_n, weights(theta, row.reshape(theta.shape), rate)) for row in rows]), chances


def moments(x: Array, theta: Array, rate: float, contract: Contract) -> tuple[Array, Array]:
    """Mean and variance of every output, by enumeration of the masks of all weights."""
    means, variances = [], []
    for x_n in x:
        outputs, chances = law(x_n, theta, rate, contract)
        mean = np.tensordot(chances, outputs, 1)
        means.append(mean)
        variances.append(np.tensordot(chances, (outputs - mean) ** 2, 1))
    return np.stack(means), np.stack(variances)
