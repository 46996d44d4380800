"""The methods of this library with noise on weights in proportion to them, as adapters, over a dense map."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.weight_noise import RAW, WeightNoise

Dtype: TypeAlias = Literal["float32", "float64"]


class LibraryMasks(LibraryTree):
    """DropConnect, whose noise of mean 0 and variance 1 stands for a mask."""

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        from bayesnoise.posteriors.standard import TwoPoint

        deviation = TwoPoint(self.layer.posterior.rate).deviation
        return super().sample_with_noise(x, {"kept": np.where(noise["kept"] > 0.5, deviation, -1.0 / deviation)})


def drop_connect(
    *,
    rate: float = 0.25,
    masks: Literal["call", "example"] = "call",
    inputs: int = 4,
    outputs: int = 6,
    dtype: Dtype = "float64",
) -> LibraryTree:
    """Every weight has a mask of its own, for a call or for an example."""
    from bayesnoise import maps, methods
    from bayesnoise.estimators import PerExample, Shared

    what = WeightNoise(
        kind="drop_connect",
        rate=rate,
        masks=masks,
        inputs=inputs,
        outputs=outputs,
        dtype=dtype,
        name="library:drop_connect",
    )
    estimator: Any = Shared() if masks == "call" else PerExample()
    layer = methods.drop_connect(maps.Dense(inputs, outputs), rate=rate, estimator=estimator, bias="none")
    return LibraryMasks(layer, what, {"theta": "theta"}, {"kept": "estimator.eps"})


def _normal(method: Any, what: WeightNoise) -> LibraryTree:
    from bayesnoise import maps

    layer = method(maps.Dense(what.inputs, what.outputs), bias="none")
    names = ("theta", RAW[what.kind])
    return LibraryTree(layer, what, {name: name for name in names}, {"zeta": "estimator.zeta"})


def variational_dropout(*, inputs: int = 4, outputs: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """Type A: normal noise on every weight, with a learned alpha of its own."""
    from bayesnoise import methods

    name = "library:variational_dropout"
    what = WeightNoise(kind="multiplicative", inputs=inputs, outputs=outputs, dtype=dtype, name=name)
    return _normal(methods.variational_dropout, what)


def sparse_variational_dropout(*, inputs: int = 4, outputs: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """Additive noise, and the log-uniform prior."""
    from bayesnoise import methods

    name = "library:sparse_variational_dropout"
    what = WeightNoise(kind="additive", inputs=inputs, outputs=outputs, dtype=dtype, name=name)
    return _normal(methods.sparse_variational_dropout, what)


def automatic_relevance_determination(*, inputs: int = 4, outputs: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """Additive noise, and the best normal prior of each weight."""
    from bayesnoise import methods

    name = "library:automatic_relevance_determination"
    what = WeightNoise(kind="additive", prior="ard", inputs=inputs, outputs=outputs, dtype=dtype, name=name)
    return _normal(methods.automatic_relevance_determination, what)
