"""Masks over channels and blocks: what they are to the weights, how much they keep, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import convolution, drop_block, spatial_dropout
from bayesnoise_reference.numerics import masks

from bayesnoise import maps, methods
from bayesnoise._typing import Shape
from bayesnoise.layer import Empty, HasMoments
from bayesnoise.noise import Bernoulli, DropBlock, DropBlockNoise, Gaussian, Multiply, Spatial

GEOMETRIES: list[tuple[Shape, Shape]] = [((5,), (2,)), ((6,), (3,)), ((3, 3), (2, 2)), ((3, 4), (1, 3)), ((3,), (3,))]


def ratios(layer: DropBlock, space: Shape) -> tuple[Any, Any]:
    """The factors of one channel for every set of dropped blocks, and the probability of each set."""
    places = drop_block.places(space, layer.block)
    rows, chances = masks(prod(places), drop_block.gamma(layer.rate, space, layer.block))
    noise = DropBlockNoise(rows.reshape(-1, 1, *places))
    return layer.forward(Empty(), noise, np.ones((len(rows), 1, *space)))[0], chances


@pytest.mark.parametrize(("space", "block"), GEOMETRIES)
@pytest.mark.parametrize("rate", [0.0, 0.15, 0.6])
def test_kept_fraction_is_that_of_the_covering_blocks(space: Shape, block: Shape, rate: float) -> None:
    """By enumeration: a position is kept if none of the blocks that cover it is dropped."""
    layer = DropBlock(rate, block, "example")
    factors, chances = ratios(layer, space)
    fraction = float(chances @ np.mean(factors != 0, axis=tuple(range(1, factors.ndim))))
    places = drop_block.places(space, block)
    covering = np.zeros(space)
    for start in np.ndindex(*places):
        covering[tuple(slice(s, s + b) for s, b in zip(start, block, strict=True))] += 1
    gamma = layer.gamma((1, 1, *space))
    assert gamma == pytest.approx(drop_block.gamma(rate, space, block), rel=1e-14)
    assert fraction == pytest.approx(float(np.mean((1 - gamma) ** covering)), rel=1e-13)
    assert fraction == pytest.approx(drop_block.kept_fraction(rate, space, block), rel=1e-13)
    assert fraction >= 1 - rate - 1e-13  # overlaps only ever keep more


def test_the_nominal_rate_is_not_the_rate() -> None:
    """Blocks of 3 x 3 on 12 x 12 at rate 0.15: 14 % are dropped, and corners hardly ever."""
    gamma = DropBlock(0.15, (3, 3)).gamma((1, 1, 12, 12))
    along = np.convolve(np.ones(10), np.ones(3))  # blocks that cover each of 12 positions
    kept = (1 - gamma) ** np.outer(along, along)
    assert gamma == pytest.approx(0.15 / 9 * 144 / 100, rel=1e-14)
    np.testing.assert_allclose([np.mean(kept), kept[5, 5], kept[0, 0]], [0.8611, 0.976**9, 0.976], atol=2e-5)


@pytest.mark.parametrize("scale_by", ["batch", "example"])
def test_what_is_kept_makes_up_for_what_is_dropped(scale_by: Any) -> None:
    """The factors that are counted together have mean 1 exactly, unless nothing is kept."""
    layer = DropBlock(0.4, (2, 2), scale_by)
    x = np.ones((3, 2, 4, 3))
    y, _ = layer.forward(Empty(), layer.draw(host_rng(1), Empty(), x.shape, like=x), x)
    assert np.any(y == 0)
    groups = [y] if scale_by == "batch" else list(y)
    np.testing.assert_allclose([np.mean(group) for group in groups], 1.0, rtol=1e-15)
    assert (len({float(np.max(example)) for example in y}) == 1) == (scale_by == "batch")


def test_where_nothing_is_kept_all_is_zero(namespace: Any) -> None:
    layer = DropBlock(0.5, (2,), "example")
    noise = DropBlockNoise(namespace.asarray(np.array([[[1.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]])))
    x = namespace.asarray(np.full((2, 1, 4), 3.0))
    y, residuals = layer.forward(Empty(), noise, x)
    grad_x, _ = layer.backward(residuals, x)
    assert grad_x is not None
    for array in (y, grad_x):
        assert [[float(array[n, 0, i]) for i in range(4)] for n in range(2)] == [[0.0] * 4, [3.0] * 4]


def test_a_block_as_large_as_the_map_drops_channels() -> None:
    layer = DropBlock(0.3, (2, 3))
    x = np.ones((4, 5, 2, 3))
    assert layer.gamma(x.shape) == pytest.approx(0.3, rel=1e-15)
    y, _ = layer.forward(Empty(), layer.draw(host_rng(0), Empty(), x.shape, like=x), x)
    assert np.all(y == y[:, :, :1, :1])
    assert 0 < np.count_nonzero(y[:, :, 0, 0]) < 20


@dataclass(frozen=True)
class Grid:
    """A generator whose uniform numbers are `k / size`: exactly the share gamma of them, rounded up, is below gamma."""

    def uniform(self, shape: Shape, *, like: Any) -> Any:
        return np.arange(prod(shape)).reshape(shape) / prod(shape)


@pytest.mark.parametrize(("space", "block"), GEOMETRIES)
def test_blocks_are_drawn_with_probability_gamma(space: Shape, block: Shape) -> None:
    layer = DropBlock(0.35, block)
    drawn = layer.draw(Grid(), Empty(), (100, 8, *space), like=np.ones(())).blocks  # type: ignore[arg-type]
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert np.sum(drawn) == np.ceil(layer.gamma((100, 8, *space)) * drawn.size)


@pytest.mark.parametrize("law", [Bernoulli(0.5), Gaussian(0.25)])
def test_spatial_factors_are_constant_over_space(law: Any) -> None:
    for units, positions, shape, drawn in ((3, 2, (4, 3, 2, 5), (4, 3, 1, 1)), (3, 0, (4, 6, 3), (4, 1, 3))):
        layer = Multiply(Spatial(law, units, positions))
        x = np.ones(shape)
        noise = layer.draw(host_rng(0), Empty(), shape, like=x)
        assert noise.multiplier.shape == drawn
        assert len(np.unique(noise.multiplier)) > 1
        np.testing.assert_array_equal(layer.forward(Empty(), noise, x)[0], np.broadcast_to(noise.multiplier, shape))


def test_spatial_dropout_is_noise_of_the_weights() -> None:
    """Each example has the output of a convolution with the weights that its channels leave."""
    m = maps.Conv(3, 2, (2, 2), padding=1)
    layer = methods.spatial_dropout(m, rate=0.5, bias="none")
    x = np.random.default_rng(0).standard_normal((4, 3, 3, 4))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(1), params, x.shape, like=x)
    y, _ = layer.forward(params, noise, x)
    for n in range(4):
        w = spatial_dropout.weights(params[1].theta, noise[0].multiplier[n, :, 0, 0] != 0, 0.5)
        np.testing.assert_allclose(y[n], convolution.output(x[n], w, (1, 1), (1, 1), (1, 1)), rtol=0, atol=1e-13)


def test_over_features_both_are_dropout() -> None:
    dense, x = maps.Dense(3, 2), np.ones((5, 3))
    ordinary = methods.dropout(dense, rate=0.25)
    for layer in (methods.spatial_dropout(dense, rate=0.25), methods.drop_block(dense, rate=0.25)):
        params = layer.init(host_rng(0), like=x)
        drawn = [a.draw(host_rng(1), params, x.shape, like=x)[0].multiplier for a in (layer, ordinary)]
        np.testing.assert_array_equal(*drawn)


def test_drop_block_promises_no_moments() -> None:
    layer: object = DropBlock(0.1, (2,))
    assert not isinstance(layer, HasMoments)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: DropBlock(1.0, (2,)), ValueError, r"rate is 1.0, expected a probability in \[0, 1\)"),
        (lambda: DropBlock(0.1, (0,)), ValueError, r"block is \(0,\), expected integers of at least 1"),
        (lambda: DropBlock(0.1, (2.0,)), TypeError, "block is .*expected integers"),  # type: ignore[arg-type]
        (lambda: DropBlock(0.1, 9), TypeError, "^block is 9, expected a tuple of integers$"),  # type: ignore[arg-type]
        (lambda: DropBlock(0.1, None), TypeError, "block is None, expected a tuple"),  # type: ignore[arg-type]
        (lambda: DropBlock(0.1, (2,), "channel"), ValueError, "scale_by is 'channel', expected one of"),  # type: ignore[arg-type]
        (lambda: DropBlock(0.1, (3, 3)).output_shape((2, 1, 4, 2)), ValueError, r"larger than the map of \(4, 2\)"),
        (lambda: DropBlock(0.1, (3,)).output_shape((2, 1, 4, 4)), ValueError, r"expected \(n, c, size\) for block"),
        (lambda: Spatial(Bernoulli(0.1), 0), ValueError, "units is 0"),
        (
            lambda: Multiply(Spatial(Bernoulli(0.1), 3, 2)).output_shape((2, 4, 5, 5)),
            ValueError,
            r"x has shape \(2, 4, 5, 5\), expected 3 units with 2 axes behind it",
        ),
        (lambda: methods.spatial_dropout(maps.Conv(1, 1, (2,)), rate=1.0), ValueError, "rate is 1.0"),
        (lambda: methods.spatial_dropout(maps.Dense(2, 2).bias()), TypeError, "map is Bias"),
        (lambda: methods.drop_block(maps.Dense(2, 2).bias()), TypeError, "map is Bias"),
        (lambda: methods.drop_block(maps.Conv(1, 1, (2,)), block=(2, 2)), ValueError, r"block is \(2, 2\), expected"),
        (lambda: methods.drop_block(maps.Dense(2, 2), block=0), ValueError, "block is 0"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
