"""The numbers that an input of a vector may be, by its name, where not every finite number makes sense.

A name means the same in every family that has it. Data whose range depends on a shape, like indices of classes, are not
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bayesnoise_reference import schema


class Range(NamedTuple):
    """What a number must fulfil, and how a message says it."""

    holds: Callable[[float], bool]
    expected: str


_KEPT = Range(lambda x: 0.0 <= x < 1.0, "at least 0 and below 1")
_SHARE = Range(lambda x: 0.0 <= x <= 1.0, "at least 0 and at most 1")
_INSIDE = Range(lambda x: 0.0 < x < 1.0, "above 0 and below 1")
_ABOVE = Range(lambda x: 0.0 < x < float("inf"), "a finite number above 0")
_NOT_BELOW = Range(lambda x: 0.0 <= x < float("inf"), "a finite number that is not below 0")
_SIGN = Range(lambda x: x in (-1, 1), "-1 or 1")
_BIT = Range(lambda x: x in (0, 1), "0 or 1")
_COUNT = Range(lambda x: 0 <= x < float("inf") and x == int(x), "a whole number that is not below 0")
_SIZE = Range(lambda x: 1 <= x < float("inf") and x == int(x), "a whole number above 0")

RANGES: Mapping[str, Range] = {
    "rate": _KEPT,
    "pi": _SHARE,
    "u": _INSIDE,
    "beta": _SHARE,
    "beta1": _KEPT,
    "beta2": _KEPT,
    "kept": _BIT,
    "blocks": _BIT,
    "causal": _BIT,
    "temperature": _ABOVE,
    "learning_rate": _ABOVE,
    "prior_scale": _ABOVE,
    "noise_scale": _ABOVE,
    "q_scale": _ABOVE,
    "scale": _ABOVE,
    "scale1": _ABOVE,
    "scale2": _ABOVE,
    "width": _ABOVE,
    "variances": _ABOVE,
    "minimum_variance": _ABOVE,
    "diagonal": _ABOVE,
    "first_precision": _ABOVE,
    "epsilon": _NOT_BELOW,
    "count": _COUNT,
    "examples": _SIZE,
    "rank": _COUNT,
    "columns": _SIZE,
    "stride": _SIZE,
    "dilation": _SIZE,
    "padding": _COUNT,
    "output_padding": _COUNT,
    **{f"{part}sign_{side}": _SIGN for part in ("", "input_", "hidden_", "query_", "key_", "value_", "output_")
       for side in ("in", "out")},
}  # fmt: skip


def range_problem(name: str, data: list[Any]) -> str | None:
    """What is wrong with the elements of an input, as the end of a path and its sentence."""
    wanted = RANGES.get(name)
    if wanted is None:
        return None
    for index, x in enumerate(data):
        if isinstance(x, str) or not wanted.holds(x):
            return f"[{index}] is {schema.show(x)}, expected {wanted.expected}"
    return None
