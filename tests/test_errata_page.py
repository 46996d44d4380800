"""The page of errata and its tests have the same rows."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_row_has_its_test_and_every_test_its_row() -> None:
    page = (HERE.parent / "docs" / "errata.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+)` \|$", page, re.M)
    written = [
        name
        for file in sorted(HERE.glob("test_errata_*.py"))
        if file.name != Path(__file__).name
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)
    ]
    assert sorted(named) == sorted(written)
    assert len(named) > 25
