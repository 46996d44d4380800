"""The noise on activations of this library's methods, as adapters, alone where it stands before a map."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.noise import Noise

Dtype: TypeAlias = Literal["float32", "float64"]


def _multiply(law: Any, what: Noise) -> LibraryTree:
    from bayesnoise.noise import Multiply

    return LibraryTree(Multiply(law), what)


def dropout(*, rate: float = 0.25, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A Bernoulli factor for every element."""
    from bayesnoise.noise import Bernoulli

    what = Noise(kind="bernoulli", rate=rate, units=units, dtype=dtype, name="library:dropout")
    return _multiply(Bernoulli(rate), what)


def gaussian_dropout(*, alpha: float = 0.5, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A normal factor for every element."""
    from bayesnoise.noise import Gaussian

    what = Noise(kind="gaussian", alpha=alpha, units=units, dtype=dtype, name="library:gaussian_dropout")
    return _multiply(Gaussian(alpha), what)


def spatial_dropout(*, rate: float = 0.25, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A Bernoulli factor for every channel."""
    from bayesnoise.noise import Bernoulli, Spatial

    what = Noise(kind="spatial", rate=rate, units=units, dtype=dtype, name="library:spatial_dropout")
    return _multiply(Spatial(Bernoulli(rate), units, len(what.space)), what)


def drop_block(
    *,
    rate: float = 0.25,
    units: int = 4,
    space: tuple[int, ...] = (4, 4),
    block: int = 2,
    scale_by: Literal["batch", "example"] = "batch",
    dtype: Dtype = "float64",
) -> LibraryTree:
    """Blocks of every channel."""
    from bayesnoise.noise import DropBlock

    what = Noise(
        kind="drop_block",
        rate=rate,
        units=units,
        space=space,
        block=block,
        scale_by=scale_by,
        dtype=dtype,
        name="library:drop_block",
    )
    return LibraryTree(DropBlock(rate, (block,) * len(space), scale_by), what, noise={"blocks": "blocks"})


def variational_dropout_noise(*, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """Variational dropout of type B: normal factors with a learned alpha for every channel."""
    from bayesnoise.noise import LearnedGaussian

    what = Noise(kind="learned", units=units, dtype=dtype, name="library:variational_dropout")
    layer = LearnedGaussian(units, positions=len(what.space))
    return LibraryTree(layer, what, {"log_alpha": "log_alpha"}, {"zeta": "zeta"})
