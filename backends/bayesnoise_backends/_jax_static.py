"""Trees that cross a jit with what is no array in them: shapes and numbers become part of the tree's structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from bayesnoise import tree


@dataclass(frozen=True)
class _Static:
    value: Any


jax.tree_util.register_dataclass(_Static, data_fields=[], meta_fields=["value"])


def freeze(value: Any) -> Any:
    """The tree with its leaves that are no arrays held fixed."""
    return tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else _Static(leaf), value)


def thaw(value: Any) -> Any:
    """The tree that was frozen."""
    return tree.map(lambda leaf: leaf.value if isinstance(leaf, _Static) else leaf, value)
