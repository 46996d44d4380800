"""Predictions with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesnoise import _host
from bayesnoise._host import Floats
from bayesnoise._typing import Array
from bayesnoise.plots._style import BLUE, INK, RED, legend, new_axes, style
from bayesnoise.uncertainty import RegressionUncertainty

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def predictive_intervals(
    uncertainty: RegressionUncertainty,
    targets: Array,
    *,
    feature: Array | None = None,
    feature_label: str = "feature",
    target_label: str = "target",
    axes: Axes | None = None,
) -> Axes:
    """Predictions, their intervals and the targets, of one output: along a feature `(n,)`, else in order of prediction.

    `uncertainty` and `targets` are `(n,)`; ValueError for other shapes and for what is not finite. Give the labels
    their units.
    """
    y = _host.finite("targets", targets, (1,))
    mean, low, high = (
        _host.finite(f"uncertainty.{name}", getattr(uncertainty, name), (1,)) for name in ("mean", "lower", "upper")
    )
    _host.shape("targets", y, mean.shape, "as the mean of uncertainty")
    by = mean if feature is None else _host.finite("feature", feature, (1,))
    _host.shape("feature", by, mean.shape, "as the mean of uncertainty")
    order = np.argsort(by, kind="stable")
    x: Floats = np.arange(1.0, y.size + 1) if feature is None else by[order]
    y, mean, low, high = (part[order] for part in (y, mean, low, high))
    inside = (low <= y) & (y <= high)
    # Neighbours in the order of prediction are strangers: each has its own step. Along a feature the band is one.
    step: Literal["mid"] | None = "mid" if feature is None else None
    axes = axes if axes is not None else new_axes()
    axes.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0, step=step, label="predictive interval")
    axes.plot(x, mean, color=BLUE, linewidth=1.8, label="predicted mean")
    dots: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.5, "markeredgewidth": 0}
    axes.plot(
        x[inside], y[inside], color=INK, alpha=0.55, label=f"inside: {100 * np.mean(inside):.1f} % of targets", **dots
    )
    axes.plot(x[~inside], y[~inside], color=RED, label=f"outside: {100 * np.mean(~inside):.1f} %", **dots)
    axes.margins(x=0.01)
    style(axes, "examples, in order of prediction" if feature is None else feature_label, target_label)
    legend(axes)
    return axes
