"""VOGN: natural-gradient steps for independent Gaussian weights, the curvature from the squares of examples' gradients.

Khan, Nielsen, Tangkaratt, Lin, Gal, Srivastava 2018, "Fast and Scalable Bayesian Deep Learning by Weight-Perturbation
in Adam" (arXiv 1806.04854), section 3.2; the momentum is that of Osawa, Swaroop, Jain, Eschenhagen, Turner, Yokota,
Khan 2019, "Practical Deep Learning with Bayesian Principles" (arXiv 1906.02506); numbering as reported. With
`w = m + sigma eps`, `g_i` the gradient of the loss of example i at w, `delta = kl_scale / prior_scale^2`:

    s <- s + (1 - beta2) (mean_i g_i^2 + delta - s)
    m <- m - learning_rate (gbar + delta m) / s                      gbar: the running mean of mean_i g_i, corrected
    sigma^2 = kl_scale / s

`mean_i g_i^2` is the diagonal of the generalised Gauss-Newton matrix in the mean where the targets have the law that
the network says, whatever the size of the batch: the square of a batch's gradient (Vadam) is not. `s` is the paper's
`s + delta`. Random is eps, one number a parameter and draw.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesnoise import tree
from bayesnoise._typing import Array, Params
from bayesnoise.natural_gradient.optimizer import Moments, mean_of
from bayesnoise.natural_gradient.precision import PrecisionLaw, PrecisionState


@dataclass(frozen=True)
class Vogn(PrecisionLaw):
    """What `vogn` returns. Its steps take the `Moments` of the gradients of examples, one for each draw."""

    def step(
        self,
        params: Params,
        grads: tuple[Moments, ...],
        state: PrecisionState,
        noise: tuple[Params, ...],
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, PrecisionState]:
        delta = self.delta(kl_scale)
        grad = mean_of(lambda e, g: g, noise, tuple(g.mean for g in grads))
        square = mean_of(lambda e, g: g, noise, tuple(g.square for g in grads))
        precision = tree.map(lambda s, g2: s + (1.0 - self.beta2) * (g2 + delta - s), state.precision, square)
        return self.moved(params, grad, state, precision, kl_scale, learning_rate)


def vogn(
    learning_rate: float = 0.1,
    *,
    prior_scale: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    initial_precision: float = 1.0,
    samples: int = 1,
) -> Vogn:
    """VOGN: Khan et al. 2018 (arXiv 1806.04854), for `fit` in the place of an optimizer.

    `prior_scale` is the standard deviation of the prior of every parameter; `initial_precision` is that of a fresh law,
    divided by the number of examples; `samples` are the draws of a step. The learning rate is a share of a Newton step.
    A layer that mixes the examples of a batch is refused. ValueError for a constant out of range.
    """
    return Vogn(learning_rate, prior_scale, beta1, beta2, initial_precision, samples)
