"""The pictures of a report as data URIs of SVG, each in a light and a dark version."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesnoise import metrics, plots
from bayesnoise._typing import Array
from bayesnoise.cli.run import Passes, Pruned
from bayesnoise.prediction import RegressionPasses
from bayesnoise.training import Epoch
from bayesnoise.uncertainty import RegressionUncertainty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 400  # in a picture of intervals
# What the figures draw in, and what stands for it on a dark page.
DARK = {"#333333": "#d5dae1", "#888888": "#8b95a3", "#e4e9ef": "#2f3742", "#4477aa": "#7fb0e0", "#ffffff": "#171b21"}


class Picture(NamedTuple):
    title: str
    caption: str
    light: str  # data URIs
    dark: str


def pictures(
    history: Sequence[Epoch], predicted: Passes, y: Array, pruned: Pruned | None, target: str
) -> list[Picture]:
    """The loss, what the predictions look like, and what was pruned."""
    shown = [
        _picture(
            plots.loss_curves(history),
            "Training",
            "The loss by epoch: the fit to the data, and the KL term's share of it.",
        )
    ]
    if isinstance(predicted, RegressionPasses):
        shown.append(_intervals(predicted, y, target))
    else:
        table = metrics.reliability_table(predicted.uncertainty().probabilities, y)
        caption = "How often the predicted class is right, at each confidence: on the diagonal, confidence is earned."
        shown.append(_picture(plots.reliability_diagram(table), "Calibration", caption))
    if pruned is not None:
        caption = (
            f"Weights that each layer keeps once those that are mostly noise go: {pruned.compression:.1f} times fewer."
        )
        shown.append(_picture(plots.pruning_bars(pruned.kept), "Sparsity", caption))
    return shown


def _intervals(predicted: RegressionPasses, y: Array, target: str) -> Picture:
    u, n = predicted.uncertainty(), len(y)
    rows = np.arange(n) if n <= MOST_ROWS else np.linspace(0, n - 1, MOST_ROWS).astype(int)
    part = RegressionUncertainty(*(field[rows] for field in u))
    which = "Test rows" if n <= MOST_ROWS else f"{MOST_ROWS} of {n} test rows"
    label = _plain(target)
    axes = plots.predictive_intervals(part, np.asarray(y)[rows], target_label=label)
    return _picture(axes, "Predictions", f"{which} in order of their prediction, with 95 % intervals.")


def _plain(text: str) -> str:
    """A label that matplotlib shows as it is: `$` would begin a formula."""
    return text.replace("$", r"\$") if len(text) <= 40 else text[:39].replace("$", r"\$") + "…"


def _picture(axes: Axes, title: str, caption: str) -> Picture:
    buffer = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure: Any = axes.figure
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    dark = svg
    for colour, other in DARK.items():
        dark = dark.replace(colour, other)
    return Picture(title, caption, _uri(svg), _uri(dark))


def _uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
