"""Dense layers of this library whose weights have a law with a structure, as adapters."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.posterior import Posterior

Dtype: TypeAlias = Literal["float32", "float64"]
Draws: TypeAlias = Literal["call", "flipout", "local"]

NOISE = {"call": ("eps",), "flipout": ("eps", "sign_in", "sign_out"), "local": ("zeta",)}


class _Given:
    """A generator whose parts give these arrays, one each."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def split(self, n: int) -> tuple[_Given, ...]:
        assert n == len(self.values)
        return tuple(_Given(value) for value in self.values)

    def normal(self, shape: tuple[int, ...], *, like: Any) -> Any:
        return self.values[0].reshape(shape)


class LibraryRadial(LibraryTree):
    """Radial weights, whose noise is that of a direction and of a radius."""

    @property
    def abilities(self) -> frozenset[str]:
        """Those of every layer, and given noise."""
        return super().abilities | {"sample_with_noise"}

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        at = self._in(x)
        given: Any = _Given(*(self._in(noise[name]) for name in ("eps", "radius")))
        drawn = self.layer.draw(given, self._params, at.shape, like=self.like)
        return self._out(self.layer.forward(self._params, drawn, at)[0])


def _named(names: tuple[str, ...], before: str = "") -> dict[str, str]:
    return {name: before + name for name in names}


def _estimator(draws: str) -> Any:
    from bayesnoise.estimators import Flipout, Local, Shared

    return {"call": Shared(), "flipout": Flipout(), "local": Local()}[draws]


def k_tied_normal(
    *, inputs: int = 4, outputs: int = 3, rank: int = 2, draws: Draws = "flipout", dtype: Dtype = "float64"
) -> LibraryTree:
    """Its scales of low rank."""
    from bayesnoise import maps, methods

    sizes: Any = {"inputs": inputs, "outputs": outputs, "rank": rank, "draws": draws, "dtype": dtype}
    what = Posterior(kind="k_tied", name="library:k_tied_normal", **sizes)
    layer = methods.k_tied_normal(
        maps.Dense(inputs, outputs), rank=rank, prior_scale=what.prior, bias="none", estimator=_estimator(draws)
    )
    return LibraryTree(layer, what, _named(("mu", "log_u", "log_v")), _named(NOISE[draws], "estimator."))


def variational_matrix_gaussian(
    *, inputs: int = 4, outputs: int = 3, draws: Draws = "local", dtype: Dtype = "float64"
) -> LibraryTree:
    """Its variances a row and a column."""
    from bayesnoise import maps, methods

    sizes: Any = {"inputs": inputs, "outputs": outputs, "draws": draws, "dtype": dtype}
    what = Posterior(kind="matrix_gaussian", name="library:variational_matrix_gaussian", **sizes)
    layer = methods.variational_matrix_gaussian(
        maps.Dense(inputs, outputs), prior_scale=what.prior, bias="none", estimator=_estimator(draws)
    )
    return LibraryTree(layer, what, _named(("mu", "log_u", "log_v")), _named(NOISE[draws], "estimator."))


def low_rank_gaussian(*, inputs: int = 4, outputs: int = 3, rank: int = 2, dtype: Dtype = "float64") -> LibraryTree:
    """Its correlated weights, drawn at the output."""
    from bayesnoise import maps, methods

    sizes: Any = {"inputs": inputs, "outputs": outputs, "rank": rank, "dtype": dtype}
    what = Posterior(kind="low_rank", draws="local", name="library:low_rank_gaussian", **sizes)
    layer = methods.low_rank_gaussian(maps.Dense(inputs, outputs), rank=rank, prior_scale=what.prior, bias="none")
    parameters = {"mu": "diagonal.mu", "log_sigma": "diagonal.log_sigma", "factor": "factor"}
    return LibraryTree(layer, what, parameters, {"zeta": "diagonal.estimator.zeta", "e": "e"})


def radial(*, inputs: int = 4, outputs: int = 3, dtype: Dtype = "float64") -> LibraryTree:
    """Its weights in a uniform direction, one draw a call."""
    from bayesnoise import maps, methods

    sizes: Any = {"inputs": inputs, "outputs": outputs, "dtype": dtype}
    what = Posterior(kind="radial", name="library:radial", **sizes)
    layer = methods.radial(maps.Dense(inputs, outputs), prior_scale=what.prior, bias="none")
    return LibraryRadial(layer, what, _named(("mu", "rho")))
