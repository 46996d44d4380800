"""Class labels: `-log softmax(f)[label]`, the cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.layer import Empty
from bayesnoise.losses.loss import check_outputs
from bayesnoise.special import logsumexp


def log_softmax(f: Array) -> Array:
    """`f - log sum exp(f)` along the last axis; with the maximum taken off first, no digits go to a common shift."""
    shifted = f - array_namespace(f).max(f, axis=-1, keepdims=True)
    return shifted - logsumexp(shifted, axis=-1, keepdims=True)


class CategoricalResiduals(NamedTuple):
    log_probabilities: Array  # (n, k)
    hot: Array  # (n, k): True at the label


@dataclass(frozen=True)
class Categorical:
    """`f (n, k)` are the logits of k classes and `target (n,)` the integer labels, 0 to k - 1.

    ValueError for shapes that do not fit and for labels out of range, TypeError for labels that are not integers.
    """

    def output_features(self, targets: int) -> int:
        return targets

    def init(self, *, like: Array) -> Empty:
        return Empty()

    def forward(self, params: Empty, f: Array, target: Array) -> tuple[Array, CategoricalResiduals]:
        log_probabilities = self.log_probabilities(params, f)
        _check_labels(f, target)
        xp = array_namespace(f)
        classes = xp.arange(f.shape[1], dtype=xp.int32, device=device(f))
        hot = xp.expand_dims(xp.astype(target, xp.int32), axis=1) == classes[None, :]
        nll = -xp.sum(xp.where(hot, log_probabilities, xp.zeros_like(f)), axis=1)
        return nll, CategoricalResiduals(log_probabilities, hot)

    def backward(self, residuals: CategoricalResiduals, grad_nll: Array) -> tuple[Array, Empty]:
        """`softmax(f) - 1[label]`."""
        log_probabilities, hot = residuals
        xp = array_namespace(grad_nll)
        slope = xp.where(hot, xp.expm1(log_probabilities), xp.exp(log_probabilities))
        return xp.expand_dims(grad_nll, axis=1) * slope, Empty()

    def log_probabilities(self, params: Empty, f: Array) -> Array:
        """`(n, k)`, classes along the last axis."""
        check_outputs(f)
        if f.shape[1] < 1:
            raise ValueError(f"f has shape {tuple(f.shape)}, expected the logits (n, k) of one class or more")
        return log_softmax(f)


def _check_labels(f: Array, target: Array) -> None:
    n, k = f.shape
    _checks.integral("target", target)
    xp = array_namespace(f, target)
    _checks.shape("target", target, (n,))
    if not _checks.every((target >= 0) & (target < k)):
        least, most = int(xp.min(target)), int(xp.max(target))
        raise ValueError(f"target holds labels from {least} to {most}, expected 0 to {k - 1} for f of shape {(n, k)}")
