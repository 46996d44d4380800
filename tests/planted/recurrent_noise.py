"""What recurrent layers may make of their noise by mistake: shared by what should have its own, of another shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def shared(has: Callable[..., bool], name: str, eps: Array, units: int, rng: Any) -> Array:
    """The noise `(..., k)` of an array, like "hidden_eps", as a mistake leaves it."""
    if has("recurrent-hidden-uniform") and name == "hidden_eps":
        return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), eps.shape)
    if has("recurrent-hidden-signs") and name == "hidden_eps":
        return rng.choice([-1.0, 1.0], eps.shape)
    tiled = has("recurrent-gates-share-noise") and "bias" not in name
    tiled = tiled or (has("recurrent-hidden-gates-share-noise") and name == "hidden_eps")
    tiled = tiled or (has("recurrent-bias-gates-share-noise") and "bias" in name)
    if tiled:
        return np.concatenate([eps[..., :units]] * (eps.shape[-1] // units), axis=-1)
    if has("recurrent-two-gates-share-noise") and name == "input_eps":
        eps[..., units : 2 * units] = eps[..., :units]
    if has("recurrent-units-share-noise") and name == "input_eps":
        eps = np.repeat(eps[..., ::units], units, axis=-1)
    if has("recurrent-inputs-share-noise") and name == "input_eps":
        eps = np.broadcast_to(eps[..., :1, :], eps.shape)
    if has("recurrent-states-share-noise") and name == "hidden_eps":
        eps = np.broadcast_to(eps[..., :1, :], eps.shape)
    return eps


def signs(
    has: Callable[..., bool], name: str, n: int, shape: tuple[int, ...], rng: Any, units: int
) -> dict[str, Array]:
    """Of one map, "input" or "hidden"."""
    found = {
        f"{name}_sign_{side}": rng.choice([-1.0, 1.0], (n, k)) for side, k in zip(("in", "out"), shape, strict=True)
    }
    for key, value in found.items():
        side = key.rsplit("_", 1)[1]
        missing = has({"in": "no-input-signs", "out": "no-output-signs"}[side])
        missing = missing or (name == "hidden" and has("recurrent-hidden-signs-missing"))
        missing = missing or (name == "hidden" and has(f"recurrent-hidden-{side}-signs-missing"))
        if missing:
            found[key] = np.ones_like(value)
        if has("signs-shared-across-batch"):
            found[key] = np.broadcast_to(value[:1], value.shape)
        if has("signs-zero-one"):
            found[key] = (value + 1.0) / 2.0
        if has("recurrent-gates-share-signs") and side == "out":
            found[key] = np.concatenate([value[:, :units]] * (shape[1] // units), axis=1)
        if has("recurrent-hidden-in-signs-scalar") and key == "hidden_sign_in":
            found[key] = np.repeat(value[:, :1], shape[0], axis=1)
    return found
