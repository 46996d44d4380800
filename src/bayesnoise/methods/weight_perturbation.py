"""Ordinary weights, of which the training procedure fits a Gaussian law by gradients at draws of it."""

from __future__ import annotations

from bayesnoise import natural_gradient
from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.procedures import Variational
from bayesnoise.stochastic import Stochastic


def ivon(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their law: `bayesnoise.natural_gradient.ivon`."""
    return deterministic(map, bias=bias)


def vadam(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their law: `bayesnoise.natural_gradient.vadam`."""
    return deterministic(map, bias=bias)


ROWS = (
    Method(
        ivon,
        "point, plain; their law by IVON",
        "Shen et al. 2024, Variational Learning is Effective for Large Deep Networks, arXiv 2402.17641",
        Variational(natural_gradient.ivon(), rate_scale=30.0),  # of a Newton step, where Adam's are lengths
    ),
    Method(
        vadam,
        "point, plain; their law by Vadam",
        "Khan et al. 2018, Fast and Scalable Bayesian Deep Learning by Weight-Perturbation in Adam, arXiv 1806.04854",
        Variational(natural_gradient.vadam()),
    ),
)
