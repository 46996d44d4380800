"""Bayes by Backprop: one sample of the weights a call, used by every example.

Blundell, Cornebise, Kavukcuoglu, Wierstra 2015, "Weight Uncertainty in Neural Networks" (arXiv 1505.05424).
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array, Contract


def output(x: Array, mean: Array, scale: Array, eps: Array, contract: Contract) -> Array:
    """`y_n = contract(x_n, W)` with `W = mean + scale eps` for all n; `eps` is like the weights, standard normal."""
    w = mean + scale * eps
    return np.stack([contract(x_n, w) for x_n in x])
