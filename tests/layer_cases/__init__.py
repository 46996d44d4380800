"""Every layer and what the oracle says of it: a file a family, each with its `CASES`, found by being here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from layer_cases.case import LayerCase

CASES: dict[str, LayerCase] = {
    f"{module.name}-{name}": case
    for module in sorted(iter_modules(__path__), key=lambda module: module.name)
    for name, case in getattr(import_module(f"{__name__}.{module.name}"), "CASES", {}).items()
}
