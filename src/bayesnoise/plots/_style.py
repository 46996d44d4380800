"""One look for all figures: Paul Tol's bright colours, told apart by colour-blind readers too, and no box."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, RED, YELLOW = "#4477AA", "#EE6677", "#CCBB44"
INK, GREY, PALE = "#333333", "#888888", "#E4E9EF"
SIZE, DPI = (6.0, 3.8), 100  # inches: 600 pixels wide


def new_axes() -> Axes:
    """The Axes of a new figure; ImportError without matplotlib."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise ImportError('matplotlib is not installed and plots need it: run pip install "bayesnoise[cli]"') from None
    figure = Figure(figsize=SIZE, dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    return figure.add_subplot()


def style(axes: Axes, x_label: str, y_label: str, *, grid: str = "y") -> Axes:
    """Labels, light lines behind the data, and no box around it."""
    axes.set_xlabel(x_label, color=INK, fontsize=11)
    axes.set_ylabel(y_label, color=INK, fontsize=11)
    axes.tick_params(length=0, pad=6, labelcolor=INK, labelsize=10)
    axes.set_axisbelow(True)
    axes.grid(visible=False)
    for name in grid:
        axes.grid(visible=True, axis="x" if name == "x" else "y", color=PALE, linewidth=0.8)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GREY)
    return axes


def legend(axes: Axes) -> None:
    """Above the data, where it hides none."""
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2,
        frameon=False,
        fontsize=10,
        labelcolor=INK,
        handlelength=1.4,
    )


def percent(axes: Axes, *which: str) -> None:
    """Shares as percentages along "x", "y" or both."""
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
