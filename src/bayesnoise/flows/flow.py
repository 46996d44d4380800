"""Coupling steps one after the other, each moving the elements that the one before left: a normalizing flow.

Rezende, Mohamed 2015, "Variational Inference with Normalizing Flows" (arXiv 1505.05770): if `z` has the density q, then
`y = f(z)` has the density `q(z) / |det dy/dz|`, and the logarithms of the determinants of the steps add up.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise.flows.real_nvp import RealNVP, RealNVPParams, RealNVPResiduals


@dataclass(frozen=True)
class Flow:
    """`(n, d) -> (n, d)` and `(n,)`: so many steps, with hidden layers of one size. ValueError for a size below 1."""

    features: int
    steps: int = 2
    hidden: int = 50

    def __post_init__(self) -> None:
        for name in ("features", "steps", "hidden"):
            _checks.positive_integer(name, getattr(self, name))

    @property
    def _steps(self) -> tuple[RealNVP, ...]:
        return tuple(RealNVP(self.features, self.hidden, i % 2) for i in range(self.steps))

    def init(self, rng: Rng, *, like: Array) -> tuple[RealNVPParams, ...]:
        return tuple(step.init(r, like=like) for step, r in zip(self._steps, rng.split(self.steps), strict=True))

    def forward(self, params: tuple[RealNVPParams, ...], z: Array) -> tuple[Array, Array, tuple[RealNVPResiduals, ...]]:
        """The moved `z`, the log-determinant of each row, and what `backward` needs."""
        log_det = array_namespace(z).zeros((z.shape[0],), dtype=z.dtype, device=device(z))
        residuals = []
        for step, p in zip(self._steps, params, strict=True):
            z, more, r = step.forward(p, z)
            log_det = log_det + more
            residuals.append(r)
        return z, log_det, tuple(residuals)

    def backward(
        self, residuals: tuple[RealNVPResiduals, ...], grad_y: Array, grad_log_det: Array
    ) -> tuple[Array, tuple[RealNVPParams, ...]]:
        """Gradients of `z` and of the parameters, from those of the two outputs."""
        grads = []
        for step, r in reversed(list(zip(self._steps, residuals, strict=True))):
            grad_y, grad = step.backward(r, grad_y, grad_log_det)
            grads.append(grad)
        return grad_y, tuple(reversed(grads))

    def inverse(self, params: tuple[RealNVPParams, ...], y: Array) -> Array:
        """The `z` that `forward` takes to `y`."""
        for step, p in reversed(list(zip(self._steps, params, strict=True))):
            y = step.inverse(p, y)
        return y
