"""Whether a JSON value fits a JSON schema: the part of JSON Schema 2020-12 in which the schemas here are written.

`https://json-schema.org/draft/2020-12/schema`. A published schema is the one that refuses: there is no second
description of a format. A refusal names the first field that is wrong, by its path from the root:
`$.testGroups[0].tests[3].inputs.x`. A keyword that is not read here is refused too, for it would refuse nothing.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "object": (dict, "an object"),
    "array": (list, "a list"),
    "string": (str, "a string"),
    "boolean": (bool, "true or false"),
    "integer": (int, "an integer"),
    "number": ((int, float), "a number"),
    "null": (type(None), "null"),
}
_LIMITS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (operator.ge, "at least"),
    "exclusiveMinimum": (operator.gt, "above"),
    "maximum": (operator.le, "at most"),
    "exclusiveMaximum": (operator.lt, "below"),
}
_MOST_DIGITS = 500  # of an integer; the largest double has 309
_SAID = {"$schema", "$id", "$defs", "title", "description"}  # what a schema says to people, and its parts
_READ = _SAID | _LIMITS.keys() | {"$ref", "anyOf", "const", "enum", "type", "pattern", "required", "properties"}
_READ |= {"additionalProperties", "items", "minItems", "maxItems"}


@cache
def published(package: str, file: str) -> str:
    """The text of a schema that is part of a package."""
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")


@cache
def load(package: str, file: str) -> Schema:
    """The schema itself."""
    found: dict[str, Any] = json.loads(published(package, file))
    return found


def parse(text: str, **hooks: Any) -> Any:
    """The value of a JSON text, by `json.loads`. ValueError or RecursionError for what is none.

    An integer that is far above every double becomes infinity: what it stands in place of is refused with its path.
    """
    return json.loads(text, parse_int=_integer, **hooks)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def require(value: Any, schema: Schema, record: str = "", path: str = "$") -> None:
    """ValueError, with the path of the first wrong field, unless the value fits the schema, or one of the records that
    it defines.
    """
    part = schema["$defs"][record] if record else schema
    problem = _problem(value, part, schema.get("$defs", {}), path)
    if problem is not None:
        raise ValueError(problem)


def show(value: Any) -> str:
    """A value as a message shows it: short, on one line."""
    try:
        shown = json.dumps(value) if not isinstance(value, float) or math.isfinite(value) else repr(value)
    except ValueError:  # which Python does not turn into digits
        return f"{'an integer' if isinstance(value, int) else 'a value with an integer'} of thousands of digits"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind][0]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def _problem(value: Any, schema: Schema, definitions: Schema, path: str) -> str | None:
    unknown = schema.keys() - _READ
    if unknown:
        raise ValueError(f"the schema of {path} uses {', '.join(sorted(unknown))}, which is not read here")
    if "$ref" in schema:
        return _problem(value, definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
    if "anyOf" in schema:
        if all(_problem(value, choice, definitions, path) is not None for choice in schema["anyOf"]):
            return _not_finite(value, path) or f"{path} is {show(value)}, expected {schema['description']}"
        return None
    if "const" in schema and value != schema["const"]:
        return f"{path} is {show(value)}, expected {show(schema['const'])}: a schema that this version does not know"
    if "enum" in schema and not any(value == choice and type(value) is type(choice) for choice in schema["enum"]):
        return f"{path} is {show(value)}, expected one of {', '.join(map(show, schema['enum']))}"
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ())
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f"{path} is {show(value)}, expected {' or '.join(_TYPES[kind][1] for kind in kinds)}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{path} is {show(value)}, expected {schema['description']}"
    if isinstance(value, dict):
        return _object_problem(value, schema, definitions, path)
    if isinstance(value, list):
        return _list_problem(value, schema, definitions, path)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_problem(value, schema, path)
    return None


def _not_finite(value: Any, path: str) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path} is {value}, expected a finite number"
    return None


def _number_problem(value: float, schema: Schema, path: str) -> str | None:
    problem = _not_finite(value, path)
    given = [(keyword, schema[keyword]) for keyword in _LIMITS if keyword in schema]
    if problem is None and not all(_LIMITS[keyword][0](value, limit) for keyword, limit in given):
        bounds = " and ".join(f"{_LIMITS[keyword][1]} {limit}" for keyword, limit in given)
        return f"{path} is {show(value)}, expected {bounds}"
    return problem


def _object_problem(value: dict[str, Any], schema: Schema, definitions: Schema, path: str) -> str | None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{path}.{name} is missing"
    for name, item in value.items():
        here = f"{path}.{name}" if re.fullmatch(r"\w[\w.-]{0,60}", name) else f"{path}[{show(name)}]"
        if name not in properties and others is False:
            return f"{here} is not known, expected one of {', '.join(properties)}"
        problem = _problem(item, properties.get(name, others), definitions, here)
        if problem is not None:
            return problem
    return None


def _list_problem(value: list[Any], schema: Schema, definitions: Schema, path: str) -> str | None:
    bounds = [(schema[word], said) for word, said in (("minItems", "least"), ("maxItems", "most")) if word in schema]
    if any(len(value) < n if said == "least" else len(value) > n for n, said in bounds):
        return f"{path} has {len(value)} items, expected {' and '.join(f'at {said} {n}' for n, said in bounds)}"
    for index, item in enumerate(value):
        problem = _problem(item, schema.get("items", {}), definitions, f"{path}[{index}]")
        if problem is not None:
            return problem
    return None
