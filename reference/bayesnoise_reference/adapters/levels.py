"""What an adapter may offer beyond sampling, a protocol each, and the level that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Adapter

LEVELS = {
    "load": 0,
    "sample": 0,
    "evaluate": 1,
    "gradients": 1,
    "kl": 1,
    "kl_gradients": 1,
    "network_kl": 1,
    "save": 1,
    "restore": 1,
    "sample_with_noise": 2,
}


class Differentiable(Adapter, Protocol):
    """Level 1, first half."""

    def gradients(self, x: Array, grad_y: Array) -> Mapping[str, Array]:
        """Of `sum(grad_y * y)` for one fresh draw, by the names of the parameters.

        If it is there, "y" is the output of that draw, and "x" the gradient of the input.
        """
        ...


class HasDivergence(Adapter, Protocol):
    """Level 1, second half."""

    def kl(self) -> float:
        """The KL term at the parameters last loaded, of every random parameter."""
        ...


class HasDivergenceGradients(Adapter, Protocol):
    """Level 1: the gradients of the KL alone."""

    def kl_gradients(self) -> Mapping[str, Array]:
        """By the names of the parameters."""
        ...


class HasNetworkDivergence(Adapter, Protocol):
    """Level 1: how the implementation adds up the divergences of a network."""

    def network_kl(self, arrangement: str) -> float | None:
        """The KL of a network that holds the layer once, inside a part of a part ("nested"), or of one that uses the
        very same layer twice ("shared"): its parameters are the same random variables in both places. None where the
        implementation has no such network.
        """
        ...


class HasEvaluation(Adapter, Protocol):
    """Level 1: a pass without noise."""

    def evaluate(self, x: Array) -> Array:
        """The output at the mean of every law."""
        ...


class Savable(Adapter, Protocol):
    """Level 1: the layer can be written down and read back."""

    def save(self) -> object:
        """Whatever `restore` takes."""
        ...

    def restore(self, saved: object) -> None:
        """Be the layer that was saved."""
        ...


class Replayable(Adapter, Protocol):
    """Level 2."""

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        """The output for this noise: "eps" in the layout of the weights ("zeta" like the output for a local estimator),
        "sign_in" (n, in) and "sign_out" (n, out) for flipout, and "bias_eps" for a random bias, (out,) if the
        estimator is shared and (n, out) if not.
        """
        ...
