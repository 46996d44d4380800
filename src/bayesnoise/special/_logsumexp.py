"""`log sum exp(x)` along an axis, shifted by the maximum so that no term overflows."""

from __future__ import annotations

from array_api_compat import array_namespace

from bayesnoise._typing import Array


def logsumexp(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """`log sum exp(x)` over the given axes, or over all: -inf where all terms are -inf, +inf where one is."""
    xp = array_namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    finite = xp.isfinite(top)
    shift = xp.where(finite, top, xp.zeros_like(top))
    # Where the maximum is not finite it is the result: inf - inf is kept out of the sum.
    terms = xp.exp(xp.where(finite, x - shift, xp.zeros_like(x)))
    result = xp.where(finite, xp.log(xp.sum(terms, axis=axis, keepdims=True)) + shift, top)
    if keepdims:
        return result
    return xp.squeeze(result, axis=tuple(range(x.ndim)) if axis is None else axis)
