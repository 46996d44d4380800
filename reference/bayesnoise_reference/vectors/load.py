"""Reading a file of vectors, or of outputs, that may be anything: it is refused with the path to what is wrong."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np

from bayesnoise_reference import schema
from bayesnoise_reference.vectors.decimals import WORDS
from bayesnoise_reference.vectors.ranges import range_problem

Source: TypeAlias = str | PathLike[str] | dict[str, Any]  # a path, or the content itself

LARGEST_FILE = 64 * 2**20  # bytes
LARGEST_ARRAY = 2**20  # elements


def load_vectors(source: Source) -> dict[str, Any]:
    """The content of a file of vectors; ValueError with the path to the first field that is wrong."""
    content: dict[str, Any] = _read(source)
    _require(content, "vectors", _name(source))
    problem = _vectors_problem(content)
    if problem is not None:
        raise ValueError(f"{_name(source)}{problem}")
    return content


def load_outputs(source: Source) -> dict[str, Any]:
    """The content of a file of outputs; ValueError with the path to the first field that is wrong."""
    content: dict[str, Any] = _read(source)
    _require(content, "outputs", _name(source))
    seen: set[int] = set()
    for index, test in enumerate(content["tests"]):
        if test["tcId"] in seen:
            raise ValueError(f"{_name(source)}$.tests[{index}].tcId is {test['tcId']}, which stands there twice")
        seen.add(test["tcId"])
    return content


def _name(source: Source) -> str:
    return "" if isinstance(source, dict) else f"{Path(source).name}: "


def _require(content: Any, record: str, name: str) -> None:
    try:
        schema.require(content, schema.load("bayesnoise_reference.vectors", "schema.json"), record)
    except ValueError as error:
        raise ValueError(f"{name}{error}") from None


def _read(source: Source) -> Any:
    if isinstance(source, dict):
        return source
    path = Path(source)
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path.name}: {path.stat().st_size} bytes, expected at most {LARGEST_FILE}")
    try:
        text = path.read_bytes().decode("utf-8")
        return schema.parse(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError(f"{path.name}: nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ValueError(f"{path.name}: not JSON: {error}") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f'{word} is no JSON number: write the word as a string, "{word}"')


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {schema.show(twice)} stands twice in one object")
    return content


def _vectors_problem(content: dict[str, Any]) -> str | None:
    """What the schema cannot say: numbers of items, ids, and references."""
    valid: dict[int, dict[str, Any]] = {}
    count = 0
    for g, group in enumerate(content["testGroups"]):
        for t, test in enumerate(group["tests"]):
            path = f"$.testGroups[{g}].tests[{t}]"
            count += 1
            if test["tcId"] != count:
                return f"{path}.tcId is {test['tcId']}, expected {count}: tests are numbered from 1 in order"
            problem = _test_problem(test, group["dtype"], content["notes"], valid)
            if problem is not None:
                return path + problem
            if test["result"] == "valid":
                valid[test["tcId"]] = test
    if content["numberOfTests"] != count:
        return f"$.numberOfTests is {content['numberOfTests']}, expected {count}, the number of tests in the file"
    return None


def _test_problem(test: dict[str, Any], dtype: str, notes: Any, valid: dict[int, dict[str, Any]]) -> str | None:
    for i, flag in enumerate(test["flags"]):
        if flag not in notes:
            return f".flags[{i}] is {schema.show(flag)}, which $.notes does not explain"
    for kind in ("inputs", "outputs"):
        for name, field in test[kind].items():
            if math.prod(max(1, n) for n in field["shape"]) > LARGEST_ARRAY:
                return (
                    f".{kind}.{name}.shape is {schema.show(field['shape'])}, expected at most {LARGEST_ARRAY} elements"
                )
            problem = data_problem(field["data"], math.prod(field["shape"]), dtype)
            if problem is None and kind == "inputs":
                problem = range_problem(name, field["data"])
            if problem is not None:
                return f".{kind}.{name}.data{problem}"
    if test["result"] == "valid":
        return None
    for name in ("affects", "sameInputsAs"):
        if name not in test:
            return f".{name} is missing"
    for i, name in enumerate(test["affects"]):
        if name not in test["outputs"]:
            return f".affects[{i}] is {schema.show(name)}, which is not among the outputs"
    twin = valid.get(test["sameInputsAs"])
    if twin is None or twin["outputs"].keys() != test["outputs"].keys():
        return f".sameInputsAs is {test['sameInputsAs']}, expected the tcId of an earlier valid test with these outputs"
    return None


def data_problem(data: list[Any], size: int, dtype: str) -> str | None:
    """What is wrong with the elements of an array, as the end of a path and its sentence."""
    if len(data) != size:
        return f" has {len(data)} numbers, expected {size}, as its shape says"
    largest = float(np.finfo(dtype).max)
    for index, x in enumerate(data):
        if x not in WORDS and not abs(x) <= largest * (1.0 + 2.0**-25 if dtype == "float32" else 1.0):
            return f"[{index}] is {schema.show(x)}, out of the range of {dtype}"
    return None
