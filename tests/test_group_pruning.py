"""Networks without the groups that Bayesian compression switched off: they predict as if those factors were 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng

from bayesnoise import activations, maps, networks, tree
from bayesnoise.chain import Chain, chain
from bayesnoise.group_pruning import group_sparsity, prune_groups
from bayesnoise.methods import bayesian_compression, deterministic, flipout
from bayesnoise.noise import GroupFactor, NormalJeffreys
from bayesnoise.posteriors import AdditiveParams
from bayesnoise.pruning import NO_NOISE, compression_ratio

PRIORS = ("normal_jeffreys", "half_cauchy")


def build(prior: Any) -> Any:
    return lambda map: bayesian_compression(map, prior=prior)


def switched(layer: Any, params: Any, keep: Any) -> Any:
    """The parameters with the factors of the others at excess far above the threshold, and of these far below it."""
    if isinstance(layer, Chain):
        return tuple(switched(part, p, keep) for part, p in zip(layer.layers, params, strict=True))
    if not isinstance(layer, GroupFactor):
        return params
    on = keep(layer.units)
    if isinstance(params, AdditiveParams):
        return params._replace(log_sigma2=np.where(on, -4.0, 9.0) + np.log(params.theta**2))
    low = np.where(on, 0.0, -30.0)
    quiet = tree.map(lambda leaf: 0.0 * leaf, params)
    return quiet._replace(gamma=quiet.gamma._replace(mu=low, log_sigma=low * 0.0 - 1.0))


def masked(layer: Any, params: Any) -> Any:
    """The parameters with the factors of every group above the threshold at 0, and without noise."""
    if isinstance(layer, Chain):
        return tuple(masked(part, p) for part, p in zip(layer.layers, params, strict=True))
    if not isinstance(layer, GroupFactor):
        return params
    off = layer.law.excess(params) > 3.0
    if isinstance(params, AdditiveParams):
        return AdditiveParams(np.where(off, 0.0, params.theta), np.where(off, NO_NOISE, params.log_sigma2))
    return params._replace(gamma=params.gamma._replace(mu=np.where(off, -1e4, params.gamma.mu)))


def thirds(units: int) -> Any:
    return np.arange(units) % 3 != 1


def network_and_params(layer: Any, seed: int = 0) -> Any:
    return switched(layer, random_params(layer, np.random.default_rng(seed)), thirds)


def sizes(layer: Chain) -> list[Any]:
    parts: tuple[Any, ...] = layer.layers
    return [part.weight.map for part in parts if hasattr(part, "weight")]


@pytest.mark.parametrize("prior", PRIORS)
def test_a_dense_network_loses_inputs_and_hidden_units(prior: Any) -> None:
    layer = networks.mlp(build(prior), (5, 6, 4, 3))
    params = network_and_params(layer)
    x = np.random.default_rng(1).standard_normal((7, 5))
    smaller, left = prune_groups(layer, params)
    assert sizes(smaller) == [maps.Dense(3, 4), maps.Dense(4, 3), maps.Dense(3, 3)]
    want = layer.predict(masked(layer, params), x)
    assert np.allclose(smaller.predict(left, x), want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("prior", PRIORS)
def test_an_image_network_loses_filters_and_what_they_feed(prior: Any) -> None:
    layer = networks.conv_net(build(prior), (1, 4, 4), 3, channels=(3, 4), hidden=(5,))
    params = network_and_params(layer)
    x = np.random.default_rng(2).standard_normal((2, 1, 4, 4))
    smaller, left = prune_groups(layer, params)
    conv1, conv2, dense, last = sizes(smaller)
    assert (conv1.out_channels, conv2.in_channels, conv2.out_channels) == (2, 2, 3)
    assert (dense.in_features, dense.out_features, last.in_features) == (3, 3, 3)
    want = layer.predict(masked(layer, params), x)
    assert np.allclose(smaller.predict(left, x), want, rtol=1e-13, atol=1e-13)


def test_a_channel_behind_flatten_is_several_features() -> None:
    layer = networks.conv_net(build("normal_jeffreys"), (2, 4, 4), 2, channels=(3,), hidden=())
    params = network_and_params(layer)
    x = np.random.default_rng(3).standard_normal((2, 2, 4, 4))
    smaller, left = prune_groups(layer, params)
    dense = sizes(smaller)[-1]
    features = [4 * c + k for c in (0, 2) for k in range(4)]
    assert dense.in_features == sum(thirds(12)[features])
    want = layer.predict(masked(layer, params), x)
    assert np.allclose(smaller.predict(left, x), want, rtol=1e-13, atol=1e-13)


def test_passes_have_the_same_law() -> None:
    """With the noise of the groups that stay, a pass of the smaller network is one of the other."""
    layer = networks.mlp(build("normal_jeffreys"), (4, 5, 2))
    params = network_and_params(layer)
    x = np.random.default_rng(4).standard_normal((3, 4))
    smaller, left = prune_groups(layer, params)
    noise = layer.draw(host_rng(5), params, x.shape, like=x)
    want, _ = layer.forward(masked(layer, params), noise, x)

    inputs, hidden = (np.flatnonzero(thirds(n)) for n in (4, 5))
    at_factor, at_weight = noise[0]
    zeta = at_weight.weight.estimator.zeta[:, hidden]
    estimator = at_weight.weight._replace(estimator=at_weight.weight.estimator._replace(zeta=zeta))
    cut: list[Any] = [
        (),
        at_factor._replace(eps=at_factor.eps[:, inputs]),
        at_weight._replace(weight=estimator),
        noise[1],
    ]
    last_factor, last_weight = noise[2]
    cut += [last_factor._replace(eps=last_factor.eps[:, hidden]), last_weight]
    got, _ = smaller.forward(left, tuple(cut), x)
    assert np.allclose(got, want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("activation", [activations.sigmoid(), activations.softplus()])
def test_filters_stay_where_zeros_do_not(activation: Any) -> None:
    layer = chain(
        bayesian_compression(maps.Conv(1, 3, (2,))), activation, deterministic(maps.Conv(3, 1, (1,), padding=1))
    )
    params = network_and_params(layer)
    smaller, left = prune_groups(layer, params)
    x = np.random.default_rng(6).standard_normal((2, 1, 4))
    assert sizes(smaller) == [maps.Conv(1, 3, (2,)), maps.Conv(3, 1, (1,), padding=1)]
    assert np.array_equal(smaller.predict(left, x), layer.predict(params, x))


def test_hidden_units_go_behind_any_activation_and_any_method() -> None:
    """What a unit would have been does not matter where its factor is 0."""
    layer = chain(flipout(maps.Dense(2, 6)), activations.sigmoid(), bayesian_compression(maps.Dense(6, 2)))
    params = network_and_params(layer)
    smaller, left = prune_groups(layer, params)
    assert sizes(smaller) == [maps.Dense(2, 4), maps.Dense(4, 2)]
    x = np.random.default_rng(7).standard_normal((3, 2))
    want = layer.predict(masked(layer, params), x)
    assert np.allclose(smaller.predict(left, x), want, rtol=1e-13, atol=1e-13)


def test_factors_apart_from_their_weights_stay() -> None:
    layer = chain(GroupFactor(4, 0, NormalJeffreys()), activations.sigmoid(), deterministic(maps.Dense(4, 2)))
    params = network_and_params(layer)
    smaller, left = prune_groups(layer, params)
    assert smaller == layer
    assert all(np.array_equal(a, b) for a, b in zip(tree.leaves(left), tree.leaves(params), strict=True))


def test_groups_are_counted() -> None:
    layer = networks.mlp(build("normal_jeffreys"), (6, 3, 1))
    params = network_and_params(layer)
    records = group_sparsity(layer, params)
    assert [(r.path, r.kept, r.total) for r in records] == [("0.0", 4, 6), ("2.0", 2, 3)]
    assert compression_ratio(records) == 9 / 6


def test_nothing_goes_below_the_threshold_and_not_everything_above() -> None:
    layer = networks.mlp(build("half_cauchy"), (3, 4, 1))
    params = layer.init(host_rng(0), like=np.ones(()))
    smaller, left = prune_groups(layer, params)
    x = np.ones((2, 3))
    assert sizes(smaller) == [maps.Dense(3, 4), maps.Dense(4, 1)]
    assert np.array_equal(smaller.predict(left, x), layer.predict(params, x))
    with pytest.raises(ValueError, match=r"threshold is -10, and every group of '0.0' passes it: raise it"):
        prune_groups(layer, params, -10)
