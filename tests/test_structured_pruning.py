"""A network without the units that structured variational dropout switched off predicts as the one that zeroes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params

from bayesnoise import maps, methods, networks
from bayesnoise.chain import Chain
from bayesnoise.group_pruning import group_sparsity, prune_groups
from bayesnoise.noise import GroupFactor
from bayesnoise.posteriors import LogSigmaParams


def build(map: Any) -> Any:
    return methods.structured_variational_dropout(map)


def thirds(units: int) -> Any:
    return np.arange(units) % 3 != 1


def with_dropped(layer: Any, params: Any) -> Any:
    """The parameters with one factor in three left to its prior, and the others well above their noise."""
    if isinstance(layer, Chain):
        return tuple(with_dropped(part, p) for part, p in zip(layer.layers, params, strict=True))
    if not isinstance(layer, GroupFactor):
        return params
    on = thirds(layer.units)
    return LogSigmaParams(np.where(on, -0.5, -10.0) + 0.1 * params.mu, np.where(on, -2.0, 3.0))


def zeroed(layer: Any, params: Any) -> Any:
    """The parameters of the same network with the weights of every dropped unit at 0."""
    pairs = zip(layer.layers, params, strict=True)
    if not any(isinstance(part, GroupFactor) for part in layer.layers):
        return tuple(zeroed(part, p) if isinstance(part, Chain) else p for part, p in pairs)
    if isinstance(layer.layers[0], GroupFactor):
        factors, affine = params
        theta = affine.weight.theta * thirds(layer.layers[0].units)[:, None]
        return factors, affine._replace(weight=affine.weight._replace(theta=theta))
    affine, factors = params
    on = thirds(layer.layers[1].units)
    weight = affine.weight._replace(theta=affine.weight.theta * on[:, None, None, None])
    return affine._replace(weight=weight, bias=affine.bias._replace(theta=affine.bias.theta * on)), factors


@pytest.mark.parametrize(
    ("layer", "x_shape", "sizes"),
    [
        (networks.mlp(build, (5, 7, 4, 3)), (6, 5), [maps.Dense(3, 5), maps.Dense(5, 3), maps.Dense(3, 3)]),
        (
            networks.conv_net(build, (2, 8, 8), 3, channels=(4, 5), hidden=(6,)),
            (3, 2, 8, 8),
            # three filters of four positions each; one feature in four, again, goes by its own factor
            [(2, 3), (3, 3), maps.Dense(9, 4), maps.Dense(4, 3)],
        ),
    ],
    ids=["dense", "convolution"],
)
def test_the_smaller_network_predicts_what_the_zeroed_one_does(layer: Any, x_shape: Any, sizes: Any) -> None:
    params = with_dropped(layer, random_params(layer, np.random.default_rng(0)))
    x = np.random.default_rng(1).standard_normal(x_shape)
    smaller, left = prune_groups(layer, params)
    want = layer.predict(zeroed(layer, params), x)
    np.testing.assert_allclose(smaller.predict(left, x), want, rtol=0, atol=1e-12 * float(np.max(np.abs(want))))
    parts: Any = smaller.layers
    found = [part.weight.map for part in parts if hasattr(part, "weight")]
    assert [(m.in_channels, m.out_channels) if isinstance(m, maps.Conv) else m for m in found] == sizes
    for record in group_sparsity(layer, params):
        assert np.array_equal(np.asarray(record.keep), thirds(record.total))
