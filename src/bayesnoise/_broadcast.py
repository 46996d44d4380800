"""The adjoint of broadcasting."""

from __future__ import annotations

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Shape


def sum_to(x: Array, shape: Shape) -> Array:
    """The sum of `x` over the axes along which an array of the given shape was broadcast to it."""
    if tuple(x.shape) == tuple(shape):
        return x
    xp = array_namespace(x)
    added = x.ndim - len(shape)
    stretched = tuple(added + i for i, n in enumerate(shape) if n == 1 and x.shape[added + i] != 1)
    return xp.reshape(xp.sum(x, axis=(*range(added), *stretched)), tuple(shape))
