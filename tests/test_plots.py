"""Figures: what they draw is the data, they render without warnings, and they refuse what cannot be drawn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from bayesnoise import metrics, plots
from bayesnoise.training import Epoch
from bayesnoise.uncertainty import RegressionUncertainty, regression_uncertainty

pytest.importorskip("matplotlib", reason="figures need matplotlib")

PROBABILITIES = [[0.9, 0.1], [0.8, 0.2], [0.62, 0.38], [0.45, 0.55]]
LABELS = [0, 1, 0, 1]
NONE = np.zeros(1, dtype=np.int64)
EMPTY_TABLE = metrics.ReliabilityTable(np.zeros(1), np.ones(1), NONE, np.zeros(1), np.zeros(1))
TWO_OUTPUTS = regression_uncertainty(np.zeros((3, 2, 2)), 1.0)


def _render(axes: Any) -> None:
    """The figure comes out as a PNG of the promised width: any warning of the layout is an error."""
    content = BytesIO()
    axes.figure.savefig(content, format="png")
    data = content.getvalue()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == 600


def _legend(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def _line(axes: Any, label: str) -> Any:
    return next(line.get_xydata() for line in axes.get_lines() if line.get_label().startswith(label))


def _regression() -> tuple[Any, Any, RegressionUncertainty]:
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, 40)
    targets = np.sin(x) + 0.3 * rng.normal(size=40)
    return x, targets, regression_uncertainty(np.sin(x) + 0.1 * rng.normal(size=(9, 1)), 0.05, level=0.8)


def test_reliability_diagram_draws_the_table() -> None:
    table = metrics.reliability_table(PROBABILITIES, LABELS, bins=5)
    axes = plots.reliability_diagram(table)
    bars: list[Any] = list(axes.patches)
    np.testing.assert_allclose([bar.get_x() for bar in bars], [0.4, 0.6, 0.8], rtol=1e-15)
    np.testing.assert_array_equal([bar.get_height() for bar in bars], [1.0, 0.5, 1.0])
    gaps: Any = axes.collections[0]
    np.testing.assert_allclose(gaps.get_segments()[1], [[0.71, 0.71], [0.71, 0.5]], rtol=1e-15)
    error = metrics.expected_calibration_error(PROBABILITIES, LABELS, bins=5)
    assert f"gap (mean {100 * error:.1f} %)" in _legend(axes)
    _render(axes)


def test_predictive_intervals_along_a_feature_and_in_order_of_prediction() -> None:
    x, targets, uncertainty = _regression()
    axes = plots.predictive_intervals(uncertainty, targets, feature=x, feature_label="speed (m/s)", target_label="(N)")
    order = np.argsort(x)
    mean = _line(axes, "predicted mean")
    np.testing.assert_array_equal(mean, np.stack([x[order], uncertainty.mean[order]], axis=-1))
    inside = metrics.interval_coverage(uncertainty.lower, uncertainty.upper, targets)
    assert 0 < inside < 1
    assert len(_line(axes, "inside")) == round(40 * inside)
    assert len(_line(axes, "outside")) == 40 - round(40 * inside)
    assert f"inside: {100 * inside:.1f} % of targets" in _legend(axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("speed (m/s)", "(N)")
    _render(axes)
    by_rank = plots.predictive_intervals(uncertainty, targets)
    np.testing.assert_array_equal(_line(by_rank, "predicted mean")[:, 1], np.sort(uncertainty.mean))
    _render(by_rank)


def test_loss_curves_take_records_and_dicts() -> None:
    records = [
        Epoch(
            epoch=e,
            nll=2.0 / e,
            kl=50.0,
            loss=2.0 / e + 0.5,
            kl_weight=1.0,
            validation_nll=None if e % 2 else 1.5,
            seconds=0.1,
        )
        for e in range(1, 7)
    ]
    axes = plots.loss_curves(records)
    epochs = np.arange(1.0, 7.0)
    np.testing.assert_array_equal(_line(axes, "fit"), np.stack([epochs, 2.0 / epochs], axis=-1))
    np.testing.assert_allclose(_line(axes, "complexity"), np.stack([epochs, np.full(6, 0.5)], axis=-1), rtol=1e-15)
    np.testing.assert_array_equal(_line(axes, "validation")[:, 0], [2, 4, 6])
    _render(axes)
    again = plots.loss_curves([record._asdict() for record in records])
    np.testing.assert_array_equal(_line(again, "loss"), _line(axes, "loss"))


def test_loss_curves_draw_what_there_is() -> None:
    only_loss = plots.loss_curves([{"loss": 3.0}])
    assert _legend(only_loss) == ["loss"]
    _render(only_loss)
    wide = plots.loss_curves([{"loss": 500.0}, {"loss": 1.0}])
    assert wide.get_yscale() == "log"
    _render(wide)
    assert plots.loss_curves([{"loss": 500.0}, {"loss": -1.0}]).get_yscale() == "linear"


def test_entropy_histogram_heights_are_shares_of_each_set() -> None:
    axes = plots.entropy_histogram([0.0, 0.1, 0.1, 1.0], np.full(10, 2.0), bins=4)
    steps: list[Any] = list(axes.patches)
    np.testing.assert_array_equal(steps[0].get_data().values, [0.75, 0, 0.25, 0])
    np.testing.assert_array_equal(steps[2].get_data().values, [0, 0, 0, 1.0])
    _render(axes)
    _render(plots.entropy_histogram([0.0], [-1e-17, 0.0]))


def test_pruning_bars_are_in_the_order_of_the_layers() -> None:
    axes = plots.pruning_bars({"first": 0.8, "second": 0.0042, "third": 0.0})
    bars: list[Any] = list(axes.patches)
    np.testing.assert_array_equal([bar.get_width() for bar in bars], [1, 1, 1, 0.8, 0.0042, 0])
    assert [text.get_text() for text in axes.texts] == ["80 %", "0.42 %", "0 %"]
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first layer is on top
    _render(axes)


def _every_plot() -> list[Callable[[Any], Any]]:
    x, targets, uncertainty = _regression()
    table = metrics.reliability_table(PROBABILITIES, LABELS)
    return [
        lambda axes: plots.reliability_diagram(table, axes=axes),
        lambda axes: plots.predictive_intervals(uncertainty, targets, feature=x, axes=axes),
        lambda axes: plots.loss_curves([{"loss": 1.0, "nll": 0.5}, {"loss": 0.9, "nll": 0.4}], axes=axes),
        lambda axes: plots.entropy_histogram([0.1], [0.2], axes=axes),
        lambda axes: plots.pruning_bars({"a": 0.5}, axes=axes),
    ]


def test_axes_that_are_given_are_drawn_on_and_labelled() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), layout="constrained")
    for draw, axes in zip(_every_plot(), figure.subplots(2, 3).flat, strict=False):
        assert draw(axes) is axes
        assert axes.get_xlabel()
    figure.savefig(BytesIO(), format="png")


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("table holds no example", lambda: plots.reliability_diagram(EMPTY_TABLE)),
        ("targets has shape", lambda: plots.predictive_intervals(_regression()[2], [1.0])),
        ("feature has shape", lambda: plots.predictive_intervals(_regression()[2], np.zeros(40), feature=[1.0])),
        ("uncertainty.mean has shape", lambda: plots.predictive_intervals(TWO_OUTPUTS, [1.0, 2.0])),
        ("history is empty", lambda: plots.loss_curves([])),
        (r"in_entropy\[0\] is nan", lambda: plots.entropy_histogram([np.nan], [1.0])),
        ("bins is 0", lambda: plots.entropy_histogram([1.0], [1.0], bins=0)),
        ("kept is empty", lambda: plots.pruning_bars({})),
        (r"kept\['a'\] is 1.5", lambda: plots.pruning_bars({"a": 1.5})),
    ],
)
def test_refusals(words: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "bayesnoise\[cli\]"'):
        plots.pruning_bars({"a": 0.5})


def test_neither_import_nor_drawing_touches_pyplot() -> None:
    code = """
import sys
from bayesnoise import plots
assert "matplotlib" not in sys.modules
plots.pruning_bars({"a": 0.5}).figure.savefig(sys.stdout.buffer, format="png")
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
