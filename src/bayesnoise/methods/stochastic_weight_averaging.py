"""Ordinary weights, and a law from the way that descent takes with them."""

from __future__ import annotations

from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.procedures import Swag
from bayesnoise.stochastic import Stochastic


def swag(map: Map, *, prior_scale: float | None = None, bias: Bias = "deterministic") -> Stochastic | Affine:
    """A layer of the network that descends, with ordinary weights; `fit` and predictions take `procedure=Swag()`."""
    return deterministic(map, prior_scale=prior_scale, bias=bias)


ROWS = (
    Method(
        swag,
        "point, plain; Gaussian with the moments of the iterates",
        "Maddox et al. 2019, A Simple Baseline for Bayesian Uncertainty in Deep Learning, arXiv 1902.02476",
        Swag,
    ),
)
