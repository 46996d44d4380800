"""Whether a value fits the published schema, `schema.json`: the part of JSON Schema 2020-12 that it is written in.

The file that is published is the one that refuses: there is no second description of the format. A refusal names the
first field that is wrong, by its path from the root: `$.testGroups[0].tests[3].inputs.x`.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from importlib import resources
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
}
_WORDS = {"object": "an object", "array": "a list", "string": "a string", "integer": "an integer", "number": "a number"}


@cache
def text() -> str:
    """The published schema."""
    return resources.files("bayesnoise_reference.vectors").joinpath("schema.json").read_text(encoding="utf-8")


@cache
def definitions() -> dict[str, Any]:
    """The records that it defines, by name."""
    found: dict[str, Any] = json.loads(text())["$defs"]
    return found


def require(value: Any, record: str) -> None:
    """ValueError, with the path of the first wrong field, unless the value fits a record of the schema."""
    problem = _problem(value, definitions()[record], "$")
    if problem is not None:
        raise ValueError(problem)


def show(value: Any) -> str:
    """A value as a message shows it: short, on one line."""
    shown = json.dumps(value) if not isinstance(value, float) or math.isfinite(value) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def _problem(value: Any, schema: dict[str, Any], path: str) -> str | None:
    if "$ref" in schema:
        return _problem(value, definitions()[schema["$ref"].rpartition("/")[2]], path)
    if "anyOf" in schema:
        if all(_problem(value, choice, path) is not None for choice in schema["anyOf"]):
            wrong = f'{path} is {show(value)}, expected a number, "NaN", "Infinity" or "-Infinity"'
            return _not_finite(value, path) or wrong
        return None
    if "const" in schema and value != schema["const"]:
        return f"{path} is {show(value)}, expected {show(schema['const'])}: a schema that this version does not know"
    if "enum" in schema and not any(value == choice and type(value) is type(choice) for choice in schema["enum"]):
        return f"{path} is {show(value)}, expected one of {', '.join(map(show, schema['enum']))}"
    if "type" in schema and not _is(value, schema["type"]):
        return f"{path} is {show(value)}, expected {_WORDS[schema['type']]}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{path} is {show(value)}, expected a name of letters, digits, _ and ."
    if isinstance(value, dict):
        return _object_problem(value, schema, path)
    if isinstance(value, list):
        return _list_problem(value, schema, path)
    return _range_problem(value, schema, path)


def _not_finite(value: Any, path: str) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f'{path} is a number out of the range of float64: what is not finite is written as a word, "Infinity"'
    return None


def _range_problem(value: Any, schema: dict[str, Any], path: str) -> str | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = " and ".join(f"at {word} {n}" for word, n in (("least", low), ("most", high)) if n is not None)
        return f"{path} is {show(value)}, expected {bounds}"
    return _not_finite(value, path)


def _object_problem(value: dict[str, Any], schema: dict[str, Any], path: str) -> str | None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{path}.{name} is missing"
    for name, item in value.items():
        here = f"{path}.{name}" if re.fullmatch(r"\w[\w.-]{0,60}", name) else f"{path}[{show(name)}]"
        if name not in properties and others is False:
            return f"{here} is not known, expected one of {', '.join(properties)}"
        problem = _problem(item, properties.get(name, others), here)
        if problem is not None:
            return problem
    return None


def _list_problem(value: list[Any], schema: dict[str, Any], path: str) -> str | None:
    if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", math.inf):
        return f"{path} has {len(value)} items, expected {_count(schema)}"
    for index, item in enumerate(value):
        problem = _problem(item, schema.get("items", {}), f"{path}[{index}]")
        if problem is not None:
            return problem
    return None


def _count(schema: dict[str, Any]) -> str:
    return f"at least {schema['minItems']}" if "minItems" in schema else f"at most {schema['maxItems']}"
