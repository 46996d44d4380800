"""The mean and the variance of each weight of a layer, times the random factors that stand beside it.

With independent z and w: `E zw = Ez Ew` and `Var zw = (Ez)^2 Var w + Var z ((Ew)^2 + Var w)`. On host arrays, in
float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from bayesnoise._typing import Array
from bayesnoise.affine import Biased
from bayesnoise.group_pruning import Atom
from bayesnoise.stochastic import Stochastic

Host: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
ToHost: TypeAlias = Callable[[Array], Any]


class Moments(NamedTuple):
    mean: Host
    variance: Host
    bias: Host | None


def scaled(weights: Moments, by: tuple[Host, Host], axis: int, *, outputs: bool) -> Moments:
    """The moments of weights times factors along an axis, and of the bias if the factors are of outputs."""
    shape = [1] * weights.mean.ndim
    shape[axis] = -1
    mean, variance = (f.reshape(shape) for f in by)
    squares = weights.mean**2 + weights.variance
    bias = weights.bias * by[0] if outputs and weights.bias is not None else weights.bias
    return Moments(mean * weights.mean, mean**2 * weights.variance + variance * squares, bias)


def moments(atom: Atom, to_host: ToHost) -> tuple[Any, Moments]:
    """The term of the weights, and what they and the bias are, in float64."""
    layer, params, path = atom
    term: Any = layer.weight if isinstance(layer, Biased) else layer
    if not isinstance(term, Stochastic):
        raise TypeError(f"layer has {term!r} at '{path}', expected weights with a mean and a scale each")
    of_weight = params.weight if isinstance(layer, Biased) else params
    bias = layer.bias.posterior.mean(params.bias) if isinstance(layer, Biased) else None
    mean = np.asarray(to_host(term.posterior.mean(of_weight)), dtype=np.float64)
    scale = term.posterior.scale(of_weight) if term.posterior.traits.random else None
    variance = np.zeros(mean.shape) if scale is None else np.asarray(to_host(scale), dtype=np.float64) ** 2
    host = None if bias is None else np.asarray(to_host(bias), dtype=np.float64)
    return term, Moments(mean, np.broadcast_to(variance, mean.shape), host)


def axis_of(map: Any, unit: Literal["input", "output"]) -> int:
    """The axis of the weights that counts the inputs or the outputs; any will do for one of them."""
    return next((i for i, n in enumerate(map.unit_shape(unit)) if n > 1), 0)


def factors(atom: Atom, to_host: ToHost) -> tuple[Host, Host]:
    """The mean and the variance of each factor."""
    mean, variance = (np.asarray(to_host(m), dtype=np.float64) for m in atom.layer.law.factor_moments(atom.params))
    return mean, variance
