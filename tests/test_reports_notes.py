"""What a report says beside its claims: what the layer was taken for, and a failure that did not come."""

from __future__ import annotations

import json
from typing import Any

from bayesnoise_reference import reports
from bayesnoise_reference.claims.outcome import Outcome, Report

CLAIMS = (Outcome("dense.flipout.mean", "holds", "averages 0.01", "exact law", 0.3, None, 1e-8, 64, "a shift of .159"),)


def report(**fields: Any) -> Report:
    return Report("2026.11", "a layer", "pr", 1e-6, 0, CLAIMS, {"numpy": "2.4"}, 1.5)._replace(**fields)


def test_what_the_layer_was_taken_for_is_said() -> None:
    made = report(layer="dense, <b>layout out_in</b>")
    assert "Taken for: dense, <b>layout out_in</b>." in reports.text(made, 80)
    assert "Taken for: dense, " in reports.markdown(made)
    assert "dense, &lt;b&gt;layout out_in" in reports.page(made)
    assert '<property name="layer" value="dense, &lt;b&gt;layout out_in' in reports.junit(made)
    assert reports.from_json(reports.to_json(made)).layer == made.layer
    before = json.loads(reports.to_json(made))
    del before["layer"]  # of a version that did not say it
    assert reports.from_json(json.dumps(before)).layer == ""
    assert not any("aken for" in form(report()) for form in (reports.text, reports.markdown, reports.page))


def test_a_failure_that_was_expected_and_did_not_come_is_said() -> None:
    made = report(expected_failures={CLAIMS[0].id: "issue 12 <b>"})
    said = "holds, though a failure was expected: issue 12 "
    assert f"          {said}<b>\n" in reports.text(made)
    assert f"| {said}" in reports.markdown(made)
    assert f"{said}&lt;b&gt;" in reports.page(made)
    assert f"<system-out>{said}&lt;b&gt;</system-out>" in reports.junit(made)
    assert made.passed
    assert not any(said in form(report()) for form in (reports.text, reports.markdown, reports.page, reports.junit))
