"""A report as JSON: the master, from which every other form is made.

`report.schema.json` beside this file is its schema. Numbers are the shortest decimals that give the same double; there
is no NaN and no infinity, and an e-value above every double is written as the largest one.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bayesnoise_reference import schema
from bayesnoise_reference.claims.outcome import Outcome, Report

FORMAT = "bayesnoise-report/1"


def report_schema() -> schema.Schema:
    """The schema of a report, as it is published with the package."""
    return schema.load("bayesnoise_reference.reports", "report.schema.json")


def counts(report: Report) -> dict[str, int]:
    """How many claims hold, are refuted, and were not run."""
    found = Counter(c.status for c in report.claims)
    return {"holds": found["holds"], "refuted": found["refuted"], "not run": found["not run"]}


def to_json(report: Report) -> str:
    """The report as JSON. ValueError if a field cannot be written, with its path."""
    fields = report._asdict() | {
        "format": FORMAT,
        "passed": report.passed,
        "exit_code": report.exit_code,
        "counts": counts(report),
        "claims": [c._asdict() | {"e": None if c.e is None else min(c.e, sys.float_info.max)} for c in report.claims],
    }
    described = report_schema()
    plain = json.loads(json.dumps({name: fields[name] for name in described["properties"]}, default=_plain))
    schema.require(plain, described)
    return json.dumps(plain, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """The report of `to_json`. ValueError if it is not one, with the path to the field."""
    try:
        value = schema.parse(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the report is not JSON: {error}") from None
    schema.require(value, report_schema())
    claims = tuple(Outcome(**c | {"likely_causes": tuple(c["likely_causes"])}) for c in value["claims"])
    fields: dict[str, Any] = {name: value[name] for name in Report._fields if name in value} | {"claims": claims}
    report = Report(**fields)
    said = {"passed": report.passed, "exit_code": report.exit_code, "counts": counts(report)}
    for name, expected in said.items():
        if value[name] != expected:
            raise ValueError(
                f"{name} is {value[name]}, and {expected} by the claims of the report: it has been changed"
            )
    return report


def write(path: str | Path, report: Report) -> None:
    """The report to a file. OSError if it cannot be written."""
    Path(path).write_text(to_json(report), encoding="utf-8")


def read(path: str | Path) -> Report:
    """The report from a file. OSError, or ValueError with the path to the field."""
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _plain(value: Any) -> Any:
    """NumPy's arrays and numbers, which a claim may leave in what it saw."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a report holds a {type(value).__name__}, expected what JSON can hold")
