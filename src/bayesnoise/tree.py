"""Trees of arrays: NamedTuples and tuples, nested, with `None` for what is absent.

Parameters, gradients, noise and optimizer states are all such trees; JAX reads the same tuples as its pytrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bayesnoise._typing import Array


def _rebuild(like: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    make = getattr(like, "_make", None)
    return make(items) if make is not None else tuple(items)


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree with `function(leaf, *leaves of the others)` at each leaf; `None` stays `None`."""
    if tree is None:
        return None
    if isinstance(tree, tuple):
        return _rebuild(tree, [map(function, *parts) for parts in zip(tree, *others, strict=True)])
    return function(tree, *others)


def leaves(tree: Any) -> list[Array]:
    """The arrays of the tree, depth first."""
    return [leaf for _, leaf in paths(tree)]


def paths(tree: Any, prefix: str = "") -> Iterator[tuple[str, Array]]:
    """Pairs of a dotted name and an array: `("0.weight.mu", mu)`, depth first."""
    if tree is None:
        return
    if isinstance(tree, tuple):
        names = getattr(tree, "_fields", None) or [str(i) for i in range(len(tree))]
        for name, part in zip(names, tree, strict=True):
            yield from paths(part, f"{prefix}.{name}" if prefix else name)
    else:
        yield prefix, tree


def unflatten(like: Any, arrays: Iterator[Array]) -> Any:
    """A tree of the shape of `like` whose leaves are taken in order from `arrays`."""
    return map(lambda _: next(arrays), like)


def first_leaf(tree: Any) -> Array | None:
    """Some array of the tree, for its namespace, dtype and device; `None` where there is none."""
    return next((leaf for _, leaf in paths(tree)), None)
