"""The loss of a fit and its terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesnoise._host import Floats
from bayesnoise.plots._style import BLUE, INK, RED, YELLOW, legend, new_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def loss_curves(history: Sequence[Any], *, unit: str = "nats an example", axes: Axes | None = None) -> Axes:
    """The loss by epoch with its two terms, and the validation loss where there is one.

    `history` holds the records of a fit, or dicts with their names: `loss` and any of `epoch`, `nll` and
    `validation_nll`. The term of the KL is `loss - nll`, its share of the loss after all weights. The axis is
    logarithmic where the curves span more than a factor of 30. ValueError for an empty history.
    """
    if not history:
        raise ValueError("history is empty, expected one record an epoch")
    records = [record if isinstance(record, Mapping) else record._asdict() for record in history]
    epochs = np.asarray([record.get("epoch", i + 1) for i, record in enumerate(records)], dtype=np.float64)
    named = {name: _column(records, name) for name in ("loss", "nll", "validation_nll")}
    curves = {
        "loss": (named["loss"], INK, 2.2, "-"),
        "fit: negative log-likelihood": (named["nll"], BLUE, 1.6, "-"),
        "complexity: KL": (named["loss"] - named["nll"], YELLOW, 1.6, "-"),
        "validation": (named["validation_nll"], RED, 1.6, (0, (4, 2))),
    }
    axes = axes if axes is not None else new_axes()
    shown = []
    for label, (values, color, width, dashes) in curves.items():
        known = np.isfinite(values)
        if not np.any(known):
            continue
        marker = "o" if np.count_nonzero(known) == 1 else None
        axes.plot(
            epochs[known], values[known], color=color, linewidth=width, linestyle=dashes, label=label, marker=marker
        )
        shown.append(values[known])
    if shown:
        lowest, highest = min(map(np.min, shown)), max(map(np.max, shown))
        if lowest > 0 and highest > 30 * lowest:
            axes.set_yscale("log")
    axes.locator_params(axis="x", integer=True)
    axes.margins(x=0.01)
    style(axes, "epoch", f"loss ({unit})")
    legend(axes)
    return axes


def _column(records: Sequence[Mapping[str, Any]], name: str) -> Floats:
    """One number a record, NaN where it has none."""
    values = [record.get(name) for record in records]
    return np.asarray([np.nan if value is None else float(value) for value in values])
