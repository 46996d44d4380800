"""A description as plain data, and back: what a program in another language, or a file, says of a layer.

{"family": "dense", "estimator": "flipout", "inputs": 8, "outputs": 64, "scale": "exp", "dtype": "float32"}
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.subject import Described, Subject
from bayesnoise_reference.schema import show

_WORDS = {int: "an integer", float: "a finite number", str: "a string", bool: "true or false"}


def to_fields(subject: Any) -> dict[str, Any]:
    """Every field of a description, its family first."""
    given = {f.name: getattr(subject, f.name) for f in fields(subject) if f.init}
    return {"family": subject.family, **{n: list(v) if isinstance(v, tuple) else v for n, v in given.items()}}


def from_fields(given: Any, path: str = "$") -> Subject:
    """The description. ValueError, with the path of the first field that is wrong."""
    if not isinstance(given, dict):
        raise ValueError(f"{path} is {show(given)}, expected an object")
    if "family" not in given:
        raise ValueError(f"{path}.family is missing")
    found = _families().get(given["family"]) if isinstance(given["family"], str) else None
    if not found:
        names = ", ".join(show(name) for name in _families())
        raise ValueError(f"{path}.family is {show(given['family'])}, expected one of {names}")
    problems = []
    for kind in found:  # kinds of a family may have descriptions of their own
        try:
            return _made(kind, given, path)
        except ValueError as error:
            problems.append(error)
    raise problems[0]


def _made(found: Any, given: Mapping[str, Any], path: str) -> Subject:
    known = {f.name: f for f in fields(found) if f.init}
    hints = get_type_hints(found)
    told = {name: value for name, value in given.items() if name in known or name != "family"}
    for name in told:
        if name not in known:
            raise ValueError(f"{path}.{name} is not known, expected one of {', '.join(known)}")
    for name, field in known.items():
        if name not in told and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{path}.{name} is missing")
    values = {name: fitted(value, hints[name], f"{path}.{name}") for name, value in told.items()}
    try:
        made: Subject = found(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    return made


@cache
def _families() -> Mapping[str, list[Any]]:
    """The classes of each family, those of the files in `families` too."""
    from bayesnoise_reference import families

    found: dict[str, list[Any]] = {"dense": [Description], "convolution": [Description]}
    for module in iter_modules(families.__path__):
        for value in vars(import_module(f"{families.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Described) and "family" in vars(value):
                kinds = found.setdefault(vars(value)["family"], [])
                kinds += [value] if value not in kinds else []
    return found


def fitted(value: Any, hint: Any, path: str) -> Any:
    """The value as the field has it: a list for a tuple, an integer for a number."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        if not any(value == part and type(value) is type(part) for part in parts):
            raise ValueError(f"{path} is {show(value)}, expected one of {', '.join(map(show, parts))}")
        return value
    if kind in (Union, UnionType):
        if value is None and NoneType in parts:
            return None
        return fitted(value, next(part for part in parts if part is not NoneType), path)
    if kind is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{path} is {show(value)}, expected a list")
        return tuple(fitted(item, parts[0], f"{path}[{i}]") for i, item in enumerate(value))
    allowed = (int, float) if hint is float else hint
    fits = hint in _WORDS and isinstance(value, allowed) and isinstance(value, bool) == (hint is bool)
    if not fits or (hint is float and not abs(value) <= sys.float_info.max):
        raise ValueError(f"{path} is {show(value)}, expected {_WORDS.get(hint, 'what no data can say')}")
    if hint is int and not abs(value) < 2**63:
        raise ValueError(f"{path} is {show(value)}, expected an integer of at most 63 bits")
    return float(value) if hint is float else value
