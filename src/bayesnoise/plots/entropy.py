"""Entropy on familiar data and on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesnoise import _checks, _host
from bayesnoise._typing import Array
from bayesnoise.plots._style import BLUE, RED, legend, new_axes, percent, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def entropy_histogram(in_entropy: Array, out_entropy: Array, *, bins: int = 30, axes: Axes | None = None) -> Axes:
    """The predictive entropies `(n,)` and `(m,)`, in nats, of examples in and out of the training distribution.

    Heights are shares of each set, so that sets of different sizes compare. ValueError for what is not finite.
    """
    _checks.positive_integer("bins", bins)
    sets = {
        "in distribution": (_host.finite("in_entropy", in_entropy, (1,)), BLUE),
        "out of distribution": (_host.finite("out_entropy", out_entropy, (1,)), RED),
    }
    every = np.concatenate([values for values, _ in sets.values()])
    lowest, highest = min(float(np.min(every)), 0.0), float(np.max(every))  # 0 to rounding may be below 0
    edges = np.linspace(lowest, highest if highest > lowest else lowest + 1.0, bins + 1)
    axes = axes if axes is not None else new_axes()
    for label, (values, color) in sets.items():
        share = np.histogram(values, edges)[0] / values.size
        axes.stairs(share, edges, fill=True, color=color, alpha=0.3)
        axes.stairs(share, edges, color=color, linewidth=1.6, label=f"{label} ({values.size:,})")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    percent(axes, "y")
    style(axes, "predictive entropy (nats)", "share of the examples")
    legend(axes)
    return axes
