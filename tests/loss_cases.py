"""How to build each public loss, what the oracle says of it, and what its rounding errors are relative to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from bayesnoise_reference import losses as definitions
from bayesnoise_reference._typing import Array
from cases import representable

from bayesnoise.layer import Empty
from bayesnoise.losses import (
    Bernoulli,
    Categorical,
    Gaussian,
    Heteroscedastic,
    LearnedGaussian,
    LearnedGaussianParams,
    Poisson,
)


class Case(NamedTuple):
    loss: Any
    definition: Callable[[Array, Any, Any], Any]  # of one example: f, target and the parameters
    target: Callable[[np.random.Generator, Array], Any]
    size: Callable[[Array, Array], Any]  # (n,): what was added up to the value of each example
    slope_size: Callable[[Array, Array], Any]  # like f: the same for the gradient of f
    params: Any = Empty()


def _gaussian(loss: Any, scale: float, definition: Callable[[Array, Any, Any], Any], params: Any) -> Case:
    return Case(
        loss,
        definition,
        lambda rng, f: representable(rng, f.shape),
        lambda f, y: 1 + np.sum(((np.abs(f) + np.abs(y)) / scale) ** 2, axis=1),
        lambda f, y: (np.abs(f) + np.abs(y)) / scale**2,
        params,
    )


MINIMUM = 0.01


def _pieces(f: Array, target: Array) -> tuple[Array, Array]:
    """The variance of every target, and how far from it the mean may be."""
    k = target.shape[1]
    return np.logaddexp(0, f[:, k:]) + MINIMUM, np.abs(f[:, :k]) + np.abs(target)


def _heteroscedastic_size(f: Array, target: Array) -> Any:
    variance, distance = _pieces(f, target)
    return 1 + np.sum(distance**2 / variance + np.abs(np.log(variance)), axis=1)


def _heteroscedastic_slope_size(f: Array, target: Array) -> Any:
    variance, distance = _pieces(f, target)
    return np.concatenate([distance / variance, (1 + distance**2 / variance) / variance], axis=1)


LOG_SCALE = -0.75

CASES: dict[type, list[Case]] = {
    Gaussian: [
        _gaussian(Gaussian(), 1.0, lambda f, y, params: definitions.gaussian(f, y, 1.0), Empty()),
        _gaussian(Gaussian(0.25), 0.25, lambda f, y, params: definitions.gaussian(f, y, 0.25), Empty()),
    ],
    LearnedGaussian: [
        _gaussian(
            LearnedGaussian(0.5),
            float(np.exp(LOG_SCALE)),
            lambda f, y, params: definitions.gaussian(f, y, np.exp(params.log_scale)),
            LearnedGaussianParams(np.array(LOG_SCALE)),
        )
    ],
    Heteroscedastic: [
        Case(
            Heteroscedastic(MINIMUM),
            lambda f, y, params: definitions.heteroscedastic(f, y, MINIMUM),
            lambda rng, f: representable(rng, (f.shape[0], f.shape[1] // 2)),
            _heteroscedastic_size,
            _heteroscedastic_slope_size,
        )
    ],
    Categorical: [
        Case(
            Categorical(),
            lambda f, y, params: definitions.categorical(f, int(y)),
            lambda rng, f: rng.integers(0, f.shape[1], f.shape[0], dtype=np.int32),
            lambda f, y: 1 + np.max(np.abs(f), axis=1),
            lambda f, y: 1 + np.abs(f),
        )
    ],
    Bernoulli: [
        Case(
            Bernoulli(),
            lambda f, y, params: definitions.bernoulli(f, y),
            lambda rng, f: np.asarray(rng.integers(0, 2, f.shape), dtype=np.float64),
            lambda f, y: 0.0,
            lambda f, y: 0.0,
        )
    ],
    Poisson: [
        Case(
            Poisson(),
            lambda f, y, params: definitions.poisson(f, y),
            lambda rng, f: np.asarray(rng.poisson(4.0, f.shape), dtype=np.float64),
            lambda f, y: np.sum(np.exp(f) + np.abs(y * f) + y * np.log1p(y), axis=1),
            lambda f, y: np.exp(f) + y,
        )
    ],
}
