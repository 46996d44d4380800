"""The table of contents: each method of the field as a composition, under the name the field gives it.

Every function takes a map and returns a layer. None of them computes anything: what a method is made of is what it is.
A file has the methods of one idea, and their rows.
"""

from __future__ import annotations

from bayesnoise import _checks
from bayesnoise.methods import dropouts, gaussian_weights, variational_dropouts
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.methods.dropouts import dropout, gaussian_dropout
from bayesnoise.methods.gaussian_weights import bayes_by_backprop, deterministic, flipout, local_reparameterization
from bayesnoise.methods.variational_dropouts import (
    automatic_relevance_determination,
    sparse_variational_dropout,
    variational_dropout,
)

METHODS = (*gaussian_weights.ROWS, *dropouts.ROWS, *variational_dropouts.ROWS)

__all__ = [
    "METHODS",
    "Bias",
    "Method",
    "Scale",
    "automatic_relevance_determination",
    "bayes_by_backprop",
    "compose",
    "deterministic",
    "dropout",
    "flipout",
    "gaussian_dropout",
    "local_reparameterization",
    "method",
    "sparse_variational_dropout",
    "variational_dropout",
]


def method(name: str) -> Method:
    """The method of that name; ValueError with the nearest names if there is none."""
    _checks.one_of("method", name, tuple(m.name for m in METHODS))
    return next(m for m in METHODS if m.name == name)
