"""Layers written down the short way, right or with a mistake planted by name: a file a family, found by being here.

A file has `LAYERS`, descriptions; `adapter(description, mistake)`, where "" is the right layer; and
`mistakes(description)`, the names of those that can be made in such a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple


class Planted(NamedTuple):
    """One kind of layer, and the mistakes that can be made in it."""

    description: Any
    adapter: Callable[[Any, str], Any]
    mistakes: list[str]

    @property
    def kind(self) -> str:
        """The family and the kind within it, as ids of claims begin."""
        return f"{self.description.family}.{self.description.estimator}"


PLANTED: dict[str, Planted] = {}  # by the kind, with a number where a family has several layers of it
for _file in sorted(module.name for module in iter_modules(__path__)):
    _found = import_module(f"{__name__}.{_file}")
    for _description in getattr(_found, "LAYERS", ()):
        _planted = Planted(_description, _found.adapter, _found.mistakes(_description))
        _same = sum(planted.kind == _planted.kind for planted in PLANTED.values())
        PLANTED[_planted.kind + (f"-{_same + 1}" if _same else "")] = _planted
