"""What people read: the page of a fit, the methods, the doctor."""

from __future__ import annotations

import base64
import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from cli_runs import fit, run

from bayesnoise.cli import doctor
from bayesnoise.methods import METHODS


class References(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "action", "data", "poster")]


def test_the_page_is_self_contained_and_hostile_names_are_escaped(tmp_path: Path) -> None:
    hostile = '<script src="http://evil.example/x.js"></script>'
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([hostile, "{{ 7 * 7 }}", "$x^{$"])
        writer.writerows([i, i % 3, f"{i}.5"] for i in range(20))
    assert fit(tmp_path / "run", "--target", "$x^{$", data=str(path)).exit_code == 0
    page = (tmp_path / "run" / "report.html").read_text()
    references = References()
    references.feed(page)
    assert "script" not in references.tags
    assert "link" not in references.tags
    assert references.found
    assert all(reference.startswith("data:image/svg+xml;base64,") for reference in references.found)
    assert "@import" not in page
    assert "url(" not in page
    assert "&lt;script" in page
    assert "{{ 7 * 7 }}" in page
    for reference in references.found:  # within the pictures, only their own parts are named
        svg = base64.b64decode(reference.partition(",")[2]).decode()
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', svg))
        assert "<script" not in svg


def test_methods_lists_them_all() -> None:
    result = run("methods")
    assert result.exit_code == 0
    for entry in METHODS:
        assert entry.name in result.stdout
        assert entry.combines.split(",")[0] in " ".join(result.stdout.split())  # without its line breaks


def test_doctor_finds_numpy_and_gives_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert np.__version__ in result.stdout
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    zen = [{"internal_api": "openblas", "architecture": "Zen"}]
    assert "OPENBLAS_CORETYPE=SkylakeX" in doctor.advice(zen, {"avx512f"}, [])[0]
    assert doctor.advice(zen, {"avx2"}, []) == []
    assert doctor.advice([{"internal_api": "openblas", "architecture": "SkylakeX"}], {"avx512f"}, []) == []
