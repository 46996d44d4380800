"""Dropout of contiguous blocks: `y = x * kept * (elements / elements kept)`.

Ghiasi, Lin, Le 2018, "DropBlock: A regularization method for convolutional networks" (arXiv 1810.12890), algorithm 1.
Random are the blocks: each place at which a block fits inside the map is dropped with probability

    gamma = rate / prod(block) * prod(space) / prod(places),    places = space - block + 1.

A position is kept if no dropped block covers it. Blocks overlap, and fewer of them cover an edge than the middle, so a
position is kept with probability `(1 - gamma)^(blocks that cover it)`: nearly, not exactly, `1 - rate` on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.layer import Empty
from bayesnoise.maps._windows import Windows, gather_adjoint
from bayesnoise.maps.conv import channels_first, channels_last, per_dimension


class DropBlockNoise(NamedTuple):
    blocks: Array  # (n, c, *places), 1 where the block that begins there is dropped, else 0


class DropBlockResiduals(NamedTuple):
    multiplier: Array  # like x


@dataclass(frozen=True)
class DropBlock:
    """Each channel of each example loses blocks of its own; the rest is scaled up by what was lost.

    `block` has one integer a spatial dimension. `scale_by` says over what the kept elements are counted: all of the
    batch, as the paper's algorithm does, or each example, whose output is then independent of the others. ValueError
    for a rate outside [0, 1), for sizes below 1, and, when used, for a map that is smaller than a block; TypeError for
    a block that is no tuple of integers.
    """

    rate: float
    block: Shape
    scale_by: Literal["batch", "example"] = "batch"

    def __post_init__(self) -> None:
        _checks.probability("rate", self.rate)
        _checks.integers("block", self.block)
        object.__setattr__(self, "block", per_dimension("block", self.block, len(self.block), 1))
        _checks.one_of("scale_by", self.scale_by, ("batch", "example"))

    def _windows(self, x_shape: Shape) -> Windows:
        """The places at which a block fits."""
        space, ones = tuple(x_shape[2:]), (1,) * len(self.block)
        if len(x_shape) != 2 + len(self.block):
            expected = ", ".join(["n", "c", *["size"] * len(self.block)])
            raise ValueError(f"x has shape {tuple(x_shape)}, expected ({expected}) for block {self.block}")
        if any(size < b for size, b in zip(space, self.block, strict=True)):
            raise ValueError(
                f"block is {self.block}, larger than the map of {space}: it fits nowhere, use a smaller block"
            )
        return Windows(space, self.block, ones, (0,) * len(self.block), ones)

    def gamma(self, x_shape: Shape) -> float:
        """The probability that a block is dropped, for an input of that shape."""
        windows = self._windows(x_shape)
        return self.rate / prod(self.block) * prod(windows.size) / prod(windows.positions)

    @property
    def independent_examples(self) -> bool:
        return self.scale_by == "example"

    def output_shape(self, x_shape: Shape) -> Shape:
        self._windows(x_shape)
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Empty:
        return Empty()

    def _noise_shapes(self, x_shape: Shape) -> DropBlockNoise:
        return DropBlockNoise((*x_shape[:2], *self._windows(x_shape).positions))

    def draw(self, rng: Rng, params: Empty, x_shape: Shape, *, like: Array) -> DropBlockNoise:
        u = rng.uniform(self._noise_shapes(x_shape).blocks, like=like)
        xp = array_namespace(u)
        return DropBlockNoise(xp.where(u < self.gamma(x_shape), xp.ones_like(u), xp.zeros_like(u)))

    def _kept(self, blocks: Array, windows: Windows) -> Array:
        """`(n, c, *places) -> (n, c, *space)`: 1 where no dropped block covers the position, else 0."""
        xp = array_namespace(blocks)
        each = xp.expand_dims(channels_last(blocks), axis=2)  # (n, p, 1, c)
        n, p, _, c = each.shape
        covering = gather_adjoint(xp.broadcast_to(each, (n, p, prod(self.block), c)), windows)
        return channels_first(xp.where(covering > 0, xp.zeros_like(covering), xp.ones_like(covering)), windows.size)

    def forward(self, params: Empty, noise: DropBlockNoise, x: Array) -> tuple[Array, DropBlockResiduals]:
        _checks.layer_input(x, noise)
        windows = self._windows(x.shape)
        _checks.noise(noise, self._noise_shapes(x.shape))
        xp = array_namespace(x)
        kept = self._kept(noise.blocks, windows)
        axes = tuple(range(0 if self.scale_by == "batch" else 1, x.ndim))
        left = xp.sum(kept, axis=axes, keepdims=True)
        counted = prod(x.shape[axes[0] :])
        multiplier = kept * (counted / xp.where(left > 0, left, xp.ones_like(left)))  # none left: all is 0
        return x * multiplier, DropBlockResiduals(multiplier)

    def backward(
        self, residuals: DropBlockResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Empty]:
        return (grad_y * residuals.multiplier if input_grad else None), Empty()

    def predict(self, params: Empty, x: Array) -> Array:
        self._windows(x.shape)
        return x

    def kl(self, params: Empty, noise: DropBlockNoise | None = None) -> Array:
        return 0.0

    def kl_grad(self, params: Empty, noise: DropBlockNoise | None = None) -> Empty:
        return Empty()
