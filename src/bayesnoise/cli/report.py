"""The report of a fit: a record, as JSON for programs and as one self-contained page for people."""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

from bayesnoise._typing import Array
from bayesnoise.cli.pictures import Picture, pictures
from bayesnoise.cli.run import Passes, Pruned
from bayesnoise.methods import method
from bayesnoise.training import Epoch

WORDS = {
    "rmse": ("RMSE", "root mean squared error, in the units of the target"),
    "log_likelihood": (
        "Log-likelihood",
        "mean over test rows of the log predictive density, in nats; higher is better",
    ),
    "coverage_95": ("Coverage", "share of test targets inside the 95 % interval"),
    "interval_width": ("Interval width", "mean width of the 95 % interval, in the units of the target"),
    "epistemic_sd": ("Epistemic sd", "what more data would remove: spread between passes"),
    "aleatoric_sd": ("Aleatoric sd", "noise of the target itself"),
    "accuracy": ("Accuracy", "share of test rows whose most probable class is right"),
    "nll": ("NLL", "negative log-likelihood, in nats; lower is better"),
    "ece": ("ECE", "expected calibration error over 15 bins; lower is better"),
    "brier": ("Brier score", "squared error of the probabilities, from 0 to 2; lower is better"),
    "predictive_entropy": ("Entropy", "of the predicted probabilities, in nats: total uncertainty"),
    "mutual_information": ("Mutual information", "between label and weights, in nats: epistemic uncertainty"),
}


class Report(NamedTuple):
    settings: dict[str, Any]
    task: str
    target: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    rows: dict[str, int]
    parameters: int
    metrics: dict[str, float]
    pruned: Pruned | None
    history: tuple[Epoch, ...]
    seconds: dict[str, float]
    versions: dict[str, str]


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    nested = {
        "history": [epoch._asdict() for epoch in report.history],
        "pruned": None if report.pruned is None else report.pruned._asdict(),
    }
    return {**report._asdict(), **nested}


def short(value: float) -> str:
    """A number in four digits or fewer."""
    return f"{value:.4g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"


def page(report: Report, predicted: Passes, y: Array) -> str:
    """One HTML page without a reference to anything outside it; every text from the data is escaped."""
    from jinja2 import Environment, StrictUndefined

    shown: list[Picture] = pictures(report.history, predicted, y, report.pruned, report.target)
    metrics = dict(report.metrics)
    if "nll" in metrics:
        metrics.pop("log_likelihood", None)  # the same number with the other sign
    settings = {name: value for name, value in report.settings.items() if value is not None}
    template = resources.files("bayesnoise.cli").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        report=report,
        method=method(report.settings["method"]),
        metrics=[(*WORDS.get(name, (name, "")), short(value)) for name, value in metrics.items()],
        pictures=shown,
        settings=settings,
    )
