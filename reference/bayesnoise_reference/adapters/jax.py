"""An adapter of a JAX function of a tree of parameters, a key and an input, compiled, with gradients by `jax.vjp`.

    JaxFunction(apply, params, {"mean": "dense.mu", "rho": "dense.rho"}, Description("dense", "flipout", 8, 64,
    dtype="float32"), kl=kl)

Every call splits the key. Names of parameters are those of the family, see `adapter`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Subject


class JaxFunction:
    """The layer `apply(params, key, x)`, with parameters in the tree `params`, whose other leaves stay as they are.

    `names` gives the path of the leaf of each parameter, its keys, fields and indices joined by dots; or it is a
    function of the parameters by name that returns the whole tree. `kl(params)` is the divergence,
    `evaluate(params, x)` the output without noise, and `network_kl(params, arrangement)` the divergence of a network
    that has the layer with these parameters, "nested" or "shared" as for `HasNetworkDivergence`, None where there is no
    such network. ValueError for a path that is not there, or of another shape, and for float64 where JAX has 32 bits.
    """

    def __init__(
        self,
        apply: Callable[..., Any],
        params: Any,
        names: Mapping[str, str] | Callable[[dict[str, Any]], Any],
        description: Subject,
        *,
        kl: Callable[..., Any] | None = None,
        evaluate: Callable[..., Any] | None = None,
        network_kl: Callable[..., Any] | None = None,
    ) -> None:
        import jax

        config: Any = jax.config
        if description.dtype == "float64" and not config.jax_enable_x64:
            raise ValueError(
                'dtype is float64, and JAX has 32 bits: jax.config.update("jax_enable_x64", True), or dtype="float32"'
            )
        self._jax, self.description = jax, description
        self._put = names if callable(names) else _Leaves(jax, params, names)
        self._params: dict[str, Any] = {}
        put = self._put
        self._sample = jax.jit(lambda held, key, x: apply(put(held), key, x))
        self._evaluate = jax.jit(lambda held, x: evaluate(put(held), x)) if evaluate is not None else None
        self._kl = jax.jit(lambda held: kl(put(held))) if kl is not None else None
        self._kl_gradients = jax.jit(jax.grad(lambda held: kl(put(held)))) if kl is not None else None
        self._network_kl = network_kl
        self._gradients = jax.jit(lambda held, key, x, g: self._pullback(apply, held, key, x, g))
        self.seed(0)

    @property
    def versions(self) -> dict[str, str]:
        """The version of JAX, for the report."""
        return {"jax": str(self._jax.__version__)}

    @property
    def abilities(self) -> frozenset[str]:
        """Everything of level 1 that a function was given for."""
        given = {"kl": self._kl, "kl_gradients": self._kl, "evaluate": self._evaluate, "network_kl": self._network_kl}
        return frozenset({"load", "sample", "gradients", "seed"} | {name for name, f in given.items() if f is not None})

    def seed(self, seed: int) -> None:
        """Begin with the key of this seed."""
        self._key = self._jax.random.key(seed)

    def _fresh(self) -> Any:
        self._key, now = self._jax.random.split(self._key)
        return now

    def load(self, parameters: dict[str, Array]) -> None:
        """Keep the parameters as arrays of JAX."""
        self._params = {name: self._jax.numpy.asarray(value) for name, value in parameters.items()}
        if isinstance(self._put, _Leaves):
            self._put.check(self._params)

    def sample(self, x: Array) -> Array:
        return np.array(self._sample(self._params, self._fresh(), x))

    def evaluate(self, x: Array) -> Array:
        assert self._evaluate is not None
        return np.array(self._evaluate(self._params, x))

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        found = self._gradients(self._params, self._fresh(), x, grad_y)
        return {name: np.array(value) for name, value in found.items()}

    def _pullback(self, apply: Callable[..., Any], held: Any, key: Any, x: Any, g: Any) -> dict[str, Any]:
        y, pull = self._jax.vjp(lambda p, at: apply(self._put(p), key, at), held, x)
        grads, grad_x = pull(g.astype(y.dtype))
        return {**grads, "x": grad_x, "y": y}

    def kl(self) -> float:
        assert self._kl is not None
        return float(self._kl(self._params))

    def kl_gradients(self) -> dict[str, Array]:
        assert self._kl_gradients is not None
        return {name: np.array(value) for name, value in self._kl_gradients(self._params).items()}

    def network_kl(self, arrangement: str) -> float | None:
        assert self._network_kl is not None
        value = self._network_kl(self._put(self._params), arrangement)
        return None if value is None else float(value)


class _Leaves:
    """Parameters by name, put into the places of a tree."""

    def __init__(self, jax: Any, params: Any, names: Mapping[str, str]) -> None:
        found, self._structure = jax.tree_util.tree_flatten_with_path(params)
        self._leaves = {".".join(map(_step, path)): leaf for path, leaf in found}
        self._names = dict(names)
        self._jax = jax
        missing = [path for path in self._names.values() if path not in self._leaves]
        if missing:
            raise ValueError(f"names has {missing[0]!r}, which is none of {', '.join(self._leaves) or 'no leaves'}")

    def check(self, held: Mapping[str, Any]) -> None:
        """ValueError for a parameter that has no name, or a place of another shape."""
        for name, value in held.items():
            if name not in self._names:
                raise ValueError(f"names does not say which leaf is {name}")
            shape = np.shape(self._leaves[self._names[name]])
            if shape != value.shape:
                raise ValueError(
                    f"{self._names[name]} has shape {shape}, the description gives {value.shape}: look at its sizes "
                    "and its layout"
                )

    def __call__(self, held: Mapping[str, Any]) -> Any:
        placed = {self._names[name]: value for name, value in held.items()}
        leaves = [placed.get(path, leaf) for path, leaf in self._leaves.items()]
        return self._jax.tree_util.tree_unflatten(self._structure, leaves)


def _step(key: Any) -> str:
    """A step of a path as a word: the key of a dict, the name of a field, an index."""
    return str(next(getattr(key, kind) for kind in ("key", "name", "idx") if hasattr(key, kind)))
