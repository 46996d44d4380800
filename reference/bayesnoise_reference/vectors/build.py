"""From a family to the content of its file: the definitions are computed, and the bugs are put to the cases.

A bug becomes an `invalid` vector on the first case where each of its outputs is either right or wrong by far: at least
`FAR` times what a correct implementation is allowed. The outputs that are wrong are those that it "affects".
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.decimals import encode, to_dtype
from bayesnoise_reference.vectors.records import (
    DTYPES,
    SPECIAL,
    TOLERANCE,
    Bug,
    Case,
    Definition,
    Family,
    Group,
    Values,
)

SCHEMA = "bayesnoise-vectors-1"
GENERATOR_VERSION = "2026.11"
FAR = 100.0
_SMALLEST = 2.0**-10  # arrays that are zero may be zero to rounding


def build(family: Family) -> dict[str, Any]:
    """The content of a family's file."""
    groups: list[dict[str, Any]] = []
    notes: dict[str, dict[str, str]] = {}
    next_id = 1
    for group in family.groups:
        for dtype in DTYPES:
            tests = []
            for test in _tests(group, dtype, notes):
                tests.append({"tcId": next_id, **test})
                next_id += 1
            _link(tests)
            groups.append(
                {
                    "type": group.type,
                    "dtype": dtype,
                    "tolerance": TOLERANCE[dtype],
                    "conventions": group.conventions,
                    "tests": tests,
                }
            )
    return {
        "schema": SCHEMA,
        "generatorVersion": GENERATOR_VERSION,
        "family": family.name,
        "source": family.source,
        "numberOfTests": next_id - 1,
        "notes": dict(sorted(notes.items())),
        "testGroups": groups,
    }


def _tests(group: Group, dtype: str, notes: dict[str, dict[str, str]]) -> Iterator[dict[str, Any]]:
    """The valid vectors of a group, then its invalid ones; the flags met are added to the notes."""
    cases = [c for c in group.cases if dtype in c.dtypes]
    for case in cases:
        for name, value in case.inputs.items():
            if not np.array_equal(to_dtype(value, dtype), value):
                raise ValueError(f"{name} of {group.type}, {case.comment}, is not exact in {dtype}")
    given = [c.inputs for c in cases]
    truths = [compute(group.definition, inputs) for inputs in given]
    allowed = [{name: absolute(value, dtype, group.elementwise) for name, value in t.items()} for t in truths]
    for case, inputs, truth, bounds in zip(cases, given, truths, allowed, strict=True):
        for flag in case.flags:
            notes[flag] = {"kind": "special", "description": SPECIAL[flag]}
        yield _test(case, inputs, truth, bounds, dtype) | {"result": "valid"}
    for bug in group.bugs:
        found = _first_affected(bug, given, truths, allowed, dtype)
        if found is not None:
            index, wrong, affects = found
            notes[bug.flag] = {"kind": "bug", "description": bug.description}
            case = Case(f"{cases[index].comment}; {bug.description}", (*cases[index].flags, bug.flag), {})
            test = _test(case, given[index], wrong, allowed[index], dtype)
            yield test | {"result": "invalid", "affects": affects, "_index": index}


def _test(case: Case, inputs: Values, outputs: Values, allowed: dict[str, float], dtype: str) -> dict[str, Any]:
    """One vector, but for its number."""
    encoded = {k: encode(v, dtype) | {"absolute": allowed[k]} for k, v in outputs.items()}
    return {
        "comment": case.comment,
        "flags": list(case.flags),
        "result": "",
        "inputs": {k: encode(v, dtype) for k, v in inputs.items()},
        "outputs": encoded,
    }


def _link(tests: list[dict[str, Any]]) -> None:
    """Tell every invalid vector which valid one has its inputs."""
    first = tests[0]["tcId"] if tests else 0
    for test in tests:
        if "_index" in test:
            test["sameInputsAs"] = first + test.pop("_index")


def compute(definition: Definition, inputs: Values) -> Values:
    """The outputs, real and float64; what overflows is allowed to, for it is part of some bugs."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: np.asarray(np.real(value), dtype=np.float64) for name, value in definition(inputs).items()}


def absolute(value: Array, dtype: str, elementwise: bool) -> float:
    """The absolute part of what is allowed: the tolerance at the largest element, or a few subnormals."""
    if elementwise:
        return float(4 * np.finfo(dtype).smallest_subnormal)
    largest = float(np.max(np.abs(to_dtype(value, dtype)), initial=_SMALLEST))
    return float(f"{TOLERANCE[dtype] * largest:.3g}")


def excess(got: Array, want: Array, relative: float, absolute: float) -> Array:
    """The error of every element in units of what is allowed: at most 1 is a match. Non-finite matches itself alone."""
    allowed = relative * np.abs(np.where(np.isfinite(want), want, 0.0)) + absolute
    error = np.abs(np.where(np.isfinite(got), got, 0.0) - np.where(np.isfinite(want), want, 0.0))
    ratio = np.divide(error, allowed, out=np.where(error > 0, np.inf, 0.0), where=allowed > 0)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    return np.where(same, 0.0, np.where(np.isfinite(got) & np.isfinite(want), ratio, np.inf))


def _first_affected(
    bug: Bug, inputs: list[Values], truths: list[Values], allowed: list[dict[str, float]], dtype: str
) -> tuple[int, Values, list[str]] | None:
    """The first case that shows the bug clearly: its index, what the bug computes, and the outputs it affects."""
    for index, (given, truth, bounds) in enumerate(zip(inputs, truths, allowed, strict=True)):
        wrong = compute(bug.definition, given)
        worst = {}
        for name, value in truth.items():
            got, want = (to_dtype(v, dtype).astype(np.float64) for v in (wrong[name], value))
            worst[name] = float(np.max(excess(got, want, TOLERANCE[dtype], bounds[name]), initial=0.0))
        affects = [name for name, ratio in worst.items() if ratio > FAR]
        if affects and all(ratio <= 0.5 or ratio > FAR for ratio in worst.values()):
            return index, wrong, affects
    return None
