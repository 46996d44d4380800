"""Layers that a smaller network cuts: the weights that stay have the law they had, or the cut is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params

from bayesnoise import activations, chain, maps, methods, tree
from bayesnoise.group_pruning import prune_groups
from bayesnoise.methods import bayesian_compression, radial
from bayesnoise.noise import GroupFactor

ALPHA = {f"alpha {unit}": {"alpha": unit} for unit in ("weight", "input", "output")}
SHARED = {
    "k_tied": (methods.k_tied_normal, {}),
    "matrix": (methods.variational_matrix_gaussian, {}),
    **{name: (methods.variational_dropout, options) for name, options in ALPHA.items()},
}


def half_off(layer: Any, params: Any) -> Any:
    """Every other factor far above the threshold, the rest far below it; other parameters as they are."""
    if isinstance(layer, GroupFactor):
        return params._replace(theta=1.0 * (np.arange(layer.units) % 2), log_sigma2=np.full(layer.units, -20.0))
    if hasattr(layer, "layers"):
        return tuple(half_off(part, p) for part, p in zip(layer.layers, params, strict=True))
    return params


def pruned(layer: Any) -> Any:
    params = half_off(layer, random_params(layer, np.random.default_rng(0)))
    return params, prune_groups(layer, params)


def law(term: Any, params: Any) -> tuple[Any, Any]:
    return term.posterior.mean(params), np.broadcast_to(term.posterior.scale(params), term.map.weight_shape)


@pytest.mark.parametrize(("method", "options"), SHARED.values(), ids=SHARED)
def test_dense_outputs_go_with_the_scales_that_are_shared(method: Any, options: Any) -> None:
    layer: Any = chain(
        method(maps.Dense(3, 4), bias="random", **options), activations.tanh(), bayesian_compression(maps.Dense(4, 2))
    )
    params, (smaller, left) = pruned(layer)
    for name in ("weight", "bias"):
        (before, p), (after, q) = (
            (getattr(n.layers[0], name), getattr(t[0], name)) for n, t in ((layer, params), (smaller, left))
        )
        for got, want in zip(law(after, q), law(before, p), strict=True):
            assert np.array_equal(got, want[..., [1, 3]])
    x = np.random.default_rng(1).standard_normal((5, 3))
    np.testing.assert_allclose(smaller.predict(left, x), layer.predict(params, x), rtol=1e-13)


@pytest.mark.parametrize(("method", "options"), SHARED.values(), ids=SHARED)
def test_channels_that_enter_go_with_the_scales_that_are_shared(method: Any, options: Any) -> None:
    layer: Any = chain(
        bayesian_compression(maps.Conv(1, 4, (2, 2))),
        activations.relu(),
        method(maps.Conv(4, 2, (2, 2)), bias="none", **options),
    )
    params, (smaller, left) = pruned(layer)
    assert smaller.layers[-1].map == maps.Conv(2, 2, (2, 2))
    for got, want in zip(law(smaller.layers[-1], left[-1]), law(layer.layers[-1], params[-1]), strict=True):
        assert np.array_equal(got, want[:, [1, 3]])


def test_weights_that_are_drawn_together_are_not_cut() -> None:
    """Fewer numbers on the direction of a sphere are no direction of a smaller sphere."""
    layer = chain(radial(maps.Dense(3, 4)), activations.tanh(), bayesian_compression(maps.Dense(4, 2)))
    with pytest.raises(ValueError, match=r"params of '0' are of Radial.*drawn together.*use independent weights"):
        pruned(layer)


def test_a_layer_that_keeps_all_is_not_touched() -> None:
    layer: Any = chain(bayesian_compression(maps.Dense(4, 3)), activations.relu(), radial(maps.Dense(3, 2)))
    params, (smaller, left) = pruned(layer)
    assert smaller.layers[0].operation.indices == (1, 3)
    assert smaller.layers[-1] == layer.layers[-1]
    assert all(a is b for a, b in zip(tree.leaves(left[-1]), tree.leaves(params[-1]), strict=True))
