"""The layers of methods that are ways to train: ordinary weights, whose prior is a penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference import convolution, dense
from bayesnoise_reference._typing import Array

from bayesnoise import maps, methods
from layer_cases.case import LayerCase

PRIOR = 0.5


def _penalty(params: Any, noise: Any) -> Any:
    return np.sum(params.weight.theta**2) / (2 * PRIOR**2)


def _dense(params: Any, x: Array) -> Array:
    return np.asarray(np.stack([dense.output(x_n, params.weight.theta) for x_n in x]) + params.bias.theta)


def _conv(params: Any, x: Array) -> Array:
    y = np.stack([convolution.output(x_n, params.weight.theta, (1,), (0,), (1,)) for x_n in x])
    return np.asarray(y + params.bias.theta[:, None])


def _moments(params: Any, x: Array) -> tuple[Array, Array]:
    mean = _dense(params, x)
    return mean, np.zeros_like(mean)


CASES: dict[str, LayerCase] = {
    "deep_ensemble": LayerCase(
        methods.deep_ensemble(maps.Dense(3, 2), prior_scale=PRIOR),
        (2, 3),
        lambda params, noise, x: _dense(params, x),
        _dense,
        _moments,
        _penalty,
    ),
    "swag": LayerCase(
        methods.swag(maps.Conv(1, 2, (2,)), prior_scale=PRIOR),
        (2, 1, 3),
        lambda params, noise, x: _conv(params, x),
        _conv,
        lambda params, x: (_conv(params, x), np.zeros((2, 2, 2))),
        _penalty,
    ),
}
