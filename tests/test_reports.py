"""A report in every form: nothing lost in JSON, nothing hostile let through, a picture for every number."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import reports, schema
from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.reports import escaping
from bayesnoise_reference.reports.document import report_schema

MARKUP = '<script>alert("1")</script>\x1b[31m\x00 & |`x` [a](http://evil.example) @you ]]>'
HOSTILE = MARKUP + "\u202e\ud800\ufffe\nwww.evil.example"
COIN = {"labels": ["same <sign>", "other"], "shares": [1.0, 0.0]}
FAIR = {"labels": ["same <sign>", "other"], "shares": [0.5, 0.5]}
CLAIMS = (
    Outcome("dense.flipout.mean", "holds", "averages 0.01", "exact law", 0.3, None, 1e-8, 64, "a shift of .159 sd"),
    Outcome(
        "dense.flipout.signs",
        "refuted",
        "two rows share their signs in 100 % of draws; 50 % is right",
        "exact law",
        p=0.0,
        alpha=1e-8,
        n=4096,
        detects="a probability of 0.58",
        likely_causes=("signs shared by the batch",),
        replay="line one\nline two",
        seen=COIN,
        expected=FAIR,
    ),
    Outcome("dense.flipout.gradient", "refuted", "is off", "e-value", e=float("inf"), alpha=1e-8, n=10),
    Outcome("dense.flipout.kl", "refuted", "is 5; 5268 is right", "exact", n=1, replay="kl()"),
    Outcome("dense.flipout.replay", "not run", "the adapter has no sample_with_noise"),
)


def report(*claims: Outcome, **fields: Any) -> Report:
    made = Report("2026.11", "a layer", "pr", 1e-6, 0, claims or CLAIMS, {"numpy": "2.4"}, 1.5)
    return made._replace(**fields)


def hostile() -> Report:
    bad = Outcome(HOSTILE, "refuted", HOSTILE, "exact", detects=HOSTILE, likely_causes=(HOSTILE,), replay=HOSTILE)
    labels = {"labels": [HOSTILE, HOSTILE], "shares": [0.5, 0.5], "unit": HOSTILE}
    drawn = bad._replace(id="drawn", p=0.5, alpha=0.1, evidence="exact law", seen=labels, expected=labels)
    skipped = bad._replace(id="skipped", status="not run")
    known, came = bad._replace(id=HOSTILE + "!"), bad._replace(id=HOSTILE + "?", status="holds")
    expected, versions = {known.id: HOSTILE, came.id: HOSTILE}, {HOSTILE: HOSTILE}
    claims = (bad, drawn, skipped, known, came)
    return report(*claims, adapter=HOSTILE, versions=versions, expected_failures=expected, layer=HOSTILE)


def test_json_loses_nothing(tmp_path: Path) -> None:
    made = report(expected_failures={"dense.flipout.kl": "known"})
    reports.write(tmp_path / "r.json", made)
    back = reports.read(tmp_path / "r.json")
    changed = made.claims[2]._replace(e=sys.float_info.max)  # there is no infinity in JSON
    assert back == made._replace(claims=(*made.claims[:2], changed, *made.claims[3:]))
    assert reports.to_json(back) == (tmp_path / "r.json").read_text()
    value = json.loads(reports.to_json(made))
    assert (value["passed"], value["exit_code"]) == (False, 1)
    assert value["counts"] == {"holds": 1, "refuted": 3, "not run": 1}
    assert reports.from_json(reports.to_json(hostile())) == hostile()


def test_arrays_of_numpy_become_lists() -> None:
    made = report(CLAIMS[0]._replace(seen=np.arange(2), expected=np.float64(0.5)))
    claim = reports.from_json(reports.to_json(made)).claims[0]
    assert (claim.seen, claim.expected) == ([0, 1], 0.5)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("format",), "bayesnoise-report/2", '$.format is "bayesnoise-report/2", expected "bayesnoise-report/1"'),
        (("claims", 1, "p"), 1.5, "claims[1].p is 1.5, expected at least 0 and at most 1"),
        (("claims", 1, "p"), "0", '$.claims[1].p is "0", expected a number or null'),
        (("claims", 0, "status"), "passed", '$.claims[0].status is "passed", expected one of'),
        (("claims", 0, "n"), True, "$.claims[0].n is true, expected an integer"),
        (("claims", 1, "likely_causes", 0), 3, "$.claims[1].likely_causes[0] is 3, expected a string"),
        (("alpha",), 0.0, "alpha is 0.0, expected above 0 and below 1"),
        (("claims", 0, "extra"), 1, "$.claims[0].extra is not known, expected one of"),
        (("versions", "numpy"), None, "$.versions.numpy is null, expected a string"),
        (("passed",), True, "passed is True, and False by the claims of the report"),
        (("counts", "holds"), 9, "it has been changed"),
    ],
)
def test_a_changed_report_is_refused_with_the_path(path: tuple[Any, ...], value: Any, expected: str) -> None:
    document = json.loads(reports.to_json(report()))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(ValueError) as error:
        reports.from_json(json.dumps(document))
    assert expected in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": NaN}', "[" * 100_000, "null"])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=r"r\.json"):
        reports.read(tmp_path / "r.json")


def test_nan_is_refused_with_the_path() -> None:
    with pytest.raises(ValueError, match=r"claims\[0\].p is nan, expected a finite number"):
        reports.to_json(report(CLAIMS[0]._replace(p=float("nan"))))


def test_the_schema_describes_every_field() -> None:
    fields = report_schema()["properties"]
    assert set(Report._fields) | {"format", "passed", "exit_code", "counts"} == set(fields)
    claim = fields["claims"]["items"]
    assert set(Outcome._fields) == set(claim["properties"]) == set(claim["required"])
    with pytest.raises(ValueError, match="uses format, which is not read here"):
        schema.require("x", {"format": "date"})


class Page(HTMLParser):
    """The tags of a page, what it refers to, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            k for k, _ in attrs if k in ("src", "href", "srcset", "action", "data", "poster", "xlink:href")
        ]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_is_self_contained_and_shows_each_claim() -> None:
    text = reports.page(report())
    page = Page(text)
    assert not page.references
    assert "script" not in page.tags
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert 'name="viewport"' in text
    for claim in CLAIMS:
        assert claim.id in page.words
        assert claim.sentence in page.words
    assert page.tags.count("svg") == 4  # a coin and its p, a p, an e
    assert "Refuted: 3 claims do not hold. 1 of 4 claims that were run hold, 1 not run." in page.words


def test_hostile_text_is_escaped_in_html() -> None:
    plain = Page(reports.page(report(*(c._replace(id=str(i)) for i, c in enumerate(hostile().claims)))))
    page = Page(reports.page(hostile()))
    assert set(page.tags) <= set(plain.tags) | {"figure", "svg", "rect", "path", "text", "span"}
    assert not page.references
    assert not page.handlers
    assert "script" not in page.tags
    assert '<script>alert("1")</script>\\x1b[31m\\x00' in page.words
    assert not set("\x1b\x00\u202e\ud800\ufffe") & set(reports.page(hostile()))
    reports.page(hostile()).encode()


def test_hostile_text_is_escaped_in_xml() -> None:
    text = reports.junit(hostile())
    suite = ET.fromstring(text.encode()).find("testsuite")
    assert suite is not None
    assert "\\x1b" in suite.attrib["name"]
    assert "<script>" in suite.attrib["name"]
    tags = {"testsuite", "properties", "property", "testcase", "failure", "skipped", "system-out"}
    assert {e.tag for e in suite.iter()} == tags
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("5", "2", "2")


def test_hostile_text_is_escaped_in_markdown() -> None:
    text = reports.markdown(hostile())
    prose = [line for line in text.splitlines() if line.startswith(("#", "- "))]
    bare = "\n".join(line.split("`` ")[0] for line in prose)
    assert "\\<script\\>" in bare
    assert "<script" not in bare.replace("\\<script", "")
    for forbidden in ("](", "://evil", "www.evil", "@you", "\x1b"):
        assert forbidden not in bare.replace("\\://", "").replace("\\](", "")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 6}  # of what was not run, of what holds
    assert escaping.markdown_block("```\nx").startswith("````text\n")


def test_hostile_text_stays_in_its_line_in_a_terminal() -> None:
    text = reports.text(hostile(), 60)
    assert not set("\x1b\x00\u202e\ud800") & set(text)
    assert "\\x1b[31m" in text
    text.encode()


def test_junit_counts_and_says() -> None:
    made = report(expected_failures={"dense.flipout.kl": "upstream knows"})
    suite = ET.fromstring(reports.junit(made).encode())[0]
    counted = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "5", "failures": "2", "errors": "0", "skipped": "2"}
    failures = {case.attrib["name"]: case[0] for case in suite.iter("testcase") if len(case)}
    assert failures["dense.flipout.signs"].tag == "failure"
    assert "likely cause: signs shared by the batch" in str(failures["dense.flipout.signs"].text)
    assert failures["dense.flipout.kl"].attrib["message"] == "expected: upstream knows: is 5; 5268 is right"
    assert failures["dense.flipout.replay"].tag == "skipped"


def test_text_puts_what_is_refuted_first_and_in_full() -> None:
    lines = reports.text(report(), 80).splitlines()
    assert [line.split()[0] for line in lines if line[:1].strip()][1:6] == ["refuted"] * 3 + ["holds", "not"]
    assert "          line two" in lines
    assert max(map(len, lines)) <= 80
    with pytest.raises(ValueError, match="width is 39"):
        reports.text(report(), 39)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ((), "Nothing could be run"),
        ((CLAIMS[4],), "Nothing could be run"),
        ((Outcome("a.b.adapter.raises", "refuted", "it raised", "exact"),), "no verdict on the layer"),
        ((CLAIMS[0],), "No claim is refuted: 1 of 1 claims that were run hold."),
    ],
)
def test_the_verdict_claims_no_more_than_was_run(claims: tuple[Outcome, ...], expected: str) -> None:
    made = report()._replace(claims=claims)
    for form in (reports.text, reports.markdown):
        assert expected in form(made)
    assert expected in Page(reports.page(made)).words
