"""An adapter of this library's layers of random weights, of every level.

LibraryLayer(bayesnoise.flipout(maps.Dense(8, 64)), Description("dense", "flipout", 8, 64, bias="deterministic",
prior=1.0))
"""

from __future__ import annotations

from typing import Any

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.library_tree import LibraryTree

_NOISE = {"shared": ("eps",), "flipout": ("eps", "sign_in", "sign_out"), "local": ("zeta",)}


class LibraryLayer(LibraryTree):
    """A layer with a Gaussian posterior on the backend of `like`, as for `LibraryTree`."""

    def __init__(self, layer: Any, description: Description, like: Any = None) -> None:
        weight = "" if description.bias == "none" else "weight."
        names = {"mean": f"{weight}mu", "rho": f"{weight}rho"}
        noise = {name: f"{weight}estimator.{name}" for name in _NOISE[description.estimator]}
        if description.bias == "deterministic":
            names["bias"] = "bias.theta"
        if description.bias == "random":
            names |= {"bias_mean": "bias.mu", "bias_rho": "bias.rho"}
            noise["bias_eps"] = f"bias.estimator.{'eps' if description.estimator == 'shared' else 'zeta'}"
        super().__init__(layer, description, names, noise, like=like)
