"""Random tensors, on the device of the tensor they are to be like."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bayesnoise._typing import Array, Shape
from bayesnoise_backends import _host_draws
from bayesnoise_backends._seed import Seed


@dataclass(frozen=True)
class TorchRng:
    """Draws on the device of `like`. A function of its seed: each source is for one draw or one split.

    On the CPU the numbers are those of NumPy's source: torch's own generator there keeps 32 bits of its seed, so that
    among 10^5 streams two would be the same.
    """

    seed: Seed

    def _draw(
        self, on_host: Callable[[Seed, Shape, Any], Any], on_device: Callable[..., Any], shape: Shape, like: Array
    ) -> Array:
        if like.device.type == "cpu":
            wide = np.float64 if like.dtype == torch.float64 else np.float32
            return torch.from_numpy(on_host(self.seed, tuple(shape), wide)).to(like.dtype)
        generator = torch.Generator(like.device).manual_seed(self.seed.integer(63))
        return on_device(tuple(shape), generator=generator, dtype=like.dtype, device=like.device)

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return self._draw(_host_draws.normal, torch.randn, shape, like)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        precision = 1 - round(
            math.log2(torch.finfo(like.dtype).eps)
        )  # fewer bits in half precision: below 1 when rounded

        def on_host(seed: Seed, shape: Shape, dtype: Any) -> Any:
            return _host_draws.uniform(seed, shape, dtype, precision)

        return self._draw(on_host, torch.rand, shape, like)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        def on_device(shape: Shape, **kind: Any) -> Array:
            return torch.randint(0, 2, shape, **kind).mul_(2).sub_(1)

        return self._draw(_host_draws.rademacher, on_device, shape, like)

    def split(self, n: int) -> tuple[TorchRng, ...]:
        return tuple(TorchRng(child) for child in self.seed.split(n))
