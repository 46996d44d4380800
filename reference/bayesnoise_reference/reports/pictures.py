"""A claim as a picture: what was seen against the law that it should have, in SVG written here.

Two pictures, by what a claim leaves behind. Shares of draws in bins (or of outcomes that have names) are bars, and the
expected law is a line over them. A p-value or an e-value is a mark on a logarithmic scale, with the region in which the
claim is refuted.
Colours are those of the page, by class; no picture refers to anything outside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bayesnoise_reference.claims.outcome import Outcome
from bayesnoise_reference.reports.escaping import html
from bayesnoise_reference.reports.wording import number

_WIDTH, _LEFT, _RIGHT = 360.0, 12.0, 348.0
_TOP, _FLOOR, _HEIGHT = 26.0, 140.0, 172.0  # of the bars


def pictures(claim: Outcome) -> str:
    """The pictures of a claim, one below the other; nothing for a claim that left no numbers."""
    shown = [law(claim.seen, claim.expected), evidence(claim)]
    return "".join(f"<figure>{svg}</figure>" for svg in shown if svg)


def law(seen: Any, expected: Any) -> str:
    """Bars of what was seen, a line for the law. Nothing for data of another kind than described above."""
    bars, line = _shares(seen), _shares(expected)
    if bars is None or line is None or len(bars) != len(line):
        return ""
    names = _names(seen, len(bars))
    top = max([*bars, *line, 1e-12])
    width = (_RIGHT - _LEFT) / len(bars)
    gap = 0.5 if names is None else width * 0.3
    drawn = []
    for i, share in enumerate(bars):
        height = share / top * (_FLOOR - _TOP)
        x, y = _LEFT + i * width + gap, _FLOOR - height
        drawn.append(
            f'<rect class="seen" x="{x:.1f}" y="{y:.1f}" width="{width - 2 * gap:.1f}" height="{height:.1f}"/>'
        )
    steps = _steps(line, top, width)
    ticks = _named(names, width) if names is not None else _numbered(seen, len(bars))
    key = (
        f'<rect class="seen" x="{_LEFT}" y="6" width="10" height="10"/>{_text(_LEFT + 15, 15, "seen")}'
        f'<path class="law" d="M{_LEFT + 62} 11h16"/>{_text(_LEFT + 83, 15, "expected law")}'
    )
    base = f'<path class="axis" d="M{_LEFT} {_FLOOR}H{_RIGHT}"/>'
    shape = f'<path class="law" d="{steps}"/>'
    return _svg(
        _HEIGHT, "Shares of the draws, and those that the law gives", "".join([key, *drawn, shape, base, ticks])
    )


def evidence(claim: Outcome) -> str:
    """The p-value or the e-value on a logarithmic scale, and where it refutes; nothing for exact claims."""
    if claim.alpha <= 0:
        return ""
    limit = -math.log10(claim.alpha)
    if claim.p is not None:
        place, name, value = -math.log10(max(claim.p, 1e-300)), "p", claim.p
    elif claim.e is not None:
        place, name, value = math.log10(max(claim.e, 1e-300)), "e", claim.e
    else:
        return ""
    low = min(0.0, max(place, -limit))
    far = max(1.6 * limit, 1.0)
    place = min(max(place, low), far)
    x, edge = (_LEFT + (u - low) / (far - low) * (_RIGHT - _LEFT) for u in (place, limit))
    anchor = "start" if x < _WIDTH / 4 else "end" if x > 0.75 * _WIDTH else "middle"
    least, most = ("1", "0") if name == "p" else (number(10**low), "∞")
    threshold = f"{number(claim.alpha if name == 'p' else 1 / claim.alpha)}"
    parts = [
        f'<rect class="band" x="{_LEFT}" y="26" width="{_RIGHT - _LEFT}" height="12"/>',
        f'<rect class="refuted" x="{edge:.1f}" y="26" width="{_RIGHT - edge:.1f}" height="12"/>',
        f'<path class="mark" d="M{x:.1f} 22V42"/>{_text(x, 16, f"{name} = {number(value)}", anchor, "strong")}',
        _text(_LEFT, 54, least),
        _text(edge, 54, f"refuted at {threshold}", "middle"),
        _text(_RIGHT, 54, most, "end"),
    ]
    return _svg(60.0, f"{name} is {number(value)}; the claim is refuted beyond {threshold}", "".join(parts))


def _steps(line: Sequence[float], top: float, width: float) -> str:
    heights = [_FLOOR - share / top * (_FLOOR - _TOP) for share in line]
    return f"M{_LEFT:.1f} {heights[0]:.1f}" + "".join(
        f"V{y:.1f}H{_LEFT + (i + 1) * width:.1f}" for i, y in enumerate(heights)
    )


def _shares(data: Any) -> list[float] | None:
    shares = data.get("shares") if isinstance(data, Mapping) else None
    if not isinstance(shares, Sequence) or not 1 <= len(shares) <= 400:
        return None
    good = all(isinstance(s, int | float) and math.isfinite(s) and s >= 0 for s in shares)
    return [float(s) for s in shares] if good else None


def _names(data: Mapping[str, Any], n: int) -> list[str] | None:
    labels = data.get("labels")
    return [str(label) for label in labels] if isinstance(labels, Sequence) and len(labels) == n else None


def _named(names: Sequence[str], width: float) -> str:
    return "".join(_text(_LEFT + (i + 0.5) * width, 156, name[:24], "middle") for i, name in enumerate(names))


def _numbered(data: Mapping[str, Any], n: int) -> str:
    edges = data.get("edges")
    if not (isinstance(edges, Sequence) and len(edges) == n + 1 and all(isinstance(v, int | float) for v in edges)):
        return ""
    drawn = []
    for i in range(5):
        x, value = _LEFT + i / 4 * (_RIGHT - _LEFT), edges[0] + i / 4 * (edges[-1] - edges[0])
        anchor = ("start", "middle", "middle", "middle", "end")[i]
        drawn.append(f'<path class="axis" d="M{x:.1f} {_FLOOR}v4"/>{_text(x, 156, number(value), anchor)}')
    unit = data.get("unit", "standard deviations from the mean")
    return "".join([*drawn, _text(_WIDTH / 2, 169, str(unit)[:60], "middle")])


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.0f}" text-anchor="{anchor}">{html(words)}</text>'


def _svg(height: float, title: str, inside: str) -> str:
    said = html(title)
    return f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{said}">{inside}</svg>'
