"""An adapter of this library's own layers, of every level.

LibraryLayer(bayesnoise.flipout(maps.Dense(8, 64)), Description("dense", "flipout", 8, 64, bias="deterministic",
prior=1.0))
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description


class LibraryLayer:
    """A layer of `bayesnoise` on the backend of `like`, an array; without it, on NumPy in the dtype of the
    description.
    """

    def __init__(self, layer: Any, description: Description, like: Any = None) -> None:
        self.layer, self.description = layer, description
        self.like = np.zeros((), dtype=description.dtype) if like is None else like
        self._params: Any = None
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=self.like)

    def _fresh(self) -> Any:
        self._rng, now = self._rng.split(2)
        return now

    def _in(self, value: Array) -> Any:
        from bayesnoise_backends import from_host

        return from_host(value, like=self.like)

    def _out(self, value: Any) -> Array:
        from bayesnoise_backends import to_host

        return np.array(to_host(value))

    def load(self, parameters: dict[str, Array]) -> None:
        """Make the layer's parameters of these."""
        made = self.layer.init(self._fresh(), like=self.like)
        held = {name: self._in(value) for name, value in parameters.items()}
        weight = made if self.description.bias == "none" else made.weight
        weight = type(weight)(held["mean"], held["rho"])
        if self.description.bias == "none":
            self._params = weight
            return
        names = ("bias",) if self.description.bias == "deterministic" else ("bias_mean", "bias_rho")
        self._params = type(made)(weight, type(made.bias)(*(held[name] for name in names)))

    def parameters(self) -> dict[str, Array]:
        """What the layer holds."""
        return self._by_name(self._params)

    def _by_name(self, tree: Any) -> dict[str, Array]:
        names = {"none": (), "deterministic": ("bias",), "random": ("bias_mean", "bias_rho")}[self.description.bias]
        weight, bias = (tree, ()) if not names else (tree.weight, tree.bias)
        return dict(zip(("mean", "rho", *names), map(self._out, (*weight, *bias)), strict=True))

    def _draw(self, x: Any) -> Any:
        return self.layer.draw(self._fresh(), self._params, x.shape, like=self.like)

    def sample(self, x: Array) -> Array:
        at = self._in(x)
        return self._out(self.layer.forward(self._params, self._draw(at), at)[0])

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        at = self._in(x)
        y, residuals = self.layer.forward(self._params, self._draw(at), at)
        grad_x, grads = self.layer.backward(residuals, self._in(grad_y))
        return {**self._by_name(grads), "x": self._out(grad_x), "y": self._out(y)}

    def kl(self) -> float:
        return float(self._out(self.layer.kl(self._params)))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        at = self._in(x)
        made = self._draw(at)  # for its types and shapes alone
        affine = self.description.bias != "none"
        weight: Any = made.weight if affine else made
        bias: Any = made.bias if affine else None
        weight = weight._replace(estimator=self._filled(weight.estimator, noise))
        if self.description.bias == "random":
            bias = bias._replace(
                estimator=self._filled(bias.estimator, dict.fromkeys(("eps", "zeta"), noise["bias_eps"]))
            )
        made = made._replace(weight=weight, bias=bias) if affine else weight
        return self._out(self.layer.forward(self._params, made, at)[0])

    def _filled(self, made: Any, noise: dict[str, Array]) -> Any:
        given = {name: self._in(noise[name]).reshape(getattr(made, name).shape) for name in made._fields}
        return made._replace(**given)
