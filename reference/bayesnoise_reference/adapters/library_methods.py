"""What of this library can be verified by its name: the public functions of the files `library_*.py` beside this one.

    adapter = library_method("flipout", inputs=8, outputs=64, kernel=(3, 3))
    adapter = library_method("dropout", rate=0.1)

A function is named as the method or the layer that it adapts, and has a default for everything. To add one is to write
it; what begins with `library_` is for use from Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from inspect import Parameter, isfunction, signature
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, get_type_hints

from bayesnoise_reference import adapters
from bayesnoise_reference.adapters.described import fitted

_INWARD = ("inputs", "rows", "units", "features")  # what a layer calls the size of its input
_OUTWARD = ("outputs", "units", "features")
_FIXED = ("name", "kind")  # fields of a description that a function gives itself


def _public(module: ModuleType) -> dict[str, Callable[..., Any]]:
    own = {n: f for n, f in vars(module).items() if isfunction(f) and f.__module__ == module.__name__}
    return {name: function for name, function in own.items() if not name.startswith(("_", "library_"))}


@cache
def library_names() -> Mapping[str, Callable[..., Any]]:
    """The functions, by the name that each method or layer has."""
    found: dict[str, Callable[..., Any]] = {}
    for module in iter_modules(adapters.__path__):
        if module.name.startswith("library_"):
            found |= _public(import_module(f"{adapters.__name__}.{module.name}"))
    return dict(sorted(found.items()))


def _settings(made: Callable[..., Any]) -> dict[str, Any]:
    """The types of what can be set: its own arguments, and the fields of its description if it takes any."""
    hints, taken = get_type_hints(made), signature(made).parameters.values()
    found = {p.name: hints[p.name] for p in taken if p.kind is not Parameter.VAR_KEYWORD and p.name != "like"}
    if any(p.kind is Parameter.VAR_KEYWORD for p in taken):
        description = made().description
        types = get_type_hints(type(description))
        found |= {f.name: types[f.name] for f in fields(description) if f.init and f.name not in (*found, *_FIXED)}
    return found


def library_method(name: str, inputs: int | None = None, outputs: int | None = None, **settings: Any) -> Any:
    """The adapter of that name. `inputs` and `outputs` are the sizes, whatever the layer calls them.

    ValueError for a method without claims, and for a setting that the method has not, both with those that there are.
    """
    known = library_names()
    if name not in known:
        raise ValueError(_no_claims(name, tuple(known)))
    types = _settings(known[name])
    inward = next((size for size in _INWARD if size in types), None)
    outward = next((size for size in _OUTWARD if size in types and size != inward), None)
    own = {"inputs": inward, "outputs": outward}
    settings |= {word: size for word, size in (("inputs", inputs), ("outputs", outputs)) if size is not None}
    given: dict[str, Any] = {}
    for word, value in settings.items():
        setting = own.get(word, word)
        if setting in given:
            raise ValueError(f"{word} is given twice for {name}: it is its {setting}")
        if setting not in types:
            words = {setting: word for word, setting in own.items()}
            there = ", ".join(words.get(setting, setting) for setting in types)
            raise ValueError(f"{word} cannot be given for {name}, only {there}")
        given[setting] = fitted(list(value) if isinstance(value, tuple) else value, types[setting], word)
    return known[name](**given)


def _no_claims(name: str, known: tuple[str, ...]) -> str:
    """Why there is nothing of that name: no such method, or no claims about it."""
    import bayesnoise

    there = ", ".join(known)
    if name in (method.name for method in bayesnoise.METHODS):
        return f"there are no claims about {name}; there are about {there}"
    near = get_close_matches(name, known, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"method is {name!r}, expected one of {there}{hint}"
