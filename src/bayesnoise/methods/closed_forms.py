"""Ordinary weights, whose law given the data needs no descent."""

from __future__ import annotations

from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.procedures import ClosedForm
from bayesnoise.stochastic import Stochastic


def linear_regression(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights; `fit` and predictions take `procedure=ClosedForm(prior_scale)`, for one dense layer alone."""
    return deterministic(map, bias=bias)


ROWS = (
    Method(
        linear_regression,
        "point, plain; the exact posterior of one dense layer, for regression",
        "Bishop 2006, Pattern Recognition and Machine Learning, section 3.3",
        ClosedForm,
    ),
)
