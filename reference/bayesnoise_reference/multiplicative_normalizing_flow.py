"""Multiplicative normalizing flows: Gaussian weights whose means are multiplied by a draw of a flow, a factor a unit.

Louizos, Welling 2017, "Multiplicative Normalizing Flows for Variational Bayesian Neural Networks" (arXiv 1703.01961).
Every element of a step is written out. The volume that a flow adds is the determinant of its Jacobian, which is taken
from values of the flow alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference import divergences, local_reparameterization
from bayesnoise_reference._typing import Array, Contract

_STEP, _PAIRS = 1.0 / 64.0, 8  # for functions analytic within 1/2: truncation and rounding are both below 1e-13


class Step(NamedTuple):
    """A coupling step with one hidden layer."""

    w_hidden: Array  # (d, hidden)
    b_hidden: Array  # (hidden,)
    w_shift: Array  # (hidden, d)
    b_shift: Array  # (d,)
    w_gate: Array  # (hidden, d)
    b_gate: Array  # (d,)


class Auxiliary(NamedTuple):
    """The density `r(z | w)`."""

    contrast: Array  # (d,)
    shift: Array  # (d,)
    log_precision: Array  # (d,)
    steps: Sequence[Any]


def coupling(z: Array, step: Step, number: int) -> Array:
    """The `z` `(d,)` after one step: element i moves where `i + number` is even, at the word of the others."""
    d, hidden = step.w_hidden.shape
    others = [i for i in range(d) if (i + number) % 2 == 1]
    h = [np.tanh(step.b_hidden[j] + sum(z[i] * step.w_hidden[i, j] for i in others)) for j in range(hidden)]
    moved = [z[i] for i in range(d)]
    for i in set(range(d)) - set(others):
        shift = step.b_shift[i] + sum(h[j] * step.w_shift[j, i] for j in range(hidden))
        gate = 1.0 / (1.0 + np.exp(-step.b_gate[i] - sum(h[j] * step.w_gate[j, i] for j in range(hidden))))
        moved[i] = gate * z[i] + (1.0 - gate) * shift
    return np.array(moved)


def flow(z: Array, steps: Sequence[Any]) -> Array:
    """All steps, first to last."""
    for number, step in enumerate(steps):
        z = coupling(z, Step(*step), number)
    return z


def jacobian(function: Callable[[Array], Array], z: Array) -> Array:
    """The derivatives `(d, d)` of each element by each element of `z`: central differences of order 16.

    The shifts are real, so that a complex step may pass through `z` and the parameters.
    """
    columns: list[Any] = []
    for unit in np.eye(len(z)):
        column: Any = 0.0
        for k in range(1, _PAIRS + 1):
            weight = (-1.0) ** (k + 1) * factorial(_PAIRS) ** 2
            weight /= k * factorial(_PAIRS - k) * factorial(_PAIRS + k) * _STEP
            column = column + weight * (function(z + k * _STEP * unit) - function(z - k * _STEP * unit))
        columns.append(column)
    return np.stack(columns, axis=1)


def log_volume(z: Array, steps: Sequence[Any]) -> Any:
    """`log |det dy/dz|` of the flow; its determinant is positive."""
    return np.log(np.linalg.det(jacobian(lambda point: flow(point, steps), z)))


def factor(mean: Array, scale: Array, steps: Sequence[Any], eps: Array) -> Array:
    """The `z` `(d,)` of one example."""
    return flow(mean + scale * eps, steps)


def output(
    x: Array, z: Array, mean: Array, scale: Array, zeta: Array, contract: Contract, unit_shape: tuple[int, ...]
) -> Array:
    """Example n has weights of mean `z_n mean`, with its row of `z` laid beside the weights by `unit_shape`."""
    rows = []
    for x_n, z_n, zeta_n in zip(x, z, zeta, strict=True):
        m, v = local_reparameterization.example_moments(x_n, z_n.reshape(unit_shape) * mean, scale, contract)
        rows.append(m + np.sqrt(v) * zeta_n)
    return np.stack(rows)


def log_q(mean: Array, scale: Array, steps: Sequence[Any], eps: Array) -> Any:
    """The log-density of `z` at the draw that `eps` makes."""
    start = mean + scale * eps
    return np.sum(divergences.log_normal_density(start, mean, scale)) - log_volume(start, steps)


def log_r(z: Array, u: Array, auxiliary: Auxiliary) -> Any:
    """`log r(z | w)`, with `u = c' w` `(k,)`: `f(z)` is normal with mean `a shift`, `a` being the mean of tanh u."""
    a = sum(np.tanh(u_k) for u_k in u) / len(u)
    scale = np.exp(-0.5 * a * auxiliary.log_precision)
    start = flow(z, auxiliary.steps)
    density = np.sum(divergences.log_normal_density(start, a * auxiliary.shift, scale))
    return density + log_volume(z, auxiliary.steps)


def contrasts(w: Array, contrast: Array, unit_shape: tuple[int, ...]) -> Array:
    """`u = c' w`, one number for each weight of a unit."""
    axes = tuple(i for i, n in enumerate(unit_shape) if n > 1)
    return np.ravel(np.sum(contrast.reshape(unit_shape) * w, axis=axes))


def bound(
    mean: Array,
    scale: Array,
    base: tuple[Array, Array],
    steps: Sequence[Any],
    auxiliary: Auxiliary,
    eps: Array,
    eta: Array,
    unit_shape: tuple[int, ...],
    prior_scale: float,
) -> Any:
    """`KL(q(w | z) || p) + log q(z) - log r(z | w)` for one `z`, with `u` at `eta` standard deviations."""
    z = factor(*base, steps, eps)
    given = z.reshape(unit_shape) * mean
    mean_u = contrasts(given, auxiliary.contrast, unit_shape)
    variance_u = contrasts(scale**2, auxiliary.contrast**2, unit_shape)
    kl = divergences.gaussian(given, scale, 0.0, prior_scale)
    u = mean_u + np.sqrt(variance_u) * eta
    return kl + log_q(*base, steps, eps) - log_r(z, u, auxiliary)
