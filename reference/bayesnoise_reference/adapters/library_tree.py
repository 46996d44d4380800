"""An adapter of any layer of this library: its parameters and its noise by the paths that they have in their trees.

LibraryTree(Multiply(Bernoulli(0.2)), what)
LibraryTree(layer, what, {"mean": "weight.theta", "log_alpha": "0.log_alpha"}, {"zeta": "0.zeta"})
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Subject


class LibraryTree:
    """A layer on the backend of `like`, an array; without it, on NumPy in the dtype of the description.

    `parameters` and `noise` give, by the names of the family, the dotted paths of leaves. Parameters that are not named
    stay as they were made; `fixed` gives numbers to those, by path. `example` is the shape of a batch, for a KL that
    draws. ValueError for a path that is not there.
    """

    def __init__(
        self,
        layer: Any,
        description: Subject,
        parameters: Mapping[str, str] | None = None,
        noise: Mapping[str, str] | None = None,
        *,
        fixed: Mapping[str, float] | None = None,
        example: tuple[int, ...] | None = None,
        like: Any = None,
    ) -> None:
        from bayesnoise import tree

        self.layer, self.description, self._example = layer, description, example
        self.like = np.zeros((), dtype=description.dtype) if like is None else like
        self._parameters, self._noise = dict(parameters or {}), dict(noise or {})
        self._tree = tree
        self._loaded: dict[str, tuple[int, ...]] = {}
        self.seed(0)
        made = layer.init(self._fresh(), like=self.like)
        self._params = self._with(made, {path: np.asarray(value) for path, value in (fixed or {}).items()})
        self._with(made, dict.fromkeys(self._parameters.values(), np.zeros(())))  # refuses paths that are not there

    @property
    def abilities(self) -> frozenset[str]:
        """Every level; noise can be given if its names are known."""
        able = {"seed", "load", "parameters", "sample", "evaluate", "gradients", "kl", "kl_gradients", "network_kl"}
        return frozenset(able | {"save", "restore"} | ({"sample_with_noise"} if self._noise else set()))

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

    def _with(self, like: Any, given: Mapping[str, Array]) -> Any:
        """The tree with arrays at the given paths, in the shapes that are there."""
        here = dict(self._tree.paths(like))
        missing = [path for path in given if path not in here]
        if missing:
            raise ValueError(f"the layer has no {missing[0]!r}, only {', '.join(here) or 'nothing'}")
        arrays = (self._shaped(given[path], leaf.shape) if path in given else leaf for path, leaf in here.items())
        return self._tree.unflatten(like, arrays)

    def _shaped(self, value: Array, shape: tuple[int, ...]) -> Any:
        """As the leaf that it takes the place of: signs (n, c) may be (n, c, 1, 1) there, and a number many."""
        laid = np.asarray(value, dtype=self.description.dtype)
        laid = laid.reshape(shape) if laid.size == np.prod(shape) else np.broadcast_to(laid, shape)
        return self._in(np.array(laid))

    def load(self, parameters: dict[str, Array]) -> None:
        """Put the parameters in their places."""
        self._params = self._with(self._params, {self._parameters[name]: v for name, v in parameters.items()})
        self._loaded = {name: np.shape(value) for name, value in parameters.items()}

    def _by_name(self, tree: Any) -> dict[str, Array]:
        leaves = dict(self._tree.paths(tree))
        return {name: self._as_loaded(name, self._out(leaves[path])) for name, path in self._parameters.items()}

    def _as_loaded(self, name: str, value: Array) -> Array:
        """In the shape that was loaded: a leaf (c, 1, 1) may have been given as (c,)."""
        shape: tuple[int, ...] = self._loaded.get(name, tuple(value.shape))
        return value.reshape(shape) if value.size == prod(shape) else value

    def parameters(self) -> dict[str, Array]:
        """What the layer holds, under the names of the family."""
        return self._by_name(self._params)

    def _draw(self, x: Any) -> Any:
        return self.layer.draw(self._fresh(), self._params, x.shape, like=self.like)

    def sample(self, x: Array) -> Array:
        at = self._in(x)
        return self._out(self.layer.forward(self._params, self._draw(at), at)[0])

    def evaluate(self, x: Array) -> Array:
        return self._out(self.layer.predict(self._params, self._in(x)))

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        at = self._in(x)
        y, residuals = self.layer.forward(self._params, self._draw(at), at)
        grad_x, grads = self.layer.backward(residuals, self._in(grad_y))
        return {**self._by_name(grads), "x": self._out(grad_x), "y": self._out(y)}

    def _kl_noise(self) -> Any:
        if self._example is None:
            return None
        return self._draw(self._in(np.zeros(self._example, dtype=self.description.dtype)))

    def kl(self) -> float:
        return self._number(self.layer.kl(self._params, self._kl_noise()))

    def _number(self, value: Any) -> float:
        return value if isinstance(value, float) else float(self._out(value))

    def kl_gradients(self) -> dict[str, Array]:
        """The gradient of the KL, under the names of the family."""
        return self._by_name(self.layer.kl_grad(self._params, self._kl_noise()))

    def network_kl(self, arrangement: str) -> float | None:
        """In a chain of chains. A chain has parameters of its own for each part, so that none is shared."""
        from bayesnoise import chain

        if arrangement != "nested":
            return None
        noise = self._kl_noise()
        inside = None if noise is None else ((noise,),)
        return self._number(chain(chain(self.layer)).kl(((self._params,),), inside))

    def save(self) -> bytes:
        """The bytes of a checkpoint."""
        from bayesnoise import checkpoints

        with TemporaryDirectory() as folder:
            path = Path(folder) / "layer.safetensors"
            checkpoints.save(path, self._params, to_host=self._out)
            return path.read_bytes()

    def restore(self, saved: bytes) -> None:
        """Read the bytes of a checkpoint back."""
        from bayesnoise import checkpoints

        with TemporaryDirectory() as folder:
            path = Path(folder) / "layer.safetensors"
            path.write_bytes(saved)
            self._params = checkpoints.load(path, like=self._params)

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        at = self._in(x)
        made = self._draw(at)  # for its types and shapes alone
        made = self._with(made, {self._noise[name]: value for name, value in noise.items()})
        return self._out(self.layer.forward(self._params, made, at)[0])
