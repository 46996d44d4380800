"""The options that several commands share, each with its help, stated once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODEL, TRAINING, DATA = "Model", "Training", "Data"

Source = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="A CSV, an .npz with X and y, an idx file, or sklearn:NAME.", show_default=False
    ),
]
Target = Annotated[str | None, typer.Option(help="The column to predict, for a CSV.", rich_help_panel=DATA)]
Task = Annotated[
    str | None,
    typer.Option(help="regression or classification; by default the type of the target decides.", rich_help_panel=DATA),
]
Split = Annotated[
    int,
    typer.Option(
        min=0, help="Which split: one that the data state, or the seed of a random one (80/20).", rich_help_panel=DATA
    ),
]
Net = Annotated[str, typer.Option(help="mlp, or conv for images.", rich_help_panel=MODEL)]
Hidden = Annotated[str, typer.Option(help="Sizes of the hidden dense layers; 0 for none.", rich_help_panel=MODEL)]
Likelihood = Annotated[
    str,
    typer.Option(
        help="auto, categorical, or for regression learned (one noise level), fixed, predicted (by the network).",
        rich_help_panel=MODEL,
    ),
]
PriorScale = Annotated[float | None, typer.Option(help="Standard deviation of the prior.", rich_help_panel=MODEL)]
Rate = Annotated[float | None, typer.Option(help="Of dropout, whatever is dropped.", rich_help_panel=MODEL)]
Rank = Annotated[int | None, typer.Option(help="Of the covariance that training keeps.", rich_help_panel=MODEL)]
Members = Annotated[int | None, typer.Option(help="Networks of an ensemble.", rich_help_panel=MODEL)]
Adversarial = Annotated[
    float | None,
    typer.Option(
        help="Length of an ensemble's adversarial step, in standard deviations of a feature.", rich_help_panel=MODEL
    ),
]
Begin = Annotated[
    float | None, typer.Option(help="Share of the epochs before SWAG takes iterates in.", rich_help_panel=MODEL)
]
TrainSamples = Annotated[
    int | None,
    typer.Option(help="Draws for each example of a step, whose likelihood is their mean.", rich_help_panel=TRAINING),
]
Batch = Annotated[int, typer.Option(min=1, help="Examples in a minibatch.", rich_help_panel=TRAINING)]
Decay = Annotated[
    str, typer.Option(help="Of the learning rate over the epochs: none, linear or cosine.", rich_help_panel=TRAINING)
]
Warmup = Annotated[
    int, typer.Option(min=0, help="Epochs over which the KL weight grows to its value.", rich_help_panel=TRAINING)
]
Samples = Annotated[int, typer.Option(min=1, help="Stochastic passes of a prediction.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed of every random number of training and prediction.")]
Backend = Annotated[str, typer.Option(help="numpy, cupy, torch or jax.")]
Dtype = Annotated[str, typer.Option(help="float32 or float64.")]
Folder = Annotated[Path, typer.Option("--out", help="The folder to write.", file_okay=False)]
