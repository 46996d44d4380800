"""A JSON value against a JSON schema: the keywords that the schema of a report uses, and no others.

`https://json-schema.org/draft/2020-12/schema`. An error names the field by its path: `claims[3].p`.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

_TYPES: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_SAID = {"title", "description", "$schema"}  # what a schema says to people
_LIMITS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (operator.ge, "at least"),
    "maximum": (operator.le, "at most"),
    "exclusiveMinimum": (operator.gt, "above"),
    "exclusiveMaximum": (operator.lt, "below"),
}


def report_schema() -> dict[str, Any]:
    """The schema of a report, as it is published with the package."""
    text = resources.files("bayesnoise_reference.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def check(value: Any, schema: Mapping[str, Any], path: str = "the report") -> None:
    """ValueError that names the field, what came and what was expected, unless the value fits the schema."""
    unknown = schema.keys() - _SAID - _LIMITS.keys() - {"type", "enum", "const", "required", "properties"}
    if unknown - {"additionalProperties", "items"}:
        raise ValueError(f"the schema of {path} uses {', '.join(sorted(unknown))}, which is not read here")
    if "const" in schema and value != schema["const"]:
        raise ValueError(f"{path} is {_short(value)}, expected {schema['const']!r}")
    if "enum" in schema and not any(value == v and type(value) is type(v) for v in schema["enum"]):
        raise ValueError(f"{path} is {_short(value)}, expected one of {', '.join(map(repr, schema['enum']))}")
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_is(value, name) for name in names):
            raise ValueError(f"{path} is {_short(value)}, expected {' or '.join(names)}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(value, schema, path)
    if isinstance(value, dict):
        _check_object(value, schema, path)
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            check(item, schema["items"], f"{_inside(path)}[{i}]")


def _check_number(value: float, schema: Mapping[str, Any], path: str) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{path} is {value}, expected a finite number")
    for keyword, (fits, words) in _LIMITS.items():
        if keyword in schema and not fits(value, schema[keyword]):
            raise ValueError(f"{path} is {value}, expected {words} {schema[keyword]}")


def _check_object(value: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise ValueError(f"{path} has no field {name!r}")
    fields, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        inner = f"{_inside(path)}.{name}".lstrip(".")
        if name in fields:
            check(item, fields[name], inner)
        elif others is False:
            raise ValueError(f"{path} has a field {_short(name)}, expected only {', '.join(fields)}")
        elif isinstance(others, dict):
            check(item, others, inner)


def _inside(path: str) -> str:
    return "" if path == "the report" else path


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
