"""The layer of this library whose factors a flow makes, as an adapter."""

from __future__ import annotations

from typing import Any, Literal

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.flow import STEP, Flow


class LibraryFlow(LibraryTree):
    """Its layer, whose bound can be asked for at given noise."""

    @property
    def abilities(self) -> frozenset[str]:
        """Those of every layer, and the bound at given noise."""
        return super().abilities | {"bound_with_noise"}

    def bound_with_noise(self, eps: Array, eta: Array) -> Array:
        """The estimate `()` for `eps` (units,) and `eta`, one number for each weight of a unit."""
        noise = self._with(self._kl_noise(), {"kl_eps": eps, "kl_eta": eta})
        return self._out(self.layer.kl(self._params, noise))


def multiplicative_normalizing_flow(
    *,
    inputs: int = 3,
    outputs: int = 4,
    unit: Literal["input", "output"] = "input",
    steps: int = 2,
    hidden: int = 3,
    dtype: Literal["float32", "float64"] = "float64",
) -> LibraryFlow:
    """A factor an input, or an output."""
    from bayesnoise import maps, methods

    name = "library:multiplicative_normalizing_flow"
    sizes: Any = {"inputs": inputs, "outputs": outputs, "steps": steps, "hidden": hidden, "dtype": dtype}
    what = Flow(kind=unit, name=name, **sizes)
    layer = methods.multiplicative_normalizing_flow(
        maps.Dense(inputs, outputs), unit=unit, prior_scale=what.prior, steps=steps, hidden=hidden, bias="none"
    )
    paths = {
        "mean": "weight.mu",
        "rho": "weight.rho",
        "base_mean": "factor.base.mu",
        "base_log_sigma": "factor.base.log_sigma",
    }
    paths |= {part: f"auxiliary.{part}" for part in ("contrast", "shift", "log_precision")}
    for before, tree in (("", "factor.flow"), ("r_", "auxiliary.flow")):
        paths |= {f"{before}{part}_{t}": f"{tree}.{t - 1}.{part}" for t in range(1, steps + 1) for part in STEP}
    return LibraryFlow(layer, what, paths, {"eps": "eps", "zeta": "zeta"}, example=(1, inputs))
