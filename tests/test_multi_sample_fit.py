"""Fitting with several samples of each input: every procedure, and the statistics that layers keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import backend, host_rng

import bayesnoise as bn
from bayesnoise import maps, methods, normalisation, tree
from bayesnoise.layer import frozen
from bayesnoise.losses import Mixture
from bayesnoise.multi_sample import MultiSample
from bayesnoise.procedures import DeepEnsemble, Procedure, Swag
from bayesnoise.training import State, fit

LOSS = bn.losses.LearnedGaussian()
DATA = np.random.default_rng(0).standard_normal((12, 3))


def network(method: Any = methods.flipout) -> Any:
    return bn.networks.mlp(method, (3, 4, 1))


def fitted(layer: Any = None, loss: Any = LOSS, where: str = "numpy", **given: Any) -> State:
    on = backend(where)
    x = on.asarray(DATA)
    common: dict[str, Any] = {"rng": on.rng(0, x), "optimizer": bn.optimizers.adam(0.02), "epochs": 2, "batch_size": 8}
    return fit(network() if layer is None else layer, loss, x, x[:, :1], **common | given)


def same(a: Any, b: Any) -> None:
    for one, other in zip(tree.leaves(a), tree.leaves(b), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fit_with_samples_is_the_fit_of_the_two() -> None:
    by_option, by_hand = fitted(samples=3), fitted(MultiSample(network(), 3), Mixture(LOSS))
    same((by_option.params, by_option.best), (by_hand.params, by_hand.best))
    assert [epoch.nll for epoch in by_option.history] == [epoch.nll for epoch in by_hand.history]
    same(fitted(samples=1).params, fitted().params)
    assert not np.array_equal(tree.leaves(by_option.params)[0], tree.leaves(fitted().params)[0])


@pytest.mark.parametrize("procedure", [DeepEnsemble(2, adversarial=0.05), Swag(rank=2, begin=0.5)])
def test_every_procedure_takes_samples(procedure: Procedure) -> None:
    state = fitted(network(methods.dropout), samples=2, procedure=procedure)
    x = DATA.astype(np.float32)
    predicted = bn.predict_regression(
        network(methods.dropout), LOSS, state.best, x, rng=host_rng(1), samples=4, procedure=procedure
    )
    assert np.all(np.isfinite(predicted.means))


@pytest.mark.parametrize("optimizer", [bn.natural_gradient.ivon(), bn.natural_gradient.slang(rank=1)])
def test_so_does_every_optimizer_of_a_law(optimizer: Any) -> None:
    assert np.isfinite(fitted(network(methods.dropout), samples=2, optimizer=optimizer).history[-1].loss)


def test_it_trains_on_torch() -> None:
    state = fitted(network(), where="torch", samples=2)
    assert all(np.isfinite(epoch.loss) for epoch in state.history)


def test_numbers_of_samples_are_checked() -> None:
    with pytest.raises(ValueError, match="samples is 0, expected at least 1"):
        fitted(samples=0)


def test_statistics_are_kept_and_used() -> None:
    first, last = methods.dropout(maps.Dense(3, 4)), methods.deterministic(maps.Dense(4, 1))
    layer = bn.chain(first, normalisation.BatchNorm(4), last)
    kept = fitted(layer, samples=2).params.layer[1].running_mean
    assert np.all(kept != 0)
    assert frozen(MultiSample(layer, 2)) == MultiSample(frozen(layer), 2)
