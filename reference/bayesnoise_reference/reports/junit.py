"""A report as JUnit XML, which continuous integration reads.

A claim is a test case: refuted is a failure, "not run" and an expected failure are skipped with the reason, never
passed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports.document import counts
from bayesnoise_reference.reports.escaping import visible, visible_lines
from bayesnoise_reference.reports.wording import facts, known, surprise


def junit(report: Report) -> str:
    """One test suite, in one document."""
    expected = sum(known(report, c) is not None for c in report.claims)
    numbers = {
        "tests": len(report.claims),
        "failures": len(report.refuted),
        "errors": 0,
        "skipped": counts(report)["not run"] + expected,
    }
    attributes = {name: str(value) for name, value in numbers.items()} | {"time": f"{report.seconds:.3f}"}
    root = ET.Element("testsuites", {"name": "bayesnoise verify", **attributes})
    suite = ET.SubElement(root, "testsuite", {"name": visible(report.adapter), **attributes})
    properties = ET.SubElement(suite, "properties")
    run = {"suite": report.suite, "tier": report.tier, "alpha": str(report.alpha), "seed": str(report.seed)}
    run |= {"layer": report.layer} if report.layer else {}
    for name, value in {**run, **report.versions}.items():
        ET.SubElement(properties, "property", {"name": visible(name), "value": visible(value)})
    for claim in report.claims:
        _case(suite, report, claim)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, report: Report, claim: Outcome) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": visible(report.adapter), "name": visible(claim.id)})
    sentence, reason = visible(claim.sentence), known(report, claim)
    if claim.status == "not run":
        ET.SubElement(case, "skipped", {"message": sentence})
    elif reason is not None:
        ET.SubElement(case, "skipped", {"message": visible(f"expected: {reason}: {claim.sentence}")})
    elif claim.status == "refuted":
        failure = ET.SubElement(case, "failure", {"message": sentence, "type": "refuted"})
        lines = [sentence, *(f"{name}: {visible(value)}" for name, value in facts(claim))]
        lines += [f"likely cause: {visible(cause)}" for cause in claim.likely_causes]
        failure.text = "\n".join([*lines, visible_lines(claim.replay)])
    note = surprise(report, claim)
    if note is not None:
        ET.SubElement(case, "system-out").text = visible(note)
