"""Every family, one file of vectors each, by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bayesnoise_reference.vectors import (
    adversaries,
    biases,
    compression,
    dropouts,
    ensembles,
    evolutions,
    factors,
    flow,
    functions,
    iterates,
    joint,
    learned_masks,
    masks,
    mixture,
    positions,
    posterior,
    recurrent,
    regression,
    steps,
    variational,
    weights,
)
from bayesnoise_reference.vectors.records import Family

FAMILIES: dict[str, Callable[[], Family]] = {
    **{
        f"{k}_{e}": partial(weights.family, k, e)
        for k in ("dense", "conv", "conv_transpose")
        for e in ("shared", "flipout", "local")
    },
    **{f"random_bias_{e}": partial(biases.random_bias, e) for e in ("shared", "flipout", "local")},
    "scale_mixture": mixture.scale_mixture,
    "bernoulli_dropout": dropouts.bernoulli,
    "gaussian_dropout": dropouts.gaussian,
    "variational_dropout": variational.variational,
    "sparse_variational_dropout": variational.sparse,
    "variational_structured_dropout": factors.variational_structured,
    "structured_variational_dropout": factors.structured_variational,
    "k_tied_normal": posterior.tied,
    "variational_matrix_gaussian": posterior.rows_and_columns,
    "low_rank_gaussian": posterior.low_rank,
    "radial": posterior.radials,
    "multiplicative_normalizing_flow": flow.flows,
    "bayesian_compression": compression.groups,
    "spatial_dropout": masks.spatial,
    "drop_block": masks.blocks,
    "drop_connect": masks.connections,
    "concrete_dropout": learned_masks.concrete,
    "information_dropout": learned_masks.information,
    "lstm_flipout": partial(recurrent.family, "lstm"),
    "gru_flipout": partial(recurrent.family, "gru"),
    "embedding_flipout": positions.embeddings,
    "attention_flipout": positions.attentions,
    "ivon": steps.ivon,
    "vadam": steps.vadam,
    "vogn": steps.vogn,
    "slang": joint.slang,
    "swag": iterates.swag,
    "evolution": evolutions.strategies,
    "deep_ensemble": ensembles.ensembles,
    "adversarial_training": adversaries.adversarial,
    "linear_regression": regression.exact_posterior,
    "mean_field_regression": regression.mean_field,
    "regression_bound": regression.bound,
    "divergences": functions.divergence_family,
    "special_functions": functions.special_family,
    "activations": functions.activation_family,
    "losses": functions.loss_family,
}
