"""Noise for Bayesian deep learning, on any backend of the Python array API, with gradients derived by hand.

A method takes a map and returns a layer, as in `flipout(maps.Dense(784, 300))`. `chain` puts layers one after another,
`fit` trains what comes out, `predict_regression` and `predict_classification` query it. Plots, data sets, checkpoints
and the command line are modules of their own, which nothing here imports.
"""

from bayesnoise import (
    activations,
    divergences,
    estimators,
    losses,
    maps,
    metrics,
    networks,
    noise,
    normalisation,
    optimizers,
    pooling,
    posteriors,
    pruning,
    schedules,
    special,
)
from bayesnoise.chain import chain
from bayesnoise.layer import Layer
from bayesnoise.methods import (
    METHODS,
    automatic_relevance_determination,
    bayes_by_backprop,
    deterministic,
    dropout,
    flipout,
    gaussian_dropout,
    local_reparameterization,
    method,
    sparse_variational_dropout,
    variational_dropout,
)
from bayesnoise.prediction import predict_classification, predict_regression
from bayesnoise.training import fit

__version__ = "0.1.0"

__all__ = [
    "METHODS",
    "Layer",
    "__version__",
    "activations",
    "automatic_relevance_determination",
    "bayes_by_backprop",
    "chain",
    "deterministic",
    "divergences",
    "dropout",
    "estimators",
    "fit",
    "flipout",
    "gaussian_dropout",
    "local_reparameterization",
    "losses",
    "maps",
    "method",
    "metrics",
    "networks",
    "noise",
    "normalisation",
    "optimizers",
    "pooling",
    "posteriors",
    "predict_classification",
    "predict_regression",
    "pruning",
    "schedules",
    "sparse_variational_dropout",
    "special",
    "variational_dropout",
]
