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

from bayesnoise import tree
from bayesnoise._typing import Array, Params
from bayesnoise.natural_gradient.optimizer import mean_of
from bayesnoise.natural_gradient.precision import PrecisionLaw, PrecisionState, standard_deviation


@dataclass(frozen=True)
class Ivon(PrecisionLaw):
    """What `ivon` returns."""

    def step(
        self,
        params: Params,
        grads: tuple[Params, ...],
        state: PrecisionState,
        noise: tuple[Params, ...],
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, PrecisionState]:
        delta = self.delta(kl_scale)
        grad = mean_of(lambda e, g: g, noise, grads)
        product = mean_of(lambda e, g: e * g, noise, grads)

        def sharpen(s: Array, eg: Array) -> Array:
            change = (1.0 - self.beta2) * (eg / standard_deviation(s, kl_scale) + delta - s)
            return s + change + 0.5 * change * change / s

        precision = tree.map(sharpen, state.precision, product)
        return self.moved(params, grad, state, precision, kl_scale, learning_rate)


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
