"""What can be pruned is, what cannot is left as it is, and a network of which nothing can go is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params

from bayesnoise import activations, chain, maps
from bayesnoise.group_pruning import group_sparsity, prune_groups
from bayesnoise.methods import (
    bayesian_compression,
    deterministic,
    dropout,
    flipout,
    sparse_variational_dropout,
    variational_dropout,
)
from bayesnoise.pruning import can_prune, prune, sparsity
from bayesnoise.residual import Residual

DENSE = maps.Dense(3, 2)
WITHOUT = {
    "flipout": flipout(DENSE),
    "dropout": dropout(DENSE),
    "type B": variational_dropout(DENSE, type="B"),
    "deterministic": deterministic(DENSE),
    "activation": activations.relu(),
}


def params_of(layer: Any) -> Any:
    return random_params(layer, np.random.default_rng(0))


@pytest.mark.parametrize("call", [prune, sparsity])
@pytest.mark.parametrize("layer", WITHOUT.values(), ids=WITHOUT)
def test_weights_that_no_prior_draws_to_zero_are_refused(layer: Any, call: Any) -> None:
    params = params_of(layer)
    assert not can_prune(layer, params)
    with pytest.raises(ValueError, match=r"layer has weights of .*use sparse_variational_dropout"):
        call(layer, params)


@pytest.mark.parametrize("call", [prune, sparsity])
def test_weights_that_go_in_groups_are_refused_one_by_one(call: Any) -> None:
    layer = chain(bayesian_compression(DENSE))
    with pytest.raises(ValueError, match=r"weights that go in groups and none that go one by one: use prune_groups"):
        call(layer, params_of(layer))


@pytest.mark.parametrize("call", [prune_groups, group_sparsity])
@pytest.mark.parametrize("layer", [*WITHOUT.values(), sparse_variational_dropout(DENSE)], ids=[*WITHOUT, "sparse"])
def test_weights_without_groups_are_refused(layer: Any, call: Any) -> None:
    with pytest.raises(ValueError, match=r"no random factors of groups.*use bayesian_compression"):
        call(layer, params_of(layer))


def test_groups_that_only_a_sum_holds_cannot_go() -> None:
    """The output of a layer beside the identity has the size of its input."""
    layer = chain(Residual(bayesian_compression(maps.Dense(2, 2))))
    params = params_of(layer)
    assert [r.path for r in group_sparsity(layer, params)] == ["0.layer.0"]
    with pytest.raises(ValueError, match="so that no group can go"):
        prune_groups(layer, params)


def test_layers_that_cannot_be_pruned_stay_beside_one_that_can() -> None:
    layer = chain(sparse_variational_dropout(DENSE, bias="none"), activations.relu(), flipout(maps.Dense(2, 2)))
    params = params_of(layer)
    first = params[0]._replace(log_sigma2=np.log(params[0].theta ** 2) + np.array([[9.0, -4.0]] * 3))
    pruned: Any = prune(layer, (first, *params[1:]))
    assert pruned[1:] == params[1:]
    assert np.array_equal(pruned[0].theta, first.theta * np.array([0.0, 1.0]))
    (record,) = sparsity(layer, (first, *params[1:]))
    assert (record.path, record.kept, record.total) == ("0", 3, 6)
