"""IVON: natural-gradient steps for independent Gaussian weights, the curvature from the gradient and its own noise.

Shen, Daheim, Cong, Nickl, Marconi, Bazan, Yokota, Gurevych, Cremers, Khan, Moellenhoff 2024, "Variational Learning is
Effective for Large Deep Networks" (arXiv 2402.17641), algorithm 1 (numbering as reported). With
`w = m + sigma eps`, `g` the gradient of the mean loss at w, `delta = kl_scale / prior_scale^2`:

    f = g eps / sigma                                                its mean is the diagonal of the expected Hessian
    s <- s + (1 - beta2) (f + delta - s) + (1 - beta2)^2 (f + delta - s)^2 / (2 s)
    m <- m - learning_rate (gbar + delta m) / s                      gbar: the running mean of g, corrected
    sigma^2 = kl_scale / s

`s = h + delta` in the symbols of the paper, whose h starts at `initial_precision - delta`. The square keeps s
above half of what it was, whatever f is (Lin, Schmidt, Khan 2020, arXiv 2002.10060). Random is eps, one number a
parameter and draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._parameters import filled
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.estimators.shared import sample
from bayesnoise.layer import zero
from bayesnoise.natural_gradient.optimizer import draws, full, mean_of
from bayesnoise.optimizers import bias_correction


class IvonState(NamedTuple):
    count: Array  # (), steps taken, in the dtype of the parameters
    kl_scale: Array  # (), of the last step; 1 before the first
    first: Params  # like the learned parameters: running mean of the gradients
    precision: Params  # like the learned parameters: kl_scale / sigma^2, above 0


@dataclass(frozen=True)
class Ivon:
    """What `ivon` returns."""

    learning_rate: float = 0.1
    prior_scale: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    initial_precision: float = 1.0
    samples: int = 1

    def __post_init__(self) -> None:
        for name in ("learning_rate", "prior_scale", "initial_precision"):
            _checks.positive(name, getattr(self, name))
        for name in ("beta1", "beta2"):
            _checks.probability(name, getattr(self, name))
        _checks.positive_integer("samples", self.samples)

    def init(self, params: Params) -> IvonState:
        first, precision = full(params, 0.0), full(params, self.initial_precision)
        count = zero(tree.first_leaf(first))
        return IvonState(count, count + 1.0, first, precision)

    def draw(self, rng: Rng, params: Params) -> tuple[Params, ...]:
        return draws(rng, params, self.samples)

    def perturb(self, params: Params, state: IvonState, eps: Params, kl_scale: float | Array) -> Params:
        drawn = tree.map(lambda s, p, e: sample(p, _scale(s, kl_scale), e), state.precision, params, eps)
        return filled(drawn, params)

    def step(
        self,
        params: Params,
        grads: tuple[Params, ...],
        state: IvonState,
        noise: tuple[Params, ...],
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, IvonState]:
        rate = self.learning_rate if learning_rate is None else learning_rate
        delta = kl_scale / self.prior_scale**2
        count = state.count + 1.0
        correction = bias_correction(self.beta1, count)
        grad = mean_of(lambda e, g: g, noise, grads)
        product = mean_of(lambda e, g: e * g, noise, grads)
        first = tree.map(lambda m, g: self.beta1 * m + (1.0 - self.beta1) * g, state.first, grad)

        def sharpen(s: Array, eg: Array) -> Array:
            change = (1.0 - self.beta2) * (eg / _scale(s, kl_scale) + delta - s)
            return s + change + 0.5 * change * change / s

        precision = tree.map(sharpen, state.precision, product)
        means = tree.map(lambda s, m, p: p - rate * ((m / correction + delta * p) / s), precision, first, params)
        return filled(means, params), IvonState(count, 0.0 * count + kl_scale, first, precision)

    def scale(self, state: IvonState) -> Params:
        return tree.map(lambda s: _scale(s, state.kl_scale), state.precision)


def _scale(precision: Array, kl_scale: float | Array) -> Array:
    return array_namespace(precision).sqrt(kl_scale / precision)


def ivon(
    learning_rate: float = 0.1,
    *,
    prior_scale: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    initial_precision: float = 1.0,
    samples: int = 1,
) -> Ivon:
    """IVON: Shen et al. 2024 (arXiv 2402.17641), for `fit` in the place of an optimizer.

    `prior_scale` is the standard deviation of the prior of every parameter; `initial_precision` is that of a fresh law,
    divided by the number of examples; `samples` are the draws of a step. The learning rate is a share of a Newton step.
    ValueError for a constant out of range.
    """
    return Ivon(learning_rate, prior_scale, beta1, beta2, initial_precision, samples)
