"""The table of contents: each method of the field as a composition, under the name the field gives it.

Every function takes a map and returns a layer. None of them computes anything: what a method is made of is what it is.
A file has the methods of one idea, and their rows.
"""

from __future__ import annotations

from bayesnoise import _checks
from bayesnoise.methods import (
    closed_forms,
    compressions,
    deep_ensembles,
    dropouts,
    flows,
    gaussian_weights,
    learned_masks,
    masks,
    radial_weights,
    stochastic_weight_averaging,
    structured_dropouts,
    structured_gaussians,
    variational_dropouts,
    weight_perturbation,
)
from bayesnoise.methods.closed_forms import linear_regression
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.methods.compressions import bayesian_compression
from bayesnoise.methods.deep_ensembles import deep_ensemble
from bayesnoise.methods.dropouts import dropout, gaussian_dropout
from bayesnoise.methods.flows import multiplicative_normalizing_flow
from bayesnoise.methods.gaussian_weights import bayes_by_backprop, deterministic, flipout, local_reparameterization
from bayesnoise.methods.learned_masks import concrete_dropout, information_dropout
from bayesnoise.methods.masks import drop_block, drop_connect, spatial_dropout
from bayesnoise.methods.radial_weights import radial
from bayesnoise.methods.stochastic_weight_averaging import swag
from bayesnoise.methods.structured_dropouts import structured_variational_dropout, variational_structured_dropout
from bayesnoise.methods.structured_gaussians import k_tied_normal, low_rank_gaussian, variational_matrix_gaussian
from bayesnoise.methods.variational_dropouts import (
    automatic_relevance_determination,
    sparse_variational_dropout,
    variational_dropout,
)
from bayesnoise.methods.weight_perturbation import ivon, slang, vadam, vogn

METHODS = (
    *gaussian_weights.ROWS,
    *dropouts.ROWS,
    *variational_dropouts.ROWS,
    *weight_perturbation.ROWS,
    *structured_gaussians.ROWS,
    *flows.ROWS,
    *structured_dropouts.ROWS,
    *masks.ROWS,
    *compressions.ROWS,
    *closed_forms.ROWS,
    *deep_ensembles.ROWS,
    *stochastic_weight_averaging.ROWS,
    *radial_weights.ROWS,
    *learned_masks.ROWS,
)

__all__ = [
    "METHODS",
    "Bias",
    "Method",
    "Scale",
    "automatic_relevance_determination",
    "bayes_by_backprop",
    "bayesian_compression",
    "compose",
    "concrete_dropout",
    "deep_ensemble",
    "deterministic",
    "drop_block",
    "drop_connect",
    "dropout",
    "flipout",
    "gaussian_dropout",
    "information_dropout",
    "ivon",
    "k_tied_normal",
    "linear_regression",
    "local_reparameterization",
    "low_rank_gaussian",
    "method",
    "multiplicative_normalizing_flow",
    "radial",
    "slang",
    "sparse_variational_dropout",
    "spatial_dropout",
    "structured_variational_dropout",
    "swag",
    "vadam",
    "variational_dropout",
    "variational_matrix_gaussian",
    "variational_structured_dropout",
    "vogn",
]


def method(name: str) -> Method:
    """The method of that name; ValueError with the nearest names if there is none."""
    _checks.one_of("method", name, tuple(m.name for m in METHODS))
    return next(m for m in METHODS if m.name == name)
