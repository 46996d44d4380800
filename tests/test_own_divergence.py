"""Optimizers of a law have the prior of every parameter: a layer that brings one too is refused at the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import host_rng

import bayesnoise as bn
from bayesnoise import losses, maps, methods
from bayesnoise.divergences import L2, ScaleMixture, Zero
from bayesnoise.drawn import Drawn
from bayesnoise.estimators import Plain
from bayesnoise.methods import METHODS
from bayesnoise.methods.compose import compose
from bayesnoise.natural_gradient import ivon, slang, vadam, vogn
from bayesnoise.posteriors import Point
from bayesnoise.procedures import JointGaussian, Swag, Variational
from bayesnoise.residual import Residual
from bayesnoise.training import start

OPTIMIZERS: dict[str, Any] = {
    "ivon": ivon(prior_scale=0.1),
    "vadam": vadam(prior_scale=0.1),
    "vogn": vogn(prior_scale=0.1),
    "slang": slang(prior_scale=0.1, rank=1),
}
WITHOUT = {
    *("deterministic", "dropout", "gaussian_dropout", "spatial_dropout", "drop_block", "drop_connect"),
    *("deep_ensemble", "swag", "linear_regression", *OPTIMIZERS),
    "information_dropout",  # whose divergence belongs to an example, and is part of the loss
}


def begin(layer: Any, optimizer: Any = OPTIMIZERS["ivon"], **options: Any) -> Any:
    return start(layer, losses.Gaussian(1.0), optimizer, host_rng(0), like=np.ones((1, 1)), **options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_prior_of_the_layer_would_count_twice(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    layer = bn.chain(bn.deterministic(maps.Dense(2, 3)), Residual(bn.deterministic(maps.Dense(3, 3), prior_scale=0.1)))
    said = rf"layer holds Stochastic\(.*L2\(prior_scale=0.1.*, and {type(optimizer).__name__} has the prior .* twice: "
    with pytest.raises(ValueError, match=said + "use deterministic without a prior_scale, and give the prior_scale to"):
        begin(layer, optimizer)
    begin(bn.deterministic(maps.Dense(2, 3)), optimizer)


def test_a_fit_is_refused_before_its_first_step() -> None:
    x, y = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(ValueError, match=r"Gaussian.*with a divergence of its own"):
        bn.fit(bn.flipout(maps.Dense(2, 1)), losses.Gaussian(1.0), x, y, rng=host_rng(0), optimizer=ivon(), epochs=1)


@pytest.mark.parametrize("row", METHODS, ids=lambda row: row.name)
def test_of_the_methods_those_with_a_divergence_are_refused(row: Any) -> None:
    layer = bn.chain(row.build(maps.Conv(2, 2, (1, 1))), bn.normalisation.BatchNorm(2), bn.activations.tanh())
    if row.name in WITHOUT:
        begin(layer)
        return
    with pytest.raises(ValueError, match="with a divergence of its own"):
        begin(layer)


@pytest.mark.parametrize(
    "layer",
    [
        methods.bayes_by_backprop(maps.Dense(2, 2), divergence=ScaleMixture()),
        compose(maps.Dense(2, 2), Point(), Plain(), Zero(), bias_divergence=L2(1.0)),
        Drawn(bn.deterministic(maps.Dense(2, 2))),
    ],
    ids=["drawn divergence", "penalty of a bias that starts at 0", "a law of its own"],
)
def test_divergences_that_are_easy_to_miss(layer: Any) -> None:
    with pytest.raises(ValueError, match="with a divergence of its own"):
        begin(layer)


def test_averages_of_weights_keep_the_prior_of_the_layer() -> None:
    layer = bn.deterministic(maps.Dense(2, 2), prior_scale=0.1)
    begin(layer, bn.optimizers.adam(), procedure=Swag())
    begin(layer, bn.optimizers.adam(), procedure=bn.procedures.DeepEnsemble(2))


@pytest.mark.parametrize("procedure", [Variational(ivon()), JointGaussian(slang(rank=1))], ids=["ivon", "slang"])
def test_a_procedure_that_is_named_refuses_as_well(procedure: Any) -> None:
    with pytest.raises(ValueError, match="with a divergence of its own"):
        begin(bn.flipout(maps.Dense(2, 2)), bn.optimizers.adam(), procedure=procedure)
