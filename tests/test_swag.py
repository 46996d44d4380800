"""SWAG's law: the moments of the iterates to the precision of the dtype, its covariance by pushing noise through it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import assert_trees_close
from bayesnoise_backends import host_rng
from bayesnoise_reference import swag as oracle
from bayesnoise_reference._typing import Array
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NAMESPACES, Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.normalisation import BatchNorm
from bayesnoise.objective import ModelParams
from bayesnoise.procedures import Descent, Job, Reestimated, Sources, Swag, SwagNoise, reestimate
from bayesnoise.procedures.swag_law import SwagLaw, draw, empty, sample_parameters, take_in

RANK = 3


def params_of(row: Any) -> ModelParams:
    """Five numbers as a matrix and a vector of a layer, and one of the loss."""
    return ModelParams((row[:2, None], row[2:4]), (row[4],))


def vector(params: Any) -> Array:
    return np.concatenate([np.reshape(to_numpy(leaf), -1) for leaf in tree.leaves(params)])


def law_of(rows: Any, rank: int = RANK) -> SwagLaw:
    law = empty(params_of(rows[0, ...]), rank)
    for i in range(rows.shape[0]):
        law = take_in(law, params_of(rows[i, ...]))
    return law


def noise_of(z1: Any, z2: Any) -> SwagNoise:
    return SwagNoise(params_of(z1), z2)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_sample_is_that_of_the_definition(namespace: Namespace, count: int) -> None:
    rng = np.random.default_rng(count)
    rows, z1, z2 = (rng.standard_normal(s).astype(np.float32).astype(float) for s in ((count, 5), (5,), (RANK,)))
    law = law_of(namespace.asarray(rows))
    got = sample_parameters(law, noise_of(namespace.asarray(z1), namespace.asarray(z2)))
    used = min(count, RANK)
    want = oracle.sample(rows, RANK, z1, z2[RANK - used :])
    assert_trees_close(got, params_of(want), 1e-12 if namespace.double else 64 * namespace.eps, namespace)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 9), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_the_covariance_is_exact(count: int, rank: int, seed: int) -> None:
    """A sample is linear in its noise: the images of the basis vectors, squared and summed, are the covariance."""
    rows = np.random.default_rng(seed).standard_normal((count, 5))
    law = law_of(rows, rank)
    mean = vector(law.mean)
    basis = np.eye(5 + rank)
    images = [vector(sample_parameters(law, noise_of(e[:5], e[5:]))) - mean for e in basis]
    got = sum(np.outer(image, image) for image in images)
    want = oracle.covariance(rows, rank)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.max(np.abs(want)))


@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda n: n.name)
def test_a_large_mean_does_not_cancel_the_variance(namespace: Namespace) -> None:
    """Iterates of size 1000 that move by 0.05: second moment minus squared mean would have no digit left in float32.

    The running mean of t iterates is off by at most t roundings of its size, of which the variance sees the square, and
    each deviation by one rounding of an iterate.
    """
    rng = np.random.default_rng(4)
    rows = (1000.0 + 0.05 * rng.standard_normal((50, 5))).astype(np.float32)
    law = law_of(namespace.asarray(rows.astype(float)))
    got = vector(law.squares) / 50
    _, want = oracle.mean_and_variance(rows)
    slip = 4 * 1000.0 * namespace.eps
    assert np.all(np.abs(got - want) <= 2 * slip * np.sqrt(want) + slip**2)
    if not namespace.double:
        cancelled = np.mean(rows**2, axis=0, dtype=np.float32) - np.mean(rows, axis=0, dtype=np.float32) ** 2
        assert np.max(np.abs(cancelled - want)) > np.max(want)


def test_fewer_than_two_iterates_have_no_spread() -> None:
    rows = np.random.default_rng(5).standard_normal((1, 5))
    for law in (empty(params_of(rows[0]), RANK), law_of(rows)):
        for seed in range(3):
            np.testing.assert_array_equal(vector(sample_parameters(law, draw(host_rng(seed), law))), rows[0])


def job(layer: Any, x: Array, y: Array, **given: Any) -> Job:
    return Job(
        layer,
        bn.losses.Gaussian(),
        bn.optimizers.sgd(0.1),
        x,
        y,
        **{"epochs": 10, "batch_size": 4, "learning_rate": lambda epoch: 0.1 / (1 + epoch), "compile": None, **given},
    )


def test_collecting_starts_where_it_should_and_the_rate_stays_what_it_is_there() -> None:
    x = np.random.default_rng(0).standard_normal((8, 2))
    y = x @ np.ones((2, 1))
    layer, swag, one = bn.deterministic(bn.maps.Dense(2, 1)), Swag(rank=2, begin=0.5), job
    params, state = swag.start(layer, bn.losses.Gaussian(), bn.optimizers.sgd(0.1), host_rng(0), like=x)
    run = swag.epoch(one(layer, x, y))
    held = Descent().epoch(one(layer, x, y, learning_rate=lambda epoch: 0.1 / (1 + min(epoch, 5))))
    beside, rows = params, []
    for epoch in range(10):
        sources = [Sources(host_rng(100 + epoch), host_rng(200 + epoch)) for _ in range(2)]
        params, state, _ = run(params, state, sources[0], epoch, 0.0)
        beside, _, _ = held(beside, state.optimizer, sources[1], epoch, 0.0)
        rows += [vector(params)] if epoch >= 5 else []
        np.testing.assert_array_equal(vector(params), vector(beside))
        assert float(state.law.count) == max(0, epoch - 4)
        shown = swag.shown(params, state)
        np.testing.assert_allclose(
            vector(shown.mean), np.mean(rows, axis=0) if rows else vector(params), rtol=0, atol=1e-15
        )
    np.testing.assert_allclose(vector(state.law.squares), 5 * np.var(rows, axis=0), rtol=1e-9, atol=1e-18)


def test_statistics_are_those_of_the_draw_over_the_data() -> None:
    """After a dense layer of a draw, the statistics are the mean and the variance of what that draw computes."""
    rng = np.random.default_rng(6)
    x = 3.0 + rng.standard_normal((12, 2))
    layer = bn.chain(bn.deterministic(bn.maps.Dense(2, 3)), BatchNorm(3, momentum=0.3), bn.activations.relu())
    params = layer.init(host_rng(1), like=x)
    for batch_size, batches in ((12, 1), (6, 2), (5, 2), (100, 1)):
        got = reestimate(layer, params, x, rng=host_rng(0), batch_size=batch_size)
        hidden = layer.layers[0].predict(params[0], x)
        parts = np.split(hidden, batches)
        np.testing.assert_allclose(got[1].running_mean, hidden.mean(axis=0), rtol=1e-12)
        want = np.mean([part.var(axis=0, ddof=1) for part in parts], axis=0)
        np.testing.assert_allclose(got[1].running_variance, want, rtol=1e-12)
        np.testing.assert_array_equal(got[0].weight.theta, params[0].weight.theta)


def test_a_network_that_keeps_statistics_predicts_with_its_own() -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((16, 2))
    y = x @ np.ones((2, 1))
    layer = bn.chain(bn.deterministic(bn.maps.Dense(2, 3)), BatchNorm(3), bn.deterministic(bn.maps.Dense(3, 1)))
    loss, swag = bn.losses.Gaussian(0.3), Swag(rank=2)
    state = bn.fit(
        layer, loss, x, y, rng=host_rng(0), optimizer=bn.optimizers.adam(0.05), epochs=8, batch_size=8, procedure=swag
    )
    assert state.best.squares.layer[1].running_mean is None
    again = Reestimated(swag, layer, x)
    for params, _ in again.draws(state.best, host_rng(3), 3):
        hidden = layer.layers[0].predict(params.layer[0], x)
        np.testing.assert_allclose(params.layer[1].running_mean, hidden.mean(axis=0), rtol=0, atol=1e-12)
    passes = bn.predict_regression(layer, loss, state.best, x, rng=host_rng(3), samples=5, procedure=again)
    assert passes.means.shape == (5, 16)
    assert np.all(np.ptp(passes.means, axis=0) > 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rank": 1}, "rank is 1, expected at least 2"),
        ({"rank": 0}, "rank is 0, expected at least 1"),
        ({"begin": 1.0}, r"begin is 1.0, expected a probability in \[0, 1\)"),
    ],
)
def test_settings_that_make_no_law_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Swag(**given)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="without any learned array: expected something to average"):
        empty(ModelParams((), ()), 2)
    with pytest.raises(TypeError, match="x has dtype int64"):
        reestimate(bn.deterministic(bn.maps.Dense(1, 1)), None, np.ones((2, 1), dtype=np.int64), rng=host_rng(0))
