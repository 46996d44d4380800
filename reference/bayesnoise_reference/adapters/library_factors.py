"""The factors of this library's methods that multiply whole units, as adapters."""

from __future__ import annotations

from typing import Any, Literal

from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.factors import Factors


def variational_structured_dropout(
    *, units: int = 3, columns: int = 2, reflections: int = 2, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryTree:
    """Its structured Gaussian noise on channels."""
    from bayesnoise.noise import StructuredGaussian

    name = "library:variational_structured_dropout"
    what: Any = Factors(
        kind="structured", units=units, columns=columns, reflections=reflections, dtype=dtype, name=name
    )
    paths = {"log_alpha": "log_alpha", "start": "reflections.start"}
    for t in range(reflections):
        for part in ("matrix", "shift"):
            paths[f"{part}_{t + 1}"] = f"reflections.steps.{t}.{part}"
    layer = StructuredGaussian(units, positions=1, columns=columns, reflections=reflections)
    return LibraryTree(layer, what, paths, {"eps": "eps"})


def structured_variational_dropout(
    *, units: int = 3, low: float = -3.0, high: float = 0.5, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryTree:
    """Its truncated log-normal factors of channels."""
    from bayesnoise.noise import GroupFactor, TruncatedLogNormal

    name = "library:structured_variational_dropout"
    what: Any = Factors(kind="truncated", units=units, low=low, high=high, dtype=dtype, name=name)
    layer = GroupFactor(units, 1, TruncatedLogNormal(low, high))
    return LibraryTree(layer, what, {"mu": "mu", "log_sigma": "log_sigma"}, {"eps": "eps"})
