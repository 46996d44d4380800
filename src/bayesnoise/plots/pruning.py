"""What sparse layers keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bayesnoise.plots._style import BLUE, INK, PALE, new_axes, percent, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pruning_bars(kept: Mapping[str, float], *, axes: Axes | None = None) -> Axes:
    """The share of weights that each layer keeps, first layer on top: `{name: share in [0, 1]}`.

    ValueError if there is no layer, or a share outside [0, 1].
    """
    if not kept:
        raise ValueError("kept is empty, expected the share of at least one layer")
    for name, share in kept.items():
        if not 0 <= share <= 1:
            raise ValueError(f"kept['{name}'] is {share}, expected a share in [0, 1]")
    axes = axes if axes is not None else new_axes()
    rows, shares = range(len(kept)), list(kept.values())
    axes.barh(rows, [1.0] * len(kept), height=0.62, color=PALE)
    axes.barh(rows, shares, height=0.62, color=BLUE)
    for row, share in zip(rows, shares, strict=True):
        text = f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
        axes.text(1.01, row, text, va="center", ha="left", color=INK, fontsize=10)
    axes.set_yticks(rows, list(kept))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    percent(axes, "x")
    return style(axes, "weights kept", "", grid="")
