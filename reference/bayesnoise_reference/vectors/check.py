"""Putting the outputs of an implementation to a file of vectors.

A valid vector must be matched by every output, an invalid one must not be matched by all of the outputs it affects.
Where a valid one is not, the invalid ones with the same inputs tell the likely bug.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference import schema
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.build import excess
from bayesnoise_reference.vectors.decimals import decode
from bayesnoise_reference.vectors.load import Source, data_problem, load_outputs, load_vectors


class Mismatch(NamedTuple):
    """One test that an implementation fails."""

    tc_id: int
    comment: str
    outputs: tuple[str, ...]  # those that are wrong
    sentence: str  # of the worst element of the first of them
    likely_bugs: tuple[str, ...]  # sentences of the known bugs that compute the same


class Checked(NamedTuple):
    """What a file of vectors says of an implementation."""

    family: str
    compared: int  # tests of which at least one output was compared
    left_out: int  # tests, and outputs of tests, that were not given
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        return not self.mismatches


def check(file: Source, outputs: Source, *, partial: bool = False) -> Checked:
    """Compare. ValueError, with the path to the field, for a file that is not what it should be, and for an output that
    is missing, unless `partial` says that some may be.
    """
    vectors, given = load_vectors(file), load_outputs(outputs)
    tests = {t["tcId"]: (g, t) for g in vectors["testGroups"] for t in g["tests"]}
    known = _given(vectors, given, tests)
    left_out = _left_out(tests, known)
    if left_out and not partial:
        raise ValueError(f"{left_out[0]} is missing: --partial compares what is there")
    mismatches, compared = [], 0
    for tc_id, (group, test) in tests.items():
        values = known.get(tc_id)
        if values is None and test["result"] == "invalid":
            values = known.get(test["sameInputsAs"])
        if not values:
            continue
        compared += 1
        found = _put(group, test, values, vectors["notes"])
        if found is not None:
            twins = [t for _, t in tests.values() if t.get("sameInputsAs") == tc_id]
            bugs = tuple(_bug(t, vectors["notes"]) for t in twins if _matches(group, t, values))
            mismatches.append(found._replace(likely_bugs=found.likely_bugs + bugs))
    if not compared:
        raise ValueError("$.tests holds no output to compare")
    return Checked(vectors["family"], compared, len(left_out), tuple(mismatches))


def _given(vectors: dict[str, Any], given: dict[str, Any], tests: dict[int, Any]) -> dict[int, dict[str, Array]]:
    """The outputs of each test as arrays; ValueError for a name, an id or a number that the vectors do not have."""
    if given["family"] != vectors["family"]:
        raise ValueError(f"$.family is {given['family']}, expected {vectors['family']}, that of the vectors")
    known: dict[int, dict[str, Array]] = {}
    for i, entry in enumerate(given["tests"]):
        if entry["tcId"] not in tests:
            raise ValueError(f"$.tests[{i}].tcId is {entry['tcId']}, expected 1 to {len(tests)}")
        group, test = tests[entry["tcId"]]
        known[entry["tcId"]] = {}
        for name, data in entry["outputs"].items():
            path = f"$.tests[{i}].outputs.{name}"
            if name not in test["outputs"]:
                raise ValueError(f"{path} is not known, expected one of {', '.join(test['outputs'])}")
            shape = test["outputs"][name]["shape"]
            problem = data_problem(data, math.prod(shape), group["dtype"])
            if problem is not None:
                raise ValueError(f"{path}{problem}")
            known[entry["tcId"]][name] = decode({"shape": shape, "data": data}, group["dtype"])
    return known


def _left_out(tests: dict[int, Any], known: dict[int, dict[str, Array]]) -> list[str]:
    """What was not given. An invalid test may be left out as a whole: it has the inputs of a valid one."""
    missing = []
    for tc_id, (_, test) in tests.items():
        if tc_id not in known:
            if test["result"] == "valid":
                missing.append(f"the test with tcId {tc_id}")
        else:
            missing += [f"{name} of tcId {tc_id}" for name in test["outputs"] if name not in known[tc_id]]
    return missing


def _excess(group: dict[str, Any], test: dict[str, Any], name: str, got: Array) -> Array:
    want = decode(test["outputs"][name], group["dtype"])
    return excess(got, want, group["tolerance"], test["outputs"][name]["absolute"])


def _matches(group: dict[str, Any], test: dict[str, Any], values: dict[str, Array]) -> bool:
    """Whether every output that an invalid test affects, of those given, is the wrong one."""
    names = [name for name in test["affects"] if name in values]
    return bool(names) and all(np.all(_excess(group, test, name, values[name]) <= 1.0) for name in names)


def _bug(test: dict[str, Any], notes: dict[str, Any]) -> str:
    flag = test["flags"][-1]
    return f"{flag}: {notes[flag]['description']}"


def _put(group: dict[str, Any], test: dict[str, Any], values: dict[str, Array], notes: Any) -> Mismatch | None:
    """The failure of one test, if it fails."""
    if test["result"] == "invalid":
        if not _matches(group, test, values):
            return None
        sentence = f"matches what a known bug computes in {', '.join(test['affects'])}"
        return Mismatch(test["tcId"], test["comment"], tuple(test["affects"]), sentence, (_bug(test, notes),))
    worst = {name: _excess(group, test, name, got) for name, got in values.items()}
    wrong = [name for name, ratio in worst.items() if np.any(ratio > 1.0)]
    if not wrong:
        return None
    name = wrong[0]
    field, position = test["outputs"][name], int(np.argmax(worst[name]))
    got = float(values[name].ravel()[position])
    index = [int(k) for k in np.unravel_index(position, field["shape"])] if field["shape"] else ""
    allowed = f"{group['tolerance']} of it plus {field['absolute']}"
    sentence = f"{name}{index} is {got!r}, expected {schema.show(field['data'][position])} to within {allowed}"
    return Mismatch(test["tcId"], test["comment"], tuple(wrong), sentence, ())
