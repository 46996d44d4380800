"""A fitted model as one safetensors file: every array of the training state, and all the rest as JSON beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bayesnoise import checkpoints
from bayesnoise._typing import Params
from bayesnoise.cli.model import Model, Network, network_of
from bayesnoise.training import Epoch, State

MODEL, REPORT, PAGE = "model.safetensors", "report.json", "report.html"


class Arrays(NamedTuple):
    params: Params
    optimizer: Params
    best: Params


class Stored(NamedTuple):
    network: Network
    state: State
    data_hash: str


def save(folder: Path, network: Network, state: State, data_hash: str) -> None:
    """Write the state and the model it belongs to, whole or not at all."""
    metadata = {
        "model": json.dumps(network.model.as_dict()),
        "history": json.dumps([list(epoch) for epoch in state.history]),
        "data": data_hash,
    }
    arrays = Arrays(state.params, state.optimizer, state.best)
    checkpoints.save(folder / MODEL, arrays, metadata, to_host=network.backend.to_host)


def restore(folder: Path, on: str | None = None) -> Stored:
    """The model of a folder, on the backend it was trained on or on another.

    ValueError for a folder without a model and for a file that is damaged or foreign.
    """
    path = folder / MODEL
    if not path.is_file():
        raise ValueError(f"{folder} holds no {MODEL}, expected the folder that `bayesnoise fit --out` has written")
    metadata = checkpoints.read(path).metadata
    try:
        model = Model.from_dict(json.loads(metadata["model"]))
        history = tuple(Epoch(*epoch) for epoch in json.loads(metadata["history"]))
        data_hash = metadata["data"]
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is a checkpoint, but none of `bayesnoise fit` ({reason})") from None
    network = network_of(model, on)
    arrays: Arrays = checkpoints.load(path, like=_structure(network))
    return Stored(network, State(arrays.params, arrays.optimizer, arrays.best, history), data_hash)


def _structure(network: Network) -> Arrays:
    state = network.start(network.backend.asarray(np.zeros(1), network.model.settings.dtype))
    return Arrays(state.params, state.optimizer, state.best)
