"""An adapter of this library's layers of random weights, of every level.

LibraryLayer(bayesnoise.flipout(maps.Dense(8, 64)), Description("dense", "flipout", 8, 64, bias="deterministic",
prior=1.0))
"""

from __future__ import annotations

from typing import Any

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.library_tree import LibraryTree

NOISE = {"shared": ("eps",), "flipout": ("eps", "sign_in", "sign_out"), "local": ("zeta",)}


class LibraryLayer(LibraryTree):
    """A layer with a Gaussian posterior on the backend of `like`, as for `LibraryTree`."""

    def __init__(self, layer: Any, description: Description, like: Any = None) -> None:
        weight = "" if description.bias == "none" else "weight."
        names = {"mean": f"{weight}mu", "rho": f"{weight}rho"}
        noise = {name: f"{weight}estimator.{name}" for name in NOISE[description.estimator]}
        if description.bias == "deterministic":
            names["bias"] = "bias.theta"
        if description.bias == "random":
            names |= {"bias_mean": "bias.mu", "bias_rho": "bias.rho"}
            noise["bias_eps"] = f"bias.estimator.{'eps' if description.estimator == 'shared' else 'zeta'}"
        super().__init__(layer, description, names, noise, like=like)


def gaussian_of(scale: str) -> tuple[Any, str]:
    """The posterior that stores a scale so, and what it calls it; ValueError where there is none."""
    from bayesnoise.posteriors import Gaussian, LogSigmaGaussian

    posteriors: dict[str, Any] = {"softplus": (Gaussian(), "rho"), "exp": (LogSigmaGaussian(), "log_sigma")}
    if scale not in posteriors:
        raise ValueError(f"scale is {scale!r}, expected one of {', '.join(map(repr, posteriors))}")
    found: tuple[Any, str] = posteriors[scale]
    return found
