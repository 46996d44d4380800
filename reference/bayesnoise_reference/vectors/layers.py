"""How a noisy layer becomes a definition: its output and its KL by the oracle, every gradient by complex step.

`parts` names what is differentiated. A bug replaces the output, the KL or a gradient, and everything that follows from
what it replaces follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step, gauss_hermite
from bayesnoise_reference.vectors.records import Bug, Values

GRADIENTS = "grad_* are those of sum(grad_y * y) with the noise held fixed, kl_grad_* are those of kl"

Function: TypeAlias = Callable[[Values], Any]


def same(inputs: Values, outputs: Values) -> Values:
    return outputs


@dataclass(frozen=True)
class LayerDefinition:
    """`y`, the gradients of `sum(grad_y y)`, the KL and its gradients."""

    output: Function
    parameters: tuple[str, ...]
    kl: Function | None = None
    amend: Callable[[Values, Values], Values] = same  # the last word, for bugs of a gradient
    backward_output: Function | None = None  # what is differentiated, if not the output: a bug
    known: dict[Any, tuple[Values, Values]] = field(default_factory=dict)  # shared by what `replace` makes of this

    def __call__(self, inputs: Values) -> Values:
        differentiated = self.backward_output or self.output
        outputs = self._once((self.output, differentiated), inputs, lambda: self._sample(differentiated, inputs))
        if self.kl is not None:
            kl = self.kl
            outputs = outputs | self._once((kl,), inputs, lambda: self._divergence(kl, inputs))
        return self.amend(inputs, dict(outputs))

    def _once(self, functions: tuple[Function, ...], inputs: Values, compute: Callable[[], Values]) -> Values:
        """Computed once: most bugs change one thing, and the inputs are the same in every dtype."""
        key = (*functions, id(inputs))
        if key not in self.known:
            self.known[key] = inputs, compute()  # the inputs are kept, and with them their id
        return self.known[key][1]

    def _sample(self, differentiated: Function, inputs: Values) -> Values:
        gradients = {f"grad_{name}": _gradient(differentiated, name, inputs) for name in ("x", *self.parameters)}
        return {"y": np.asarray(self.output(inputs)), **gradients}

    def _divergence(self, kl: Function, inputs: Values) -> Values:
        return {
            "kl": np.asarray(kl(inputs)),
            **{f"kl_grad_{name}": _slope(kl, name, inputs) for name in self.parameters},
        }


def _slope(function: Function, name: str, inputs: Values) -> Array:
    return complex_step(lambda value: function(inputs | {name: value}), inputs[name])


def _gradient(output: Function, name: str, inputs: Values) -> Array:
    """The gradient of `sum(grad_y y)`; that of `x` at an example of zeros is the mean of both sides of the kink."""

    def loss(given: Values) -> Any:
        return np.sum(inputs["grad_y"] * output(given))

    x = inputs["x"]
    dead = np.array([not np.any(row) for row in x], dtype=bool)
    if name != "x" or not np.any(dead):
        return _slope(loss, name, inputs)
    towards = np.zeros(x.shape)
    towards[dead] = 2.0**-10
    sides = [_slope(loss, "x", inputs | {"x": x + sign * towards}) for sign in (1.0, -1.0)]
    return 0.5 * (sides[0] + sides[1])


def gaussian_kl(mean: Array, sigma: Array, log_sigma: Array, prior_mean: Array, prior_scale: Array) -> Any:
    """`E log q(w) - log p(w)` over `w = mean + sigma t`, exact with three nodes: the integrand is quadratic in t."""
    total: Any = 0.0
    for t, weight in zip(*gauss_hermite(3), strict=True):
        log_q = -log_sigma - 0.5 * t * t
        log_p = -np.log(prior_scale) - (mean + sigma * t - prior_mean) ** 2 / (2.0 * prior_scale**2)
        total = total + weight * np.sum(log_q - log_p)
    return total


def changed(right: LayerDefinition, *changes: tuple[str, str, dict[str, Any]]) -> tuple[Bug, ...]:
    """What is right, with each of the changes."""
    return tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)


def grad(name: str, function: Callable[[Values], Array]) -> dict[str, Any]:
    """A bug of one gradient."""
    return {"amend": lambda inputs, outputs: outputs | {name: np.asarray(function(inputs | outputs))}}
