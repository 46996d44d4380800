"""`bayesnoise predict`: the predictions of a fitted model, with where their uncertainty comes from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from bayesnoise.cli import options, store
from bayesnoise.cli.run import Passes, passes
from bayesnoise.datasets import load_inputs
from bayesnoise.prediction import RegressionPasses


def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `fit --out` has written.", show_default=False)],
    data: options.Source,
    samples: options.Samples = 200,
    out: Annotated[Path, typer.Option(help="The CSV to write.", dir_okay=False)] = Path("predictions.csv"),
    backend: Annotated[
        str | None, typer.Option(help="numpy, cupy, torch or jax; by default the one of the fit.")
    ] = None,
) -> None:
    """Predict every row of DATA with the model in DIR."""
    stored = store.restore(folder, backend)
    inputs = load_inputs(data, stored.network.model.inputs)
    predicted = passes(stored.network, stored.state.best, inputs.x, samples)
    header, rows = _table(predicted, stored.network.model.classes)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    Console().print(f"wrote {len(inputs.x)} predictions to {out}", markup=False, highlight=False)


def _table(predicted: Passes, classes: tuple[str, ...]) -> tuple[list[str], Iterable[list[str]]]:
    """The header, and the rows with nine digits."""
    if isinstance(predicted, RegressionPasses):
        u = predicted.uncertainty()
        deviations = [np.sqrt(v) for v in (u.epistemic_variance, u.aleatoric_variance, u.total_variance)]
        columns = [u.mean, *deviations, u.lower, u.upper]
        header = ["mean", "epistemic_sd", "aleatoric_sd", "total_sd", "lower_95", "upper_95"]
        return header, ([f"{value:.9g}" for value in row] for row in zip(*columns, strict=True))
    c = predicted.uncertainty()
    header = ["prediction", *(f"p_{name}" for name in classes), "entropy", "mutual_information"]
    chosen = [classes[k] for k in np.argmax(c.probabilities, axis=1)]
    numeric = np.column_stack([c.probabilities, c.predictive_entropy, c.mutual_information])
    return header, ([name, *(f"{v:.9g}" for v in row)] for name, row in zip(chosen, numeric, strict=True))
