"""Confidence against accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesnoise.metrics import ReliabilityTable
from bayesnoise.plots._style import BLUE, GREY, RED, legend, new_axes, percent, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability_diagram(table: ReliabilityTable, *, axes: Axes | None = None) -> Axes:
    """How often the predicted class is right at each confidence, against the diagonal of perfect calibration.

    Bars are bins; the red stroke of each is its gap, from mean confidence to accuracy, wider where there are more
    examples. ValueError if the table holds no example.
    """
    total = int(np.sum(table.examples))
    if total == 0:
        raise ValueError("table holds no example, expected that of at least one prediction")
    axes = axes if axes is not None else new_axes()
    used = table.examples > 0
    lower, width = table.lower[used], (table.upper - table.lower)[used]
    share, confidence, right = table.examples[used] / total, table.confidence[used], table.accuracy[used]
    error = float(np.sum(share * np.abs(right - confidence)))
    axes.bar(lower, right, width, align="edge", color=BLUE, alpha=0.35, edgecolor="white", label="accuracy in the bin")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=(0, (4, 3)), label="perfectly calibrated")
    axes.vlines(
        confidence,
        confidence,
        right,
        color=RED,
        linewidth=1.5 + 6 * np.sqrt(share),
        label=f"gap (mean {100 * error:.1f} %)",
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    percent(axes, "x", "y")
    style(axes, "confidence in the predicted class", "predictions that are right")
    legend(axes)
    return axes
