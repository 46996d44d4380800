"""The methods of this library with noise of learned strength, as adapters, over a dense map."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.strength import Strength

Dtype: TypeAlias = Literal["float32", "float64"]


class LibraryInformation(LibraryTree):
    """Information dropout, whose divergence belongs to an example."""

    @property
    def abilities(self) -> frozenset[str]:
        """Those of every layer, and the divergence of examples."""
        return super().abilities | {"example_kl", "example_kl_gradients"}

    def example_kl(self, x: Array) -> Array:
        """That of one draw, `(n,)`."""
        at = self._in(x)
        _, residuals = self.layer.forward(self._params, self._draw(at), at)
        return self._out(self.layer.example_kl(residuals))

    def example_kl_gradients(self, x: Array) -> dict[str, Array]:
        """Of its sum, by the names of the family."""
        at = self._in(x)
        y, residuals = self.layer.forward(self._params, self._draw(at), at)
        ones = self._in(np.ones(len(x), dtype=x.dtype))
        grad_x, grads = self.layer.backward_with_kl(residuals, 0.0 * y, ones)
        return {**self._by_name(grads), "x": self._out(grad_x)}


def concrete_dropout(
    *, temperature: float = 0.25, prior: float = 0.5, units: int = 6, dtype: Dtype = "float64"
) -> LibraryTree:
    """A relaxed mask on the inputs of a dense map."""
    from bayesnoise import maps, methods

    name = "library:concrete_dropout"
    what = Strength(kind="concrete", units=units, temperature=temperature, prior=prior, dtype=dtype, name=name)
    layer = methods.concrete_dropout(maps.Dense(units, units), temperature=temperature, prior_scale=prior, bias="none")
    return LibraryTree(layer, what, {"theta": "theta", "logit": "logit"}, {"u": "u"})


def information_dropout(
    *,
    prior: Literal["log_uniform", "log_normal"] = "log_uniform",
    beta: float = 0.5,
    units: int = 6,
    dtype: Dtype = "float64",
) -> LibraryInformation:
    """Log-normal noise on the output of a dense map and its activation."""
    from bayesnoise import maps, methods

    what = Strength(kind=prior, units=units, beta=beta, dtype=dtype, name="library:information_dropout")
    layer = methods.information_dropout(maps.Dense(units, units), prior=prior, beta=beta, bias="none")
    names = {"theta": "value.theta", "theta_alpha": "spread.theta"}
    return LibraryInformation(layer, what, names, {"zeta": "zeta"})
