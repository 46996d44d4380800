"""Replace parts of a composition: a layer is nested dataclasses and tuples, so one walk reaches every part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any


def rewrite(value: Any, chosen: Callable[[Any], bool], make: Callable[[Any], Any]) -> Any:
    """The value with `make(part)` for each chosen part, outermost first; what holds none of them is kept as it is."""
    if chosen(value):
        return make(value)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        parts = tuple(rewrite(part, chosen, make) for part in value)
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        new = {name: rewrite(part, chosen, make) for name, part in old.items()}
        changes = {name: part for name, part in new.items() if part is not old[name]}
        return replace(value, **changes) if changes else value
    return value
