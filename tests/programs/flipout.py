"""A dense flipout layer that answers on its standard output, in plain Python. `--shared-signs` is a mistake."""

from __future__ import annotations

import json
import math
import random
import sys
from typing import Any

INPUTS, OUTPUTS = 5, 16
WHAT = {
    "family": "dense",
    "estimator": "flipout",
    "inputs": INPUTS,
    "outputs": OUTPUTS,
    "bias": "deterministic",
    "prior": 0.5,
    "name": "python",
}
Rows = list[list[float]]
held: dict[str, Any] = {}
rng = random.Random(0)


def array(rows: Rows) -> dict[str, Any]:
    """Rows that may be none."""
    return {"shape": [len(rows), OUTPUTS], "data": rows}


def softplus(rho: float) -> float:
    """A standard deviation."""
    return max(rho, 0.0) + math.log1p(math.exp(-abs(rho)))


def log_softplus(rho: float) -> float:
    """Its logarithm."""
    return rho if rho < -30 else math.log(softplus(rho))


def sigmoid(rho: float) -> float:
    """The derivative of softplus."""
    return 1 / (1 + math.exp(-rho)) if rho > 0 else math.exp(rho) / (1 + math.exp(rho))


def noise_for(n: int) -> list[Rows]:
    """The noise of a call: eps, signs of the inputs, signs of the outputs."""
    signs = [[rng.choice((-1.0, 1.0)) for _ in range(INPUTS + OUTPUTS)] for _ in range(n)]
    signs = [signs[0]] * n if "--shared-signs" in sys.argv and n else signs
    eps = [[rng.gauss(0, 1) for _ in range(OUTPUTS)] for _ in range(INPUTS)]
    return [eps, [s[:INPUTS] for s in signs], [s[INPUTS:] for s in signs]]


def forward(x: Rows, eps: Rows, sign_in: Rows, sign_out: Rows) -> Rows:
    """The output, number by number."""
    mean, rho, bias = held["mean"], held["rho"], held["bias"]
    w = [[softplus(rho[i][o]) * eps[i][o] for o in range(OUTPUTS)] for i in range(INPUTS)]
    return [
        [bias[o] + sum(row[i] * (mean[i][o] + r[i] * s[o] * w[i][o]) for i in range(INPUTS)) for o in range(OUTPUTS)]
        for row, r, s in zip(x, sign_in, sign_out, strict=True)
    ]


def gradients(x: Rows, g: Rows, eps: Rows, sign_in: Rows, sign_out: Rows) -> dict[str, Any]:
    """Of `sum(g y)`."""
    mean = [[0.0] * OUTPUTS for _ in range(INPUTS)]
    rho = [[0.0] * OUTPUTS for _ in range(INPUTS)]
    for row, gs, r, s in zip(x, g, sign_in, sign_out, strict=True):
        for i in range(INPUTS):
            for o in range(OUTPUTS):
                mean[i][o] += row[i] * gs[o]
                rho[i][o] += row[i] * gs[o] * r[i] * s[o] * eps[i][o] * sigmoid(held["rho"][i][o])
    bias = [sum(row[o] for row in g) for o in range(OUTPUTS)]
    return {"mean": array(mean), "rho": array(rho), "bias": {"shape": [OUTPUTS], "data": bias}}


def kl() -> float:
    """To a Gaussian prior of scale 0.5."""
    pairs = [(held["mean"][i][o], held["rho"][i][o]) for i in range(INPUTS) for o in range(OUTPUTS)]
    return math.fsum(math.log(0.5) - log_softplus(r) + (softplus(r) ** 2 + m * m) / 0.5 - 0.5 for m, r in pairs)


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """What the protocol wants for a question, but for its id."""
    call = message["call"]
    if call == "describe":
        return {"description": WHAT, "abilities": ["seed", "gradients", "kl", "sample_with_noise"]}
    if call == "seed":
        rng.seed(message["seed"])
    if call == "load":
        held.update({name: value["data"] for name, value in message["parameters"].items()})
    if call == "kl":
        return {"kl": kl()}
    if "x" not in message:
        return {}
    x = message["x"]["data"]
    names = ("eps", "sign_in", "sign_out")
    noise = [message["noise"][name]["data"] for name in names] if "noise" in message else noise_for(len(x))
    y = array(forward(x, *noise))
    if call == "gradients":
        return {"gradients": {**gradients(x, message["grad_y"]["data"], *noise), "y": y}}
    return {"y": y}


if __name__ == "__main__":
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps({"id": question["id"], **answer(question)}), flush=True)
