"""An adapter of plain functions: whatever can be called with NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Subject


class Functions:
    """A layer given by functions of its parameters, which come first, a dict of arrays by name.

    `sample(parameters, x)`, `evaluate(parameters, x)`, `gradients(parameters, x, grad_y)`, `kl(parameters)`,
    `sample_with_noise(parameters, x, noise)` and `seed(seed)` are as in `Adapter`; only the first is needed.
    """

    def __init__(
        self,
        description: Subject,
        sample: Callable[[dict[str, Array], Array], Any],
        *,
        evaluate: Callable[[dict[str, Array], Array], Any] | None = None,
        gradients: Callable[[dict[str, Array], Array, Array], Mapping[str, Array]] | None = None,
        kl: Callable[[dict[str, Array]], Any] | None = None,
        sample_with_noise: Callable[[dict[str, Array], Array, dict[str, Array]], Any] | None = None,
        seed: Callable[[int], Any] | None = None,
    ) -> None:
        self.description = description
        self._functions: dict[str, Callable[..., Any] | None] = {
            "sample": sample,
            "evaluate": evaluate,
            "gradients": gradients,
            "kl": kl,
            "sample_with_noise": sample_with_noise,
            "seed": seed,
        }
        self._parameters: dict[str, Array] = {}

    @property
    def abilities(self) -> frozenset[str]:
        """The methods that were given a function."""
        return frozenset({"load", *(name for name, function in self._functions.items() if function is not None)})

    def load(self, parameters: dict[str, Array]) -> None:
        """Keep the parameters for the calls that follow."""
        self._parameters = parameters

    def _apply(self, name: str, *arguments: Any) -> Any:
        function = self._functions[name]
        if function is None:
            raise NotImplementedError(f"no function was given for {name}")
        return function(*arguments)

    def sample(self, x: Array) -> Any:
        return self._apply("sample", self._parameters, x)

    def evaluate(self, x: Array) -> Any:
        return self._apply("evaluate", self._parameters, x)

    def gradients(self, x: Array, grad_y: Array) -> Any:
        return self._apply("gradients", self._parameters, x, grad_y)

    def kl(self) -> Any:
        return self._apply("kl", self._parameters)

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Any:
        return self._apply("sample_with_noise", self._parameters, x, noise)

    def seed(self, seed: int) -> Any:
        return self._apply("seed", seed)
