"""Several samples of a layer, as rows of one call and as calls, draw by draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference import divergences, multi_sample, posteriors
from bayesnoise_reference._typing import Array
from cases import oracle_forward, oracle_moments

from bayesnoise import maps, methods, tree
from bayesnoise.multi_sample import MultiSample
from layer_cases.case import LayerCase

PRIOR = 0.5
SAMPLES = 2


def rows(noise: Any, n: int) -> list[Any]:
    """The noise of one call on `SAMPLES * n` rows, a sample a part."""
    return [tree.map(lambda leaf, k=k: leaf[k * n : (k + 1) * n], noise.calls[0]) for k in range(SAMPLES)]


def calls(noise: Any, n: int) -> list[Any]:
    return list(noise.calls)


def case(layer: Any, draws: Callable[[Any, int], list[Any]]) -> LayerCase:
    def output(params: Any, noise: Any, x: Array) -> Array:
        each = draws(noise, x.shape[0])
        return multi_sample.outputs(x, each, lambda x, draw: oracle_forward(layer, params, draw, x))

    def predict(params: Any, x: Array) -> Array:
        mean, _ = oracle_moments(layer, params, x)
        return np.stack([mean] * SAMPLES)

    def kl(params: Any, noise: Any) -> Any:
        return divergences.gaussian(*posteriors.gaussian_softplus(*params), 0.0, PRIOR)

    return LayerCase(MultiSample(layer, SAMPLES), (2, 2), output, predict, kl=kl)


DENSE = maps.Dense(2, 2)
CASES = {
    "multi_sample rows": case(methods.local_reparameterization(DENSE, prior_scale=PRIOR, bias="none"), rows),
    "multi_sample calls": case(methods.flipout(DENSE, prior_scale=PRIOR, bias="none"), calls),
}
