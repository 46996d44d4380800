"""The evolution strategies of this library, as estimators of the gradient of a quadratic objective."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.evolution import Evolution


class LibraryEvolution:
    """`FlipES` on one matrix of parameters."""

    def __init__(self, description: Evolution) -> None:
        from bayesnoise.evolution import FlipES

        d = description
        self.description, self._held = d, dict[str, Array]()
        self._strategy = FlipES(d.scale, d.members, d.bases, antithetic=d.kind == "antithetic")
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=np.zeros((), dtype=self.description.dtype))

    def load(self, parameters: dict[str, Array]) -> None:
        """Keep the objective and where its gradient is wanted."""
        self._held = parameters

    def _estimate(self, noise: Any) -> Array:
        h = self._held
        members = self._strategy.perturb((h["theta"],), noise)
        values = [h["level"][0] + np.sum(h["curvature"] * (w - h["target"]) ** 2) / 2 for (w,) in members]
        (found,) = self._strategy.gradient(noise, np.asarray(values, dtype=self.description.dtype))
        return np.asarray(found)

    def sample(self, x: Array) -> Array:
        """An estimate a row."""
        self._rng, *sources = self._rng.split(1 + len(x))
        return np.stack([self._estimate(self._strategy.draw(r, (self._held["theta"],))) for r in sources])

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        """The estimate for given perturbations and signs."""
        from bayesnoise.evolution import Base

        parts = zip(noise["eps"], noise["sign_in"], noise["sign_out"], strict=True)
        return self._estimate(tuple(Base((e,), (i,), (o,)) for e, i, o in parts))[None]


def flip_es(
    *,
    kind: Literal["antithetic", "baseline"] = "antithetic",
    rows: int = 3,
    columns: int = 2,
    members: int = 4,
    bases: int = 4,
    scale: float = 0.25,
    dtype: Literal["float32", "float64"] = "float64",
) -> LibraryEvolution:
    """`bayesnoise.evolution.FlipES`, with pairs or with a baseline."""
    sizes = {"rows": rows, "columns": columns, "members": members, "bases": bases}
    return LibraryEvolution(Evolution(kind=kind, scale=scale, dtype=dtype, name="library:flip_es", **sizes))
