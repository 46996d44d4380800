"""A linear regression that answers on its standard output, in Python and NumPy. `--no-noise` is a mistake."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

Array = Any
INPUTS = 2
WHAT = {"family": "regression", "kind": "exact", "inputs": INPUTS, "name": "python"}
held: dict[str, Array] = {}
rng = np.random.default_rng(0)


def read(field: dict[str, Any]) -> Array:
    """An array, which may be without rows."""
    return np.array(field["data"], dtype=np.float64).reshape(field["shape"])


def written(value: Array) -> dict[str, Any]:
    """Flat, and its shape: a number has none."""
    return {"shape": list(np.shape(value)), "data": np.ravel(value).tolist()}


def law() -> tuple[Array, Array]:
    """Mean and covariance of the weights."""
    precision = held["x"].T @ held["x"] / held["noise_scale"] ** 2 + np.eye(INPUTS) / held["prior_scale"] ** 2
    covariance = np.linalg.inv(precision)
    return covariance @ held["x"].T @ held["y"] / held["noise_scale"] ** 2, covariance


def log_evidence() -> Array:
    """By the marginal law of the data."""
    x, y, (noise,), (prior,) = (held[name] for name in ("x", "y", "noise_scale", "prior_scale"))
    covariance = noise**2 * np.eye(len(x)) + prior**2 * x @ x.T
    squares = np.sum(y * np.linalg.solve(covariance, y))
    return -0.5 * (len(x) * np.log(2.0 * np.pi) + np.linalg.slogdet(covariance)[1] + squares)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """To one question, without its id."""
    call = question["call"]
    if call == "describe":
        abilities = ["evaluate", "sample_with_noise", "predictive_variance", "covariance", "log_evidence"]
        return {"description": WHAT, "abilities": abilities}
    if call == "load":
        held.update({name: read(value) for name, value in question["parameters"].items()})
        return {}
    mean, covariance = law()
    if call == "covariance":
        return {"y": written(covariance)}
    if call == "log_evidence":
        return {"y": written(log_evidence())}
    x = read(question["x"])
    if call == "evaluate":
        return {"y": written(x @ mean)}
    if call == "predictive_variance":
        noise = 0.0 if "--no-noise" in sys.argv else held["noise_scale"][0] ** 2
        return {"y": written(np.sum(x @ covariance * x, axis=1) + noise)}
    given = question.get("noise")
    eps = read(given["eps"]) if given else rng.standard_normal(mean.shape)
    return {"y": written(x @ (mean + np.linalg.cholesky(covariance) @ eps))}


for line in sys.stdin:
    told = json.loads(line)
    print(json.dumps({"id": told["id"], **answer(told)}), flush=True)
