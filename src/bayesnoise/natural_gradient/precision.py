"""An independent Gaussian law kept by its precision: what IVON and VOGN share, whatever their curvature comes from.

With `s = kl_scale / sigma^2`, `delta = kl_scale / prior_scale^2` and gbar the running mean of the gradients, corrected,

    w = m + sigma eps,      m <- m - learning_rate (gbar + delta m) / s
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._parameters import filled
from bayesnoise._typing import Array, Params
from bayesnoise.estimators.shared import sample
from bayesnoise.layer import zero
from bayesnoise.natural_gradient.optimizer import full
from bayesnoise.optimizers import bias_correction


class PrecisionState(NamedTuple):
    count: Array  # (), steps taken, in the dtype of the parameters
    kl_scale: Array  # (), of the last step; 1 before the first
    first: Params  # like the learned parameters: running mean of the gradients
    precision: Params  # like the learned parameters: kl_scale / sigma^2, above 0


def fresh(params: Params, initial_precision: float) -> PrecisionState:
    """The state before the first step."""
    first, precision = full(params, 0.0), full(params, initial_precision)
    count = zero(tree.first_leaf(first))
    return PrecisionState(count, count + 1.0, first, precision)


def standard_deviation(precision: Array, kl_scale: float | Array) -> Array:
    return array_namespace(precision).sqrt(kl_scale / precision)


def perturbed(params: Params, state: PrecisionState, eps: Params, kl_scale: float | Array) -> Params:
    """One draw of the parameters."""
    drawn = tree.map(lambda s, p, e: sample(p, standard_deviation(s, kl_scale), e), state.precision, params, eps)
    return filled(drawn, params)


def moved(
    params: Params,
    grad: Params,
    state: PrecisionState,
    precision: Params,
    beta1: float,
    prior_scale: float,
    kl_scale: float | Array,
    rate: float | Array,
) -> tuple[Params, PrecisionState]:
    """The means after one step under the new `precision`, and the state."""
    delta, count = kl_scale / prior_scale**2, state.count + 1.0
    correction = bias_correction(beta1, count)
    first = tree.map(lambda m, g: beta1 * m + (1.0 - beta1) * g, state.first, grad)
    means = tree.map(lambda s, m, p: p - rate * ((m / correction + delta * p) / s), precision, first, params)
    return filled(means, params), PrecisionState(count, 0.0 * count + kl_scale, first, precision)
