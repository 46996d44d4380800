"""A compressed network has no noise, whatever held it, and counts the same numbers before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng

from bayesnoise import maps, methods, quiet, tree
from bayesnoise.attention import multi_head_attention
from bayesnoise.chain import chain
from bayesnoise.compression import compress, compression_rate
from bayesnoise.noise import Bernoulli
from bayesnoise.normalisation import BatchNorm
from bayesnoise.recurrent import gru, lstm
from bayesnoise.residual import Residual

LAST = methods.bayesian_compression(maps.Dense(4, 2))
SEQUENCE, ROW, IMAGE = (3, 5, 4), (3, 4), (2, 2, 4, 4)

# The layer, the shape of an input, and where the weights are that it rounds.
QUIETED: dict[str, tuple[Any, tuple[int, ...], list[str]]] = {
    "dropout": (chain(methods.dropout(maps.Dense(4, 4)), LAST), ROW, ["0.weight", "1.weight"]),
    "type B": (chain(methods.variational_dropout(maps.Dense(4, 4), type="B"), LAST), ROW, ["0.weight", "1.weight"]),
    "correlated": (
        chain(methods.variational_structured_dropout(maps.Dense(4, 4)), LAST),
        ROW,
        ["0.weight", "1.weight"],
    ),
    "blocks": (methods.drop_block(maps.Conv(2, 3, (2, 2)), block=2), IMAGE, ["0.weight"]),
    "normalised": (chain(methods.flipout(maps.Dense(4, 4)), BatchNorm(4), LAST), ROW, ["0.weight", "2.weight"]),
    "residual": (
        chain(
            Residual(
                chain(Residual(methods.bayesian_compression(maps.Dense(4, 4))), methods.flipout(maps.Dense(4, 4)))
            ),
            LAST,
        ),
        ROW,
        ["0.layer.0.layer.0.weight", "0.layer.1.weight", "1.weight"],
    ),
    "lstm": (
        lstm(methods.flipout, 4, 3, input_noise=Bernoulli(0.5), hidden_noise=Bernoulli(0.5)),
        SEQUENCE,
        ["0.input.weight", "0.hidden.weight"],
    ),
    "gru": (
        chain(gru(methods.flipout, 4, 4, outputs="last"), LAST),
        SEQUENCE,
        ["0.input.weight", "0.hidden.weight", "1.weight"],
    ),
    "attention": (
        multi_head_attention(methods.flipout, 4, 2),
        SEQUENCE,
        [f"0.{name}.weight" for name in ("query", "key", "value", "output")],
    ),
}


def small_noise(layer: Any) -> Any:
    """Random parameters at which every weight is much larger than its noise, so that it keeps many places."""
    low = {"rho": -20.0, "log_sigma2": -40.0, "running_variance": 1.0}
    params = random_params(layer, np.random.default_rng(0))
    return tree.unflatten(
        params, iter([np.full_like(a, low[k]) if (k := n.split(".")[-1]) in low else a for n, a in tree.paths(params)])
    )


@pytest.mark.parametrize(("layer", "x_shape", "weights"), QUIETED.values(), ids=QUIETED)
def test_it_predicts_without_noise_what_the_means_do(layer: Any, x_shape: Any, weights: list[str]) -> None:
    params = small_noise(layer)
    compressed = compress(layer, params)
    x = np.random.default_rng(1).standard_normal(x_shape)
    noise = compressed.layer.draw(host_rng(2), compressed.params, x.shape, like=x)
    assert tree.leaves(noise) == []
    want = layer.predict(params, x)
    np.testing.assert_allclose(compressed.layer.predict(compressed.params, x), want, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("layer", "x_shape", "weights"), QUIETED.values(), ids=QUIETED)
def test_every_weight_is_rounded(layer: Any, x_shape: Any, weights: list[str]) -> None:
    compressed = compress(layer, random_params(layer, np.random.default_rng(0)))
    assert [b.path for b in compressed.bits] == [f"{name}.theta" for name in weights]
    leaves = dict(tree.paths(compressed.params))
    for bits in compressed.bits:
        scaled = leaves[bits.path] * 2.0**bits.places
        assert bits.weights == scaled.size
        assert np.array_equal(scaled, np.round(scaled))


def test_the_rate_counts_each_number_once_on_both_sides() -> None:
    """Weights of w bits, and as many others of 32 as there were: one a weight and bias, four a normalised feature."""
    layer = chain(Residual(methods.flipout(maps.Dense(4, 4))), BatchNorm(4), methods.dropout(maps.Dense(4, 2)))
    compressed = compress(layer, random_params(layer, np.random.default_rng(0)))
    first, last = (b.width for b in compressed.bits)
    beside = 4 + 2 + 4 * 4
    assert compression_rate(layer, compressed) == 32 * (16 + 8 + beside) / (16 * first + 8 * last + 32 * beside)


@pytest.mark.parametrize(
    "layer",
    [
        methods.information_dropout(maps.Dense(4, 4)),
        methods.low_rank_gaussian(maps.Dense(4, 4), bias="none"),
        methods.concrete_dropout(maps.Dense(4, 4)),
        methods.variational_matrix_gaussian(maps.Dense(4, 4), pseudo_data=2),
    ],
    ids=["information", "low rank", "concrete", "pseudo-data"],
)
def test_what_would_keep_its_noise_is_named(layer: Any) -> None:
    network = chain(Residual(layer), LAST)
    with pytest.raises(TypeError, match=r"layer has .* at '0\.layer', expected weights with a mean and a scale each"):
        compress(network, random_params(network, np.random.default_rng(0)))


def test_a_layer_of_unknown_parts_is_named() -> None:
    with pytest.raises(TypeError, match="expected Recurrent, MultiHeadAttention or Residual"):
        quiet.with_parts(LAST, {})
