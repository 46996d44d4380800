"""An independent Gaussian law kept by its precision: what IVON and VOGN share, whatever their curvature comes from.

With `s = kl_scale / sigma^2`, `delta = kl_scale / prior_scale^2` and gbar the running mean of the gradients, corrected,

    w = m + sigma eps,      m <- m - learning_rate (gbar + delta m) / s
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._parameters import filled
from bayesnoise._typing import Array, Params
from bayesnoise.estimators.shared import sample
from bayesnoise.layer import zero
from bayesnoise.natural_gradient.optimizer import Constants, full
from bayesnoise.optimizers import bias_correction


class PrecisionState(NamedTuple):
    count: Array  # (), steps taken, in the dtype of the parameters
    kl_scale: Array  # (), of the last step; 1 before the first
    first: Params  # like the learned parameters: running mean of the gradients
    precision: Params  # like the learned parameters: kl_scale / sigma^2, above 0


def standard_deviation(precision: Array, kl_scale: float | Array) -> Array:
    return array_namespace(precision).sqrt(kl_scale / precision)


@dataclass(frozen=True)
class PrecisionLaw(Constants):
    """The law and the step of its means; how its precision moves is what an optimizer adds."""

    def init(self, params: Params) -> PrecisionState:
        first, precision = full(params, 0.0), full(params, self.initial_precision)
        count = zero(tree.first_leaf(first))
        return PrecisionState(count, count + 1.0, first, precision)

    def perturb(self, params: Params, state: PrecisionState, eps: Params, kl_scale: float | Array) -> Params:
        drawn = tree.map(lambda s, p, e: sample(p, standard_deviation(s, kl_scale), e), state.precision, params, eps)
        return filled(drawn, params)

    def scale(self, state: PrecisionState) -> Params:
        return tree.map(lambda s: standard_deviation(s, state.kl_scale), state.precision)

    def delta(self, kl_scale: float | Array) -> float | Array:
        """The share of the prior in a precision."""
        return kl_scale / self.prior_scale**2

    def moved(
        self,
        params: Params,
        grad: Params,
        state: PrecisionState,
        precision: Params,
        kl_scale: float | Array,
        learning_rate: float | Array | None,
    ) -> tuple[Params, PrecisionState]:
        """The means after one step under the new `precision`, and the state."""
        rate = self.learning_rate if learning_rate is None else learning_rate
        delta, count = self.delta(kl_scale), state.count + 1.0
        correction = bias_correction(self.beta1, count)
        first = tree.map(lambda m, g: self.beta1 * m + (1.0 - self.beta1) * g, state.first, grad)
        means = tree.map(lambda s, m, p: p - rate * ((m / correction + delta * p) / s), precision, first, params)
        return filled(means, params), PrecisionState(count, 0.0 * count + kl_scale, first, precision)
