"""Counts: `-log Poisson(y | exp(f)) = exp(f) - y f + log y!`, summed over the columns of targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.layer import Empty
from bayesnoise.losses.loss import check_outputs, check_targets

_SMALL = 12  # up to here factorials are products; above, the first term left out of the series is below 1e-15


def log_factorial(count: Array) -> Array:
    """`log y!` of whole numbers from 0: the log of the product, or Stirling's series (DLMF 5.11.1).

    Exactly 0 at 0 and at 1; the largest relative error is 5e-16 in float64.
    """
    xp = array_namespace(count)
    small = count <= _SMALL
    product = xp.ones_like(count)
    for factor in range(2, _SMALL + 1):
        product = product * xp.where(small & (count >= factor), xp.full_like(count, factor), xp.ones_like(count))
    y = xp.where(small, xp.full_like(count, _SMALL + 1.0), count)
    q = 1.0 / (y * y)
    series = (1.0 / 12.0 - q * (1.0 / 360.0 - q * (1.0 / 1260.0 - q * (1.0 / 1680.0 - q / 1188.0)))) / y
    stirling = y * (xp.log(y) - 1.0) + 0.5 * xp.log(2.0 * math.pi * y) + series
    return xp.where(small, xp.log(product), stirling)


class PoissonResiduals(NamedTuple):
    rate: Array  # (n, k)
    target: Array  # (n, k)


@dataclass(frozen=True)
class Poisson:
    """`f (n, k)` are the log rates of the counts `target (n, k)`, whole numbers from 0 in the dtype of `f`.

    ValueError where the two shapes differ or a target is no count.
    """

    def output_features(self, targets: int) -> int:
        return targets

    def init(self, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: Empty, f: Array, target: Array) -> tuple[Array, PoissonResiduals]:
        check_targets(f, target)
        xp = array_namespace(f)
        if not _checks.every((target >= 0.0) & (target == xp.floor(target)) & xp.isfinite(target)):
            raise ValueError("target holds a number that is no count, expected whole numbers from 0")
        rate = xp.exp(f)
        return xp.sum(rate - target * f + log_factorial(target), axis=1), PoissonResiduals(rate, target)

    def backward(self, residuals: PoissonResiduals, grad_nll: Array) -> tuple[Array, Empty]:
        rate, target = residuals
        return array_namespace(rate).expand_dims(grad_nll, axis=1) * (rate - target), Empty()

    def mean(self, params: Empty, f: Array) -> Array:
        check_outputs(f)
        return array_namespace(f).exp(f)

    def variance(self, params: Empty, f: Array) -> Array:
        return self.mean(params, f)
