"""Bits of a weight by their definition, rounding, and compressed networks written and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import bayesian_compression as reference
from bayesnoise_reference import posteriors
from bayesnoise_reference.numerics import gauss_hermite_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

from bayesnoise import activations, checkpoints, compressed_files, maps, networks, tree
from bayesnoise.chain import chain
from bayesnoise.compression import compress, compression_rate, exponent_bits, places
from bayesnoise.methods import bayesian_compression, dropout, flipout, multiplicative_normalizing_flow
from bayesnoise.noise import GroupFactor, NormalJeffreys


def network(prior: Any = "normal_jeffreys") -> Any:
    return networks.mlp(lambda map: bayesian_compression(map, prior=prior), (3, 4, 2))


def params_of(layer: Any, seed: int = 0) -> Any:
    return tree.map(lambda leaf: 0.5 * leaf, random_params(layer, np.random.default_rng(seed)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=5), st.sampled_from(["scale", "variance"]))
def test_places_are_those_of_the_definition(sd: list[float], precision: Any) -> None:
    assert places(np.array(sd), precision) == reference.places(np.array(sd), precision)


@pytest.mark.parametrize(
    ("sd", "precision", "expected"), [(0.25, "scale", 1), (0.5, "scale", 0), (0.125, "variance", 4)]
)
def test_places_at_a_power_of_two(sd: float, precision: Any, expected: int) -> None:
    """`2^-1 / 2` is at most 1/4, and `2^-t > 2 / 64` holds for t up to 4."""
    assert places(np.array([sd]), precision) == expected == reference.places(np.array([sd]), precision)


def test_a_weight_without_noise_keeps_all_places() -> None:
    assert places(np.zeros(3)) == places(np.zeros(3), "variance") == 23


@given(st.floats(1e-6, 1e6))
def test_exponents_are_those_of_the_definition(largest: float) -> None:
    assert exponent_bits(largest) == reference.exponent_bits(largest)
    assert exponent_bits(0.0) == reference.exponent_bits(0.0) == 1


def test_precision_is_that_of_the_weights_with_their_factors() -> None:
    """The standard deviation of `z w` over a grid of both."""
    layer: Any = bayesian_compression(maps.Dense(2, 2), bias="none")
    params = params_of(layer)
    theta, z_scale = posteriors.additive(*params[0])
    mean, scale = posteriors.gaussian_softplus(*params[1])
    squares, products = np.zeros((2, 2)), np.zeros((2, 2))
    for (a, b), weight in zip(*gauss_hermite_grid(4, 2), strict=True):
        w = (theta + z_scale * a)[:, None] * (mean + scale * b)
        squares, products = squares + weight * w**2, products + weight * w
    (bits,) = compress(layer, params).bits
    assert bits.places == reference.places(np.sqrt(squares - products**2), "scale")
    assert bits.exponent == reference.exponent_bits(float(np.max(np.abs(products))))
    assert bits.bits == 1 + bits.exponent + bits.places


@pytest.mark.parametrize("precision", ["scale", "variance"])
@pytest.mark.parametrize("prior", ["normal_jeffreys", "half_cauchy"])
def test_weights_are_rounded_to_the_nearest_multiple(prior: Any, precision: Any) -> None:
    layer = network(prior)
    params = params_of(layer)
    compressed = compress(layer, params, precision=precision)
    leaves = dict(tree.paths(compressed.params))
    for bits, (factor, part), p in zip(
        compressed.bits, (m.layers for m in layer.layers[::2]), params[::2], strict=True
    ):
        exact = factor.law.factor_moments(p[0])[0][:, None] * part.weight.posterior.mean(p[1].weight)
        got = leaves[bits.path]
        assert np.max(np.abs(got - exact)) <= 0.5 * 2.0**-bits.places
        assert np.array_equal(got * 2.0**bits.places, np.round(got * 2.0**bits.places))
    assert [(b.path, b.weights) for b in compressed.bits] == [("0.weight.theta", 12), ("2.weight.theta", 8)]


@pytest.mark.parametrize("prior", ["normal_jeffreys", "half_cauchy"])
def test_without_rounding_to_speak_of_predictions_are_the_same(prior: Any) -> None:
    """With hardly any noise a weight has 23 places; factors are in the weights, those of filters in the bias too."""
    layer = networks.conv_net(
        lambda map: bayesian_compression(map, prior=prior), (1, 2, 2), 2, channels=(2,), hidden=(3,)
    )
    params = layer.init(host_rng(0), like=np.ones(()))
    quiet = {"rho": -40.0, "log_sigma2": -60.0, "log_sigma": -40.0}
    params = tree.unflatten(
        params, iter([np.full_like(a, quiet.get(n.split(".")[-1], 0.3)) for n, a in tree.paths(params)])
    )
    compressed = compress(layer, params)
    assert {b.places for b in compressed.bits} == {23}
    x = np.random.default_rng(1).standard_normal((3, 1, 2, 2))
    assert np.allclose(compressed.layer.predict(compressed.params, x), layer.predict(params, x), rtol=1e-5, atol=1e-6)


def test_other_methods_are_rounded_too(namespace: Namespace) -> None:
    layer = chain(flipout(maps.Dense(3, 2)), activations.relu(), dropout(maps.Dense(2, 1)))
    params = layer.init(host_rng(0), like=namespace.asarray(np.ones(())))
    compressed = compress(layer, params, to_host=to_numpy)
    assert [b.places for b in compressed.bits] == [reference.places(np.array([0.05]), "scale"), 23]
    assert all(namespace.owns(leaf) for leaf in tree.leaves(compressed.params))


@given(st.integers(1, 40), st.integers(0, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_integers_are_packed_and_unpacked(width: int, n: int, seed: int) -> None:
    limit = 1 << (width - 1)
    integers = np.random.default_rng(seed).integers(-limit, limit, n)
    stored = compressed_files.packed(integers, width)
    assert stored.nbytes == -(-n * width // 8)
    assert np.array_equal(compressed_files.unpacked(stored, width, (n,)), integers)


def test_a_network_read_back_predicts_the_same(namespace: Namespace, tmp_path: Path) -> None:
    layer = network()
    params = tree.map(namespace.asarray, params_of(layer))
    compressed = compress(layer, params, to_host=to_numpy)
    compressed_files.save(tmp_path / "a", compressed, to_host=to_numpy)
    other = tree.map(namespace.asarray, params_of(layer, seed=1))
    again = compressed_files.load(tmp_path / "a", like=compress(layer, other, to_host=to_numpy))
    assert again.bits == compressed.bits
    x = namespace.asarray(np.random.default_rng(2).standard_normal((5, 3)))
    first, second = (c.layer.predict(c.params, x) for c in (compressed, again))
    assert namespace.owns(second)
    assert np.array_equal(to_numpy(first), to_numpy(second))


def test_the_rate_is_that_of_the_file(tmp_path: Path) -> None:
    layer = networks.mlp(bayesian_compression, (40, 50, 10))
    params = layer.init(host_rng(0), like=np.ones((), dtype=np.float32))
    params = tuple(
        (p[0], p[1]._replace(weight=p[1].weight._replace(rho=p[1].weight.rho * 0 - 3))) if p else p for p in params
    )
    compressed = compress(layer, params)
    compressed_files.save(tmp_path / "a", compressed)
    numbers = 40 * 50 + 50 + 50 * 10 + 10
    stored = sum(a.nbytes for a in checkpoints.read(tmp_path / "a").arrays.values())
    rate = compression_rate(layer, compressed)
    assert rate == pytest.approx(4 * numbers / stored, rel=1e-3)  # the last byte of each layer may be part empty
    assert rate > 3


def saved(tmp_path: Path) -> tuple[Path, Any]:
    layer = network()
    compressed = compress(layer, params_of(layer))
    compressed_files.save(tmp_path / "a", compressed)
    return tmp_path / "a", compressed


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path, compressed = saved(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"safetensors|checkpoint|damaged"):
            compressed_files.load(path, like=compressed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected the bits of layers: it is damaged"),
        ("{", "expected the bits of layers"),
        ('{"0.weight.theta": [1]}', "expected the bits of layers"),
        ("{}", r"has the layers \[\], expected"),
        (None, "not compressed: it has no 'compressed'"),
        ([1000, 1, 3, 12], "which no layer has"),
        ([1, 1, 0, 12], "which no layer has"),
        ([1, 1, 63, 12], "which no layer has"),
        ([1.0, 1, 3, 12], "which no layer has"),
        ([1, 1, 3, 13], "has 13 weights at '0.weight.theta', expected 12"),
        ([1, 1, 60, 12], "of shape"),
    ],
)
def test_wrong_metadata_is_refused(tmp_path: Path, text: Any, message: str) -> None:
    path, compressed = saved(tmp_path)
    numbers = {b.path: list(b[1:]) for b in compressed.bits}
    if isinstance(text, list):
        text = json.dumps(numbers | {"0.weight.theta": text})
    arrays = tree.unflatten(
        compressed.params, iter(checkpoints.read(path).arrays[n] for n, _ in tree.paths(compressed.params))
    )
    metadata = checkpoints.read(path).metadata | {compressed_files.KEY: text}
    checkpoints.save(path, arrays, {name: value for name, value in metadata.items() if value is not None})
    with pytest.raises(ValueError, match=message):
        compressed_files.load(path, like=compressed)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    wider = networks.mlp(bayesian_compression, (3, 5, 2))
    with pytest.raises(ValueError, match=r"has 12 weights at '0\.weight\.theta', expected 15"):
        compressed_files.load(path, like=compress(wider, params_of(wider)))
    bare = networks.mlp(lambda map: bayesian_compression(map, bias="none"), (3, 4, 2))
    with pytest.raises(ValueError, match="has the layers"):
        compressed_files.load(path, like=compress(bare, params_of(bare)))


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (
            chain(GroupFactor(2, 0, NormalJeffreys()), activations.relu()),
            ValueError,
            "beside the weights of its groups",
        ),
        (multiplicative_normalizing_flow(maps.Dense(2, 2)), TypeError, "expected weights with a mean and a scale each"),
    ],
)
def test_what_cannot_be_rounded_is_named(layer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        compress(layer, layer.init(host_rng(0), like=np.ones(())))


def test_wrong_arguments_are_named() -> None:
    layer = flipout(maps.Dense(2, 2))
    params = layer.init(host_rng(0), like=np.ones(()))
    with pytest.raises(ValueError, match="precision is 'sd', expected one of scale, variance"):
        compress(layer, params, precision="sd")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"sd has -1.0, expected standard deviations of at least 0"):
        places(np.array([0.5, -1.0]))
    bad = params._replace(weight=params.weight._replace(mu=params.weight.mu * np.nan))
    with pytest.raises(ValueError, match="weights that are not finite"):
        compress(layer, bad)
