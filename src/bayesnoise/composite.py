"""Layers made of layers: walking them together with their parameters.

The parameters of a composite are a tuple with one entry a part, in the order of `parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

from bayesnoise._typing import Params
from bayesnoise.layer import HasIndependentExamples, Layer


@runtime_checkable
class Composite(Protocol):
    """A layer that is made of others."""

    @property
    def parts(self) -> tuple[tuple[str, Layer], ...]:
        """The name of each part in the parameters, and the part."""
        ...


def walk(layer: Any, params: Params, path: str = "") -> Iterator[tuple[str, Any, Params]]:
    """Every layer that is not a composite: the dotted path of its parameters, the layer, its parameters."""
    if not isinstance(layer, Composite):
        yield path, layer, params
        return
    for (name, part), inner in zip(layer.parts, params, strict=True):
        yield from walk(part, inner, f"{path}.{name}" if path else name)


def rewrite(layer: Any, params: Params, function: Callable[[Any, Params], Params]) -> Params:
    """The parameters with `function(layer, params)` in the place of those of each layer that is not a composite."""
    if not isinstance(layer, Composite):
        return function(layer, params)
    inner = [rewrite(part, p, function) for (_, part), p in zip(layer.parts, params, strict=True)]
    return type(params)(*inner) if hasattr(params, "_fields") else tuple(inner)


def independent_examples(layer: Any) -> bool:
    """Whether a call on n examples has the law of n calls on one; no, which is always safe, where a layer is silent.

    A composite that is silent has no noise but that of its parts, or noise of its own for each example.
    """
    if isinstance(layer, HasIndependentExamples):
        return layer.independent_examples
    return isinstance(layer, Composite) and all(independent_examples(part) for _, part in layer.parts)


def outline(layer: Any) -> str:
    """A layer as a message names it: as it is written, but a composite by the names of what it is made of."""
    if not isinstance(layer, Composite):
        return repr(layer)
    return f"{type(layer).__name__}({', '.join(type(part).__name__ for _, part in layer.parts)})"
