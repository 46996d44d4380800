"""The embedding of this library as an adapter: the kit has words as whole numbers of the layer's dtype."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library import NOISE, gaussian_of
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.embedding import Embedding


class LibraryEmbedding(LibraryTree):
    """An embedding, on NumPy."""

    def sample(self, x: Array) -> Array:
        return super().sample(x.astype(np.int64))

    def evaluate(self, x: Array) -> Array:
        return super().evaluate(x.astype(np.int64))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return super().sample_with_noise(x.astype(np.int64), noise)

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        words = x.astype(np.int64)  # which have no gradient
        y, residuals = self.layer.forward(self._params, self._draw(words), words)
        return {**self._by_name(self.layer.backward(residuals, grad_y)[1]), "y": y}


def embedding(
    estimator: Literal["shared", "flipout", "local"] = "flipout",
    *,
    dtype: Literal["float32", "float64"] = "float64",
    **sizes: Any,
) -> LibraryEmbedding:
    """The embedding with a Gaussian prior, of width 0.5 unless it is given; `sizes` are fields of its description."""
    from bayesnoise import divergences, estimators, maps
    from bayesnoise.methods import compose

    d: Any = Embedding(estimator=estimator, dtype=dtype, name="library:embedding", **{"prior": 0.5, **sizes})
    laws: dict[str, Any] = {"shared": estimators.Shared(), "flipout": estimators.Flipout(), "local": estimators.Local()}
    posterior, raw = gaussian_of(d.scale)
    made = compose(
        maps.Embedding(d.rows, d.features), posterior, laws[estimator], divergences.GaussianKL(d.prior), "none"
    )
    noise = {name: f"estimator.{name}" for name in NOISE[estimator]}
    return LibraryEmbedding(made, d, {"mean": "mu", "rho": raw}, noise)
