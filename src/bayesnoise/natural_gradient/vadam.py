"""Vadam: Adam at perturbed weights, its mean of squared gradients read as the precision of a Gaussian law.

Khan, Nielsen, Tangkaratt, Lin, Gal, Srivastava 2018, "Fast and Scalable Bayesian Deep Learning by Weight-Perturbation
in Adam" (arXiv 1806.04854), figure 1 (numbering as reported). With `w = m + sigma eps`, `g` the gradient of the mean
loss of a minibatch at w, `delta = kl_scale / prior_scale^2`:

    first <- beta1 first + (1 - beta1) (g + delta m),      second <- beta2 second + (1 - beta2) g^2
    m <- m - learning_rate (first / (1 - beta1^t)) / (sqrt(second / (1 - beta2^t)) + delta)
    sigma^2 = kl_scale / (second + delta)

The square of a minibatch's gradient stands for the curvature, and is none: its mean depends on the size of the batch.
So where the loss is quadratic the means end at the exact optimum, and the scales do not. Departure: the law adds
`beta2^t initial_precision` to `second`, as if that had started there, so that the first draws are not those of the
prior. Random is eps, one number a parameter and draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._parameters import filled
from bayesnoise._typing import Array, Params
from bayesnoise.estimators.shared import sample
from bayesnoise.layer import zero
from bayesnoise.natural_gradient.optimizer import Constants, full, mean_of
from bayesnoise.optimizers import bias_correction


class VadamState(NamedTuple):
    count: Array  # (), steps taken, in the dtype of the parameters
    kl_scale: Array  # (), of the last step; 1 before the first
    first: Params  # like the learned parameters: running mean of the gradients, the prior's included
    second: Params  # like the learned parameters: running mean of the squared gradients


@dataclass(frozen=True)
class Vadam(Constants):
    """What `vadam` returns."""

    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.positive("beta2", self.beta2)

    def init(self, params: Params) -> VadamState:
        zeros = full(params, 0.0)
        count = zero(tree.first_leaf(zeros))
        return VadamState(count, count + 1.0, zeros, zeros)

    def perturb(self, params: Params, state: VadamState, eps: Params, kl_scale: float | Array) -> Params:
        scale = self._scale(state, kl_scale)
        return filled(tree.map(lambda s, p, e: sample(p, s, e), scale, params, eps), params)

    def step(
        self,
        params: Params,
        grads: tuple[Params, ...],
        state: VadamState,
        noise: tuple[Params, ...],
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, VadamState]:
        rate = self.learning_rate if learning_rate is None else learning_rate
        delta = kl_scale / self.prior_scale**2
        count = state.count + 1.0
        xp = array_namespace(count)
        correction, root = bias_correction(self.beta1, count), xp.sqrt(bias_correction(self.beta2, count))
        grad = mean_of(lambda e, g: g, noise, grads)
        square = mean_of(lambda e, g: g * g, noise, grads)
        first = tree.map(
            lambda m, g, p: self.beta1 * m + (1.0 - self.beta1) * (g + delta * p), state.first, grad, params
        )
        second = tree.map(lambda v, g2: self.beta2 * v + (1.0 - self.beta2) * g2, state.second, square)
        means = tree.map(
            lambda m, v, p: p - rate * ((m / correction) / (xp.sqrt(v) / root + delta)), first, second, params
        )
        return filled(means, params), VadamState(count, 0.0 * count + kl_scale, first, second)

    def scale(self, state: VadamState) -> Params:
        return self._scale(state, state.kl_scale)

    def _scale(self, state: VadamState, kl_scale: float | Array) -> Params:
        floor = (1.0 - bias_correction(self.beta2, state.count)) * self.initial_precision
        floor = floor + kl_scale / self.prior_scale**2
        return tree.map(lambda v: array_namespace(v).sqrt(kl_scale / (v + floor)), state.second)


def vadam(
    learning_rate: float = 1e-3,
    *,
    prior_scale: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    initial_precision: float = 1.0,
    samples: int = 1,
) -> Vadam:
    """Vadam: Khan et al. 2018 (arXiv 1806.04854), for `fit` in the place of an optimizer.

    `prior_scale` is the standard deviation of the prior of every parameter; `initial_precision` is that of a fresh law,
    divided by the number of examples; `samples` are the draws of a step. ValueError for a constant out of range.
    """
    return Vadam(learning_rate, prior_scale, beta1, beta2, initial_precision, samples)
