"""Binary targets: `-log Bernoulli(y | sigmoid(f))`, summed over the columns of targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.layer import Empty
from bayesnoise.losses.loss import check_outputs, check_targets
from bayesnoise.special import log_sigmoid, sigmoid, softplus


class BernoulliResiduals(NamedTuple):
    f: Array  # (n, k)
    sign: Array  # (n, k): -1 where the target is 1, and 1 where it is 0


@dataclass(frozen=True)
class Bernoulli:
    """`f (n, k)` are the logits of k independent targets `target (n, k)`, each 0 or 1.

    ValueError where the two shapes differ or a target is neither 0 nor 1.
    """

    def output_features(self, targets: int) -> int:
        return targets

    def init(self, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: Empty, f: Array, target: Array) -> tuple[Array, BernoulliResiduals]:
        check_targets(f, target)
        if not _checks.every((target == 0.0) | (target == 1.0)):
            raise ValueError("target holds a number that is neither 0 nor 1, expected only these")
        sign = 1.0 - 2.0 * target
        return array_namespace(f).sum(softplus(sign * f), axis=1), BernoulliResiduals(f, sign)

    def backward(self, residuals: BernoulliResiduals, grad_nll: Array) -> tuple[Array, Empty]:
        """`sigmoid(f) - y`."""
        f, sign = residuals
        return array_namespace(f).expand_dims(grad_nll, axis=1) * sign * sigmoid(sign * f), Empty()

    def log_probabilities(self, params: Empty, f: Array) -> Array:
        """`(n, k, 2)`: for each target, the log probabilities of 0 and of 1."""
        check_outputs(f)
        return array_namespace(f).stack([log_sigmoid(-f), log_sigmoid(f)], axis=-1)
