"""What a backend's own map takes from the portable one: everything but the three functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bayesnoise._typing import Shape
from bayesnoise.maps.conv import Conv
from bayesnoise.maps.conv_transpose import ConvTranspose
from bayesnoise.maps.map import Map, Unit


@dataclass(frozen=True)
class Delegated:
    """The sizes and shapes of a portable map, for a map with the same functions computed in another way."""

    map: Conv | ConvTranspose

    @property
    def weight_shape(self) -> Shape:
        return self.map.weight_shape

    @property
    def initial_sd(self) -> float:
        return self.map.initial_sd

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def unit_shape(self, unit: Unit) -> Shape:
        return self.map.unit_shape(unit)

    def sign_shapes(self, x_shape: Shape) -> tuple[Shape, Shape]:
        return self.map.sign_shapes(x_shape)

    def bias(self) -> Map:
        return self.map.bias()

    @property
    def rank(self) -> int:
        """The number of spatial dimensions."""
        return len(self.map.kernel)

    @property
    def around(self) -> Shape:
        """Circular padding a dimension, which goes before the convolution."""
        circular = isinstance(self.map, Conv) and self.map.padding_mode == "circular"
        return _entries(self.map.padding, self.rank) if circular else (0,) * self.rank

    @property
    def geometry(self) -> dict[str, Any]:
        """Stride, padding with zeros and dilation a dimension, and the groups."""
        circular = isinstance(self.map, Conv) and self.map.padding_mode == "circular"
        return {
            "stride": _entries(self.map.stride, self.rank),
            "padding": (0,) * self.rank if circular else _entries(self.map.padding, self.rank),
            "dilation": _entries(self.map.dilation, self.rank),
            "groups": self.map.groups,
        }


def _entries(value: int | Shape, rank: int) -> Shape:
    return (value,) * rank if isinstance(value, int) else value
