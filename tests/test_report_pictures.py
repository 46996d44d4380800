"""The pictures of a report: marks and bars stand where their numbers are."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference.claims.outcome import Outcome
from bayesnoise_reference.reports import pictures

HISTOGRAM = {"edges": [-2.0, -1.0, 0.0, 1.0, 2.0], "shares": [0.1, 0.4, 0.4, 0.1]}
CLAIM = Outcome("dense.flipout.mean", "holds", "", "exact law", p=0.3, alpha=1e-8)


def test_the_mark_of_p_is_beyond_the_edge_exactly_when_it_refutes() -> None:
    def mark_and_edge(**fields: Any) -> tuple[float, float]:
        svg = ET.fromstring(pictures.evidence(CLAIM._replace(**fields)))
        mark = next(e for e in svg if e.attrib.get("class") == "mark").attrib["d"]
        edge = next(e for e in svg if e.attrib.get("class") == "refuted").attrib["x"]
        return float(mark[1:].split()[0]), float(edge)

    for p in (1.0, 0.5, 1e-7, 2e-8):
        mark, edge = mark_and_edge(p=p)
        assert mark < edge
    for p in (0.0, 1e-300, 1e-20, 5e-9):
        mark, edge = mark_and_edge(p=p)
        assert mark > edge
    for e, refutes in ((0.0, False), (1e-9, False), (1e7, False), (1e9, True), (float("inf"), True)):
        mark, edge = mark_and_edge(p=None, e=e)
        assert (mark > edge) == refutes


def test_bars_are_as_high_as_their_shares() -> None:
    svg = ET.fromstring(pictures.law(HISTOGRAM, HISTOGRAM))
    heights = [float(e.attrib["height"]) for e in svg if e.attrib.get("class") == "seen"][1:]  # after the key
    assert np.allclose(np.array(heights) / heights[1], [0.25, 1.0, 1.0, 0.25], atol=2e-3)


@pytest.mark.parametrize("data", [None, 3, {"shares": []}, {"shares": [float("nan")] * 4}, {"shares": ["1"] * 4}])
def test_other_data_make_no_picture(data: Any) -> None:
    assert pictures.law(data, HISTOGRAM) == ""
    assert pictures.law(HISTOGRAM, data) == ""
