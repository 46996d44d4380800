"""Recurrent layers under flipout: an LSTM and a GRU, with the noise of a sequence in the vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import flipout, recurrent
from bayesnoise_reference._typing import Array
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors.layers import (
    GRADIENTS,
    LayerDefinition,
    changed,
    gaussian_kl,
)
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic, signs

MAPS = ("input", "hidden")
PARAMETERS = ("input_mu", "input_rho", "input_bias", "hidden_mu", "hidden_rho", "hidden_bias")
_PRIOR = 0.5
_PAPERS = {
    "lstm": "Wen et al. 2018, arXiv 1803.04386, with the cell of Gers, Schmidhuber, Cummins 2000",
    "gru": "Wen et al. 2018, arXiv 1803.04386, with the cell of Cho et al. 2014, arXiv 1406.1078, reset later",
}
_GATES = {
    "lstm": "i, f, g, o; i, f, o = sigmoid(a), g = tanh(a), a = u + v, c' = f c + i g, h' = o tanh(c')",
    "gru": "r, z, n; r, z = sigmoid(u + v), n = tanh(u_n + r v_n), h' = (1 - z) n + z h",
}


def weights(v: Values, name: str) -> list[Array]:
    """Of each example."""
    eps, r, s = v[f"{name}_eps"], v[f"{name}_sign_in"], v[f"{name}_sign_out"]
    return flipout.weights(v[f"{name}_mu"], sigma_of(v[f"{name}_rho"]), eps, r, s)


def states(cell: str, v: Values, **other: Any) -> Array:
    """(n, t, h); `other` replaces the weights of a map."""
    found = [
        recurrent.states(cell, x, w, v["input_bias"], u, v["hidden_bias"])
        for x, w, u in zip(v["x"], other.get("input", weights(v, "input")), weights(v, "hidden"), strict=True)
    ]
    empty = np.zeros((0, v["x"].shape[1], v["hidden_mu"].shape[0])) + 0.0 * np.sum(v["input_mu"])
    return np.stack(found) if found else empty


def _signs_per_step(cell: str, v: Values) -> Array:
    """The signs of the second step and those after it are those of the first, reversed along the gates."""
    units = v["hidden_mu"].shape[0]
    rule, arrays = recurrent.STEPS[cell]
    found = []
    for n, x in enumerate(v["x"]):
        state, after = [np.zeros(units)] * arrays, []
        for t, x_t in enumerate(x):
            turned = v if t == 0 else v | {f"{k}_sign_out": v[f"{k}_sign_out"][:, ::-1] for k in MAPS}
            w, u = weights(turned, "input")[n], weights(turned, "hidden")[n]
            state = rule(x_t @ w + v["input_bias"], state[0] @ u + v["hidden_bias"], state)
            after.append(state[0])
        found.append(np.stack(after))
    return np.stack(found) if found else states(cell, v)


def _swapped(v: Values, first: int, second: int) -> Values:
    """Two gates exchanged, in all that has columns."""
    h = v["hidden_mu"].shape[0]
    order = np.arange(v["input_mu"].shape[1]).reshape(-1, h)
    order[[first, second]] = order[[second, first]]
    columns = order.ravel()
    names = [f"{k}_{part}" for k in MAPS for part in ("mu", "rho", "bias", "eps", "sign_out")]
    return v | {name: v[name][..., columns] for name in names}


def kl(v: Values, names: tuple[str, ...] = MAPS) -> Any:
    """Over the weights of the input and of the state."""
    return sum(
        gaussian_kl(v[f"{k}_mu"], sigma_of(v[f"{k}_rho"]), log_sigma_of(v[f"{k}_rho"]), np.array(0.0), np.array(_PRIOR))
        for k in names
    )


def _bugs(cell: str, right: LayerDefinition) -> tuple[Bug, ...]:
    ones = {f"{k}_sign_{side}": 1.0 for k in MAPS for side in ("in", "out")}

    def with_ones(v: Values, *names: str) -> Values:
        return v | {name: 0.0 * v[name] + ones[name] for name in names}

    def first(v: Values) -> Values:
        return v | {name: v[name][:1] + 0.0 * v[name] for name in ones}

    first_gate, second_gate = (2, 3) if cell == "lstm" else (0, 1)
    return changed(
        right,
        ("SignsPerStep", "Signs are others at every step.", {"output": lambda v: _signs_per_step(cell, v)}),
        ("SignsSharedAcrossBatch", "All have the first example's signs.", {"output": lambda v: states(cell, first(v))}),
        ("NoHiddenSigns", "The weights of the state have no signs.", {
            "output": lambda v: states(cell, with_ones(v, "hidden_sign_in", "hidden_sign_out"))
        }),
        ("NoInputSigns", "The signs of the inputs are missing.", {
            "output": lambda v: states(cell, with_ones(v, "input_sign_in", "hidden_sign_in"))
        }),
        ("WholeWeightFlipped", "Signs flip the whole sampled weight.", {
            "output": lambda v: states(cell, v, input=[
                (v["input_mu"] + sigma_of(v["input_rho"]) * v["input_eps"]) * np.outer(r, s)
                for r, s in zip(v["input_sign_in"], v["input_sign_out"], strict=True)
            ])
        }),
        ("HiddenWithoutNoise", "The weights of the state have no noise.", {
            "output": lambda v: states(cell, v | {"hidden_eps": 0.0 * v["hidden_eps"]})
        }),
        ("GatesSwapped", "Two gates are exchanged.", {
            "output": lambda v: states(cell, _swapped(v, first_gate, second_gate))
        }),
        ("HiddenBiasMissing", "The bias of the state's product is not added.", {
            "output": lambda v: states(cell, v | {"hidden_bias": 0.0 * v["hidden_bias"]})
        }),
        ("Reversed", "The sequence is run from its end.", {
            "output": lambda v: states(cell, v | {"x": v["x"][:, ::-1]})[:, ::-1]
        }),
        ("KlWithoutHidden", "The KL leaves out the weights of the state.", {"kl": lambda v: kl(v, ("input",))}),
    )  # fmt: skip


def _case(comment: str, flag: str, cell: str, n: int, t: int, seed: int) -> Case:
    rng, h, i = np.random.default_rng(seed), 2, 1
    k = (4 if cell == "lstm" else 3) * h
    given: Values = {"x": dyadic(rng, n, t, i), "grad_y": dyadic(rng, n, t, h)}
    for name, rows in (("input", i), ("hidden", h)):
        given |= {
            f"{name}_mu": dyadic(rng, rows, k),
            f"{name}_rho": dyadic(rng, rows, k) - 0.5,
            f"{name}_bias": dyadic(rng, k, spread=0.5),
            f"{name}_eps": dyadic(rng, rows, k),
            f"{name}_sign_in": signs(rng, n, rows),
            f"{name}_sign_out": signs(rng, n, k),
        }
    return Case(comment, (flag,), given)


def family(cell: str) -> Family:
    """The vectors of a cell, "lstm" or "gru"."""
    right = LayerDefinition(lambda v: states(cell, v), PARAMETERS, kl)
    conventions = {
        "y": "the states h after each step, (n, t, h), from zeros; u = x_t W_input + input_bias, "
        "v = h W_hidden + hidden_bias, W_n = mu + softplus(rho) eps sign_in_n sign_out_n', the same at every step",
        "gates": f"along the last axis: {_GATES[cell]}",
        "kl": f"to N(0, {_PRIOR}^2), summed over the weights of the input and of the state",
        "gradients": GRADIENTS,
    }
    cases = (
        _case("two sequences of three steps", "Ordinary", cell, 2, 3, 51),
        _case("one step", "Ordinary", cell, 2, 1, 52),
        _case("one sequence", "BatchOfOne", cell, 1, 2, 53),
        _case("no sequence", "EmptyBatch", cell, 0, 2, 54),
    )
    group = Group(f"{cell}.flipout", conventions, right, cases, _bugs(cell, right))
    return Family(f"{cell}_flipout", _PAPERS[cell], (group,))
