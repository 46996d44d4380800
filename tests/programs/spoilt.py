"""A dense layer that answers on its standard output, and misbehaves as its argument says: "" is well."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

INPUTS, OUTPUTS, KIND = 3, 4, sys.argv[1]
WHAT = {"family": "dense", "estimator": "shared", "inputs": INPUTS, "outputs": OUTPUTS, "scale": "identity"}
held: dict[str, Any] = {}
rng = random.Random(0)


def sample(x: list[list[float]]) -> dict[str, Any]:
    """The output, or what there is in its place."""
    if KIND == "raises":
        return {"error": "<b>no such thing</b>"}
    if KIND == "hangs":
        time.sleep(600)
    if KIND == "changes-parameters":
        held["mean"][0][0] += 1.0
    eps = [[rng.gauss(0, 1) for _ in range(OUTPUTS)] for _ in range(INPUTS)]
    w = [[held["mean"][i][o] + held["rho"][i][o] * eps[i][o] for o in range(OUTPUTS)] for i in range(INPUTS)]
    y: list[list[Any]] = [[sum(r[i] * w[i][o] for i in range(INPUTS)) for o in range(OUTPUTS)] for r in x]
    if KIND == "nan":
        y = [["NaN"] * OUTPUTS for _ in x]
    if KIND == "shape":
        y = [row[:-1] for row in y]
    columns = OUTPUTS - 1 if KIND == "shape" else OUTPUTS
    kind = "float32" if KIND == "dtype" else "float64"
    return {"y": {"shape": [len(y), columns], "dtype": kind, "data": y}}


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """What the protocol wants for a question, but for its id."""
    if message["call"] == "describe":
        return {"description": {**WHAT, "name": "<bad>"}, "abilities": ["seed", "parameters"]}
    if message["call"] == "seed":
        rng.seed(message["seed"])
    if message["call"] == "load":
        held.update({name: value["data"] for name, value in message["parameters"].items()})
    if message["call"] == "parameters":
        return {"parameters": {name: {"shape": [INPUTS, OUTPUTS], "data": data} for name, data in held.items()}}
    return sample(message["x"]["data"]) if message["call"] == "sample" else {}


if __name__ == "__main__":
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps({"id": question["id"], **answer(question)}), flush=True)
