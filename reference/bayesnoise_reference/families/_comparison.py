"""Findings about numbers that should agree to rounding, one array with another or a gradient with its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial

_STEP = 1e-30  # of the complex step


def compared(trial: Trial, pairs: dict[str, tuple[Array, Array]], units: float, what: str) -> Finding:
    """Each array against the truth, in roundings of the largest number of all."""
    size = max(float(np.max(np.abs(want), initial=0.0)) for _, want in pairs.values())
    errors = {
        name: float(np.max(np.abs(got - want), initial=0.0)) / max(size, 1e-30) for name, (got, want) in pairs.items()
    }
    name = max(errors, key=lambda n: errors[n])
    wrong = not errors[name] <= units * trial.guard.eps
    said = f"is off by {errors[name]:.2g} of the largest number" if wrong else "agrees to rounding"
    return exact(wrong, f"{what} {name} {said}", 1)


def gradients_compared(
    trial: Trial,
    found: dict[str, Array],
    held: dict[str, Array],
    loss: Callable[[dict[str, Array]], Any],
    what: str,
    names: tuple[str, ...] = (),
) -> Finding:
    """The gradients by the named parameters, or by all, along a random direction each, against a complex step.

    A wrong element shows in every direction but for a set of probability zero.
    """
    off, sizes = {}, {}
    for name in names or tuple(held):
        way = trial.rng.standard_normal(held[name].shape)
        want = float(np.imag(loss(held | {name: held[name] + 1j * _STEP * way}))) / _STEP
        off[name] = abs(float(np.sum(found[name] * way)) - want)
        sizes[name] = float(np.sum(np.abs(found[name] * way))) + abs(want)
    largest = max(sizes.values())
    errors = {name: off[name] / max(sizes[name] + 0.01 * largest, 1e-30) for name in off}
    name = max(errors, key=lambda n: errors[n])
    wrong = not errors[name] <= (1e6 if trial.guard.eps < 1e-10 else 1e4) * trial.guard.eps
    said = f"of {name} is off by {errors[name]:.2g} of its size" if wrong else "agrees to rounding"
    return exact(wrong, f"{what} {said}", 1)
