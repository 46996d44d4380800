"""Random numbers drawn on the host by NumPy and handed to any backend: the very same noise everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise._typing import Array, Shape


def numpy_dtype(like: Array) -> Any:
    """The NumPy dtype with the name of an array's dtype."""
    return np.dtype(str(like.dtype).rsplit(".", 1)[-1])


@dataclass(frozen=True)
class HostRng:
    """A NumPy generator whose draws are converted to the namespace, dtype and device of `like`."""

    generator: np.random.Generator

    def _convert(self, draw: Any, like: Array) -> Array:
        host = np.asarray(draw, dtype=numpy_dtype(like))
        return array_namespace(like).asarray(host, dtype=like.dtype, device=device(like))

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return self._convert(self.generator.standard_normal(shape), like)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        steps = 2.0 ** min(24, np.finfo(numpy_dtype(like)).nmant + 1)  # finer ones would round to 1 in half precision
        return self._convert(np.floor(self.generator.random(shape, dtype=np.float32) * steps) / steps, like)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        return self._convert(2.0 * self.generator.integers(0, 2, shape) - 1.0, like)

    def split(self, n: int) -> tuple[HostRng, ...]:
        return tuple(HostRng(child) for child in self.generator.spawn(n))


def host_rng(seed: int) -> HostRng:
    """A `HostRng` from a seed."""
    return HostRng(np.random.default_rng(seed))
