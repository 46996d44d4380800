"""What a loss is: the negative log-likelihood of each example, constants included, so that losses compare."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bayesnoise import _checks
from bayesnoise._typing import Array, Params, Residuals


class Loss(Protocol):
    """The law of a target given the outputs `f` of a network. What satisfies it are frozen dataclasses."""

    def output_features(self, targets: int) -> int:
        """How many outputs of the network the loss needs for so many columns of targets, or classes."""
        ...

    def init(self, *, like: Array) -> Params:
        """Fresh parameters of the law, with the namespace, dtype and device of `like`."""
        ...

    def forward(self, params: Params, f: Array, target: Array) -> tuple[Array, Residuals]:
        """`-log p(target | f)` of each example, `(n,)`, and what `backward` needs."""
        ...

    def backward(self, residuals: Residuals, grad_nll: Array) -> tuple[Array, Params]:
        """The gradients of `f` and of the parameters, from that of each example's value, `(n,)`."""
        ...


@runtime_checkable
class Regression(Loss, Protocol):
    """A loss whose law has a mean and a variance: those of one pass through a network."""

    def mean(self, params: Params, f: Array) -> Array:
        """The mean of the targets, in their shape."""
        ...

    def variance(self, params: Params, f: Array) -> Array:
        """The variance of the targets about that mean, in their shape."""
        ...


@runtime_checkable
class Classification(Loss, Protocol):
    """A loss whose law is a table of probabilities, classes along the last axis."""

    def log_probabilities(self, params: Params, f: Array) -> Array: ...


def check_outputs(f: Array) -> None:
    """Raise unless `f` is a table of real numbers, one row an example."""
    _checks.floating("f", f)
    if f.ndim != 2:
        raise ValueError(f"f has shape {tuple(f.shape)}, expected (n, k), one row an example")


def check_targets(f: Array, target: Array, outputs: int = 1) -> None:
    """Raise unless the targets have the backend and dtype of `f`, and one column for each `outputs` columns of `f`."""
    check_outputs(f)
    _checks.floating("target", target)
    _checks.same_kind("target", target, "f", f)
    n, k = f.shape
    if k % outputs:
        raise ValueError(f"f has shape {tuple(f.shape)}, expected (n, {outputs} k) for k columns of targets")
    if tuple(target.shape) != (n, k // outputs):
        raise ValueError(
            f"target has shape {tuple(target.shape)}, expected {(n, k // outputs)} for f of shape {tuple(f.shape)}: "
            "reshape it, one target a row as well"
        )
