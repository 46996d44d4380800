"""The golden vectors of recurrent layers, embeddings and attention, as the library computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from namespaces import Namespace, to_numpy

from bayesnoise import attention, divergences, maps, posteriors, recurrent
from bayesnoise.affine import AffineNoise, AffineParams
from bayesnoise.estimators import Flipout, FlipoutNoise
from bayesnoise.layer import Empty
from bayesnoise.methods import compose
from bayesnoise.stochastic import StochasticNoise

SEQUENCES = ("lstm", "gru", "embedding", "attention")


def _build(bias: Any) -> Any:
    return lambda of: compose(of, posteriors.Gaussian(), Flipout(), divergences.GaussianKL(0.5), bias)


def _weights(v: dict[str, Any], prefix: str) -> Any:
    return posteriors.GaussianParams(v[f"{prefix}mu"], v[f"{prefix}rho"])


def _flips(v: dict[str, Any], prefix: str, positions: bool) -> Any:
    """Signs with an axis for the positions that they are shared by."""
    pair = [v[f"{prefix}sign_{side}"] for side in ("in", "out")]
    if positions:
        pair = [sign[:, None, :] for sign in pair]
    return StochasticNoise(FlipoutNoise(v[f"{prefix}eps"], *pair), None)


def _recurrent(kind: str, v: dict[str, Any]) -> Any:
    make = recurrent.lstm if kind == "lstm" else recurrent.gru
    layer = make(_build("deterministic"), v["input_mu"].shape[0], v["hidden_mu"].shape[0])
    none = StochasticNoise(Empty(), None)
    params, noise = [], []
    for name in ("input", "hidden"):
        params.append(AffineParams(_weights(v, f"{name}_"), posteriors.PointParams(v[f"{name}_bias"])))
        noise.append(AffineNoise(_flips(v, f"{name}_", name == "input"), none))
    of_input, of_hidden = noise
    return layer, recurrent.RecurrentParams(*params), recurrent.RecurrentNoise(of_input, of_hidden, None, None)


def _attention(v: dict[str, Any]) -> Any:
    layer = attention.multi_head_attention(_build("none"), v["query_mu"].shape[0], 2, causal=bool(float(v["causal"])))
    names = ("query_", "key_", "value_", "output_")
    params = attention.AttentionParams(*(_weights(v, name) for name in names))
    return layer, params, attention.AttentionNoise(*(_flips(v, name, True) for name in names))


def sequences(kind: str, v: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    """The outputs of one test, by name."""
    x = v["x"]
    if kind == "embedding":
        layer: Any = _build("none")(maps.Embedding(*v["mu"].shape))
        params: Any = _weights(v, "")
        signs_in, signs_out = v["sign_in"], v["sign_out"][:, None, :]
        noise: Any = StochasticNoise(FlipoutNoise(v["eps"], signs_in, signs_out), None)
        x = namespace.asarray(np.asarray(to_numpy(x), dtype=np.int32))
    else:
        layer, params, noise = _recurrent(kind, v) if kind in ("lstm", "gru") else _attention(v)
    y, residuals = layer.forward(params, noise, x)
    grad_x, grad = layer.backward(residuals, v["grad_y"])
    found = {"y": y, **_named("grad_", grad)}
    if kind != "attention":
        found |= {"kl": layer.kl(params), **_named("kl_grad_", layer.kl_grad(params))}
    return found if grad_x is None else found | {"grad_x": grad_x}


def _named(prefix: str, tree: Any) -> dict[str, Any]:
    """Leaves by the names of the vectors: `input.weight.mu` is input_mu, `input.bias.theta` input_bias."""
    from bayesnoise.tree import paths

    said = {"weight.": "", "bias.theta": "bias"}
    found = {}
    for path, leaf in paths(tree):
        name = path
        for old, new in said.items():
            name = name.replace(old, new)
        found[prefix + name.replace(".", "_")] = leaf
    return found
