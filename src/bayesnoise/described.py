"""Layers without noise as data that JSON can hold, and the layers of such data.

A layer is the name of its kind and its fields; an activation its name and constants. Any layer is described, so that
two can be compared; those that are made again are of the kinds below: chains and sums of dense and convolutional
weights, activations, pooling and reshaping.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from bayesnoise import activations
from bayesnoise.activations import Elementwise
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Plain
from bayesnoise.fixed import Fixed
from bayesnoise.maps import Bias, Conv, ConvTranspose, Dense
from bayesnoise.pooling import AveragePool, GlobalAveragePool, MaxPool, PoolWindow
from bayesnoise.posteriors import Point
from bayesnoise.reshaping import Flatten, Select
from bayesnoise.residual import Residual
from bayesnoise.stochastic import Stochastic

_WEIGHTS = (Affine, Stochastic, Point, Plain, Zero, Dense, Conv, ConvTranspose, Bias)
_OTHERS = (Chain, Residual, Fixed, Flatten, Select, MaxPool, AveragePool, GlobalAveragePool, PoolWindow)
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*_WEIGHTS, *_OTHERS)}


def _name(operation: Elementwise) -> str:
    return str(operation).split("(", maxsplit=1)[0]


_GELU = (activations.gelu(), activations.gelu(approximate="tanh"))
_CONFINED = (activations.relu(), activations.sigmoid(), activations.tanh(), activations.softplus(), activations.silu())
ELEMENTWISE: dict[str, Any] = {
    _name(layer.operation): layer.operation  # type: ignore[arg-type]
    for layer in (*_GELU, *_CONFINED, activations.elu(), activations.leaky_relu())
}


def described(part: Any) -> Any:
    """A layer, or what is in one, as JSON reads it back."""
    if isinstance(part, Elementwise):
        return {"kind": "Elementwise", "name": _name(part), "constants": list(part.constants)}
    if is_dataclass(part) and not isinstance(part, type):
        return {"kind": type(part).__name__} | {f.name: described(getattr(part, f.name)) for f in fields(part)}
    if isinstance(part, tuple | list):
        return [described(inner) for inner in part]
    return part if part is None or isinstance(part, bool | int | float | str) else repr(part)


def made(description: Any) -> Any:
    """The layer of a description; ValueError for a kind that is not among those that are made again."""
    if isinstance(description, list):
        return tuple(made(inner) for inner in description)
    if not isinstance(description, dict):
        return description
    given = dict(description)
    kind = given.pop("kind", None)
    if kind == "Elementwise" and given.get("name") in ELEMENTWISE:
        return replace(ELEMENTWISE[given["name"]], constants=tuple(given["constants"]))
    if kind not in KINDS:
        raise ValueError(f"kind is {str(kind)[:40]!r}, expected one of {', '.join(KINDS)}, or a known activation")
    return KINDS[kind](**{name: made(inner) for name, inner in given.items()})
