"""Recurrent layers: each example's own weight matrices and biases are written out, and its sequence run with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bayesnoise_reference import divergences, flipout, posteriors, recurrent
from bayesnoise_reference._typing import Array

import bayesnoise as bn
from bayesnoise.divergences import Zero
from bayesnoise.estimators import FlipoutNoise, LocalNoise, SharedNoise
from bayesnoise.noise import Bernoulli, Gaussian
from bayesnoise.recurrent import Recurrent, gru, lstm
from layer_cases.case import LayerCase


def law(params: Any) -> tuple[Array, Array]:
    """Mean and scale of a weight or a bias; a point has none."""
    return posteriors.gaussian_softplus(*params) if len(params) == 2 else posteriors.point(*params)


def per_example(params: Any, noise: Any, n: int) -> list[Array]:
    """What each example sees of one array of weights or biases."""
    mean, scale = law(params)
    if isinstance(noise, FlipoutNoise):
        return flipout.weights(mean, scale, noise.eps, noise.sign_in, noise.sign_out)
    if isinstance(noise, SharedNoise):
        return [mean + scale * noise.eps] * n
    if isinstance(noise, LocalNoise):  # of a bias
        return [mean + scale * zeta.ravel() for zeta in noise.zeta]
    return [mean] * n


def output(cell: str, last: bool, params: Any, noise: Any, x: Array) -> Array:
    n = len(x)
    layers = [(params.input, noise.input), (params.hidden, noise.hidden)]
    arrays = [per_example(getattr(p, k), getattr(z, k).estimator, n) for p, z in layers for k in ("weight", "bias")]
    masks = [[None] * n if m is None else [row.ravel() for row in m] for m in (noise.input_factor, noise.hidden_factor)]
    all_states = np.stack([recurrent.states(cell, *own) for own in zip(x, *arrays, *masks, strict=True)])
    return all_states[:, -1] if last else all_states


def predict(cell: str, last: bool, params: Any, x: Array) -> Array:
    arrays = [law(getattr(p, k))[0] for p in (params.input, params.hidden) for k in ("weight", "bias")]
    all_states = np.stack([recurrent.states(cell, x_n, *arrays) for x_n in x])
    return all_states[:, -1] if last else all_states


def kl(prior_scale: float, params: Any, noise: Any) -> Any:
    """Over everything with a scale."""
    random = [p for layer in params for p in layer if len(p) == 2]
    return sum(divergences.gaussian(*law(p), 0.0, prior_scale) for p in random)


def case(
    layer: Recurrent, cell: str, x_shape: tuple[int, ...], divergence: Callable[[Any, Any], Any] | None = None
) -> LayerCase:
    last = layer.outputs == "last"
    return LayerCase(layer, x_shape, partial(output, cell, last), partial(predict, cell, last), kl=divergence)


# The oracle integrates each weight's divergence anew for each number that it differentiates by: one unit is enough.
flip, share = (partial(build, divergence=Zero()) for build in (bn.flipout, bn.bayes_by_backprop))
random_bias = partial(bn.flipout, bias="random", prior_scale=0.5)

# Factors that float32 holds exactly.
CASES = {
    "lstm flipout": case(lstm(flip, 2, 2), "lstm", (2, 2, 2)),
    "lstm shared": case(
        lstm(share, 1, 2, outputs="last", input_noise=Bernoulli(0.5), hidden_noise=Bernoulli(0.5)), "lstm", (2, 2, 1)
    ),
    "lstm one step": case(lstm(bn.flipout, 1, 1), "lstm", (1, 1, 1), partial(kl, 1.0)),
    "gru flipout": case(gru(random_bias, 1, 1, hidden_noise=Gaussian(0.25)), "gru", (2, 2, 1), partial(kl, 0.5)),
    "gru deterministic": case(gru(bn.deterministic, 2, 2, outputs="last"), "gru", (2, 2, 2)),
}
