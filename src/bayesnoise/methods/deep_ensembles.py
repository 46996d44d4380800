"""Several ordinary networks in the place of one law."""

from __future__ import annotations

from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.procedures import DeepEnsemble
from bayesnoise.stochastic import Stochastic


def deep_ensemble(map: Map, *, prior_scale: float | None = None, bias: Bias = "deterministic") -> Stochastic | Affine:
    """The layer of a member, with ordinary weights; `fit` and predictions take `procedure=DeepEnsemble(members)`."""
    return deterministic(map, prior_scale=prior_scale, bias=bias)


ROWS = (
    Method(
        deep_ensemble,
        "point, plain; several members",
        "Lakshminarayanan, Pritzel, Blundell 2017, Deep Ensembles, arXiv 1612.01474",
        DeepEnsemble,
    ),
)
