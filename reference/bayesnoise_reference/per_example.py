"""Weights for every example: `w_n = mean + scale eps_n`, all of them written out."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array, Contract


def output(x: Array, mean: Array, scale: Array, eps: Array, contract: Contract) -> Array:
    """`y_n = contract(x_n, mean + scale * eps_n)`; `eps` has one draw of the weights an example."""
    return np.stack([contract(x_n, mean + scale * eps_n) for x_n, eps_n in zip(x, eps, strict=True)])
