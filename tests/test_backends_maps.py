"""PyTorch's own convolutions as maps: what the portable ones compute, for every geometry."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from bayesnoise_backends.torch import NativeConv, NativeConvTranspose, native
from cases import MAPS, name_of

from bayesnoise import maps
from bayesnoise._typing import Shape
from bayesnoise.maps._windows import PaddingMode
from bayesnoise.maps.map import Map

KERNELS: tuple[Shape, ...] = ((3,), (2, 3), (2, 1, 2))
SPACES: tuple[Shape, ...] = ((7,), (5, 6), (4, 3, 5))
MODES: tuple[PaddingMode, ...] = ("zeros", "circular")


ONE, NONE = (1, 1, 1), (0, 0, 0)


def _convolutions() -> list[tuple[Map, Shape]]:
    grid = itertools.product((1, 2, 3), (ONE, (2, 1, 3)), (NONE, ONE, (2, 0, 1)), (ONE, (2, 1, 3)), (1, 2), MODES)
    geometries: list[tuple[Map, Shape]] = [
        (
            maps.Conv(4, 6, KERNELS[d - 1], stride[:d], padding[:d], dilation[:d], groups, mode),
            (2, 4, *SPACES[d - 1]),
        )
        for d, stride, padding, dilation, groups, mode in grid
    ]
    return [*geometries, (maps.Conv(4, 6, (2, 3), padding=1, padding_mode="circular"), (0, 4, 5, 6))]


def _transposed() -> list[tuple[Map, Shape]]:
    strides = ((ONE, NONE), ((2, 1, 3), NONE), ((2, 1, 3), (1, 0, 2)))
    grid = itertools.product((1, 2, 3), strides, (NONE, (1, 0, 1)), (ONE, (2, 1, 3)), (1, 2))
    geometries: list[tuple[Map, Shape]] = [
        (
            maps.ConvTranspose(4, 6, KERNELS[d - 1], stride[:d], padding[:d], extra[:d], dilation[:d], groups),
            (2, 4, *SPACES[d - 1]),
        )
        for d, (stride, extra), padding, dilation, groups in grid
    ]
    return [*geometries, (maps.ConvTranspose(4, 6, (2, 3), stride=2), (0, 4, 5, 6))]


def close(a: Any, b: Any) -> bool:
    """Equal to 1e-13 of the size of what is summed in them, of the order of 1 to 100 here."""
    return a.shape == b.shape and a.dtype == b.dtype and bool(torch.all(torch.abs(a - b) <= 1e-13))


def numbers(seed: int, *shapes: Shape) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.mark.parametrize("geometries", [_convolutions(), _transposed()], ids=["conv", "transposed"])
def test_native_map_equals_the_portable_one(geometries: list[tuple[Map, Shape]]) -> None:
    for seed, (portable, x_shape) in enumerate(geometries):
        own = native(portable)
        y_shape = portable.output_shape(x_shape)
        x, w, g = numbers(seed, x_shape, portable.weight_shape, y_shape)
        y, grad_x, grad_w = own.apply(x, w), own.adjoint_x(g, w, x_shape), own.adjoint_w(g, x, w.shape)
        assert close(y, portable.apply(x, w)), portable
        assert close(grad_x, portable.adjoint_x(g, w, x_shape)), portable
        assert close(grad_w, portable.adjoint_w(g, x, w.shape)), portable
        size = float(torch.sum(torch.abs(g) * torch.abs(y)))
        for product in (torch.sum(grad_x * x), torch.sum(grad_w * w)):
            assert abs(float(torch.sum(g * y) - product)) <= 1e-13 * size, portable


@pytest.mark.parametrize(("portable", "x_shape"), MAPS, ids=[name_of(m) for m, _ in MAPS])
def test_native_map_has_the_shapes_of_the_portable_one(portable: Map, x_shape: Shape) -> None:
    own = native(portable)
    if isinstance(portable, maps.Conv | maps.ConvTranspose):
        assert own == (NativeConv if isinstance(portable, maps.Conv) else NativeConvTranspose)(portable)
        assert hash(own) == hash(native(portable))
    else:
        assert own is portable
    assert own.weight_shape == portable.weight_shape
    assert own.initial_sd == portable.initial_sd
    assert own.output_shape(x_shape) == portable.output_shape(x_shape)
    assert own.sign_shapes(x_shape) == portable.sign_shapes(x_shape)
    assert own.unit_shape("weight") == portable.unit_shape("weight")
    assert own.bias() == portable.bias()


def test_native_map_keeps_its_inputs() -> None:
    portable = maps.Conv(1, 2, (3,), padding=2, padding_mode="circular")
    x, w, g = numbers(0, (2, 1, 4), portable.weight_shape, portable.output_shape((2, 1, 4)))
    before = [a.clone() for a in (x, w, g)]
    own = native(portable)
    for _ in (own.apply(x, w), own.adjoint_x(g, w, x.shape), own.adjoint_w(g, x, w.shape)):
        pass
    assert all(torch.equal(a, b) for a, b in zip((x, w, g), before, strict=True))
