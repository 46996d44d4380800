"""The mean of several outputs' likelihoods: `-log (1/K) sum_k p(target | f_k)`, the loss of a multi-sample objective.

With f_k drawn K times, independently, and `l_K` the mean over draws of `log (1/K) sum_k p(y | f_k)` for one example,

    E log p(y | f) = l_1 <= l_2 <= ... <= log E p(y | f)

(Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders", arXiv 1509.00519, theorem 1): the mean of K + 1
numbers is the mean of the means of K of them, and the logarithm is concave. The limit for many draws is the last term,
the logarithm of the predictive density. The gradient is that of each sample's `-log p`, times the share of its
likelihood, `softmax_k log p(y | f_k)`. It is unbiased for that of `-l_K`: the law of the noise has no parameters.

What the sum over examples bounds depends on what the noise is. Noise that is part of the model, as masks are where
weights are points, has no divergence, and the sum bounds the log-likelihood of that model (Noh, You, Mun, Han 2017,
arXiv 1710.05179). With a posterior q of the weights, `sum_n l_K - KL(q || p)` is the ELBO at K = 1. Beyond, it bounds
`sum_n log E_q p(y_n | w) - KL(q || p)`, in which every example has weights of its own, and may exceed the evidence
`log E_p prod_n p(y_n | w)`: an objective for predictions (Morningstar, Alemi, Dillon 2022, arXiv 2010.09629).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Params, Residuals
from bayesnoise.losses.categorical import log_softmax
from bayesnoise.losses.loss import Loss
from bayesnoise.special import logsumexp


class MixtureResiduals(NamedTuple):
    loss: Residuals
    shares: Array  # (n, K), of each sample in the likelihood: rows that sum to 1


def each_sample(loss: Loss, params: Params, f: Array, target: Array) -> tuple[Array, Residuals]:
    """`-log p(target | f_k)` of each sample and example `(K, n)`, and what `each_sample_backward` needs."""
    _checks.floating("f", f)
    if f.ndim < 2 or f.shape[0] < 1 or f.shape[1] != target.shape[0]:
        raise ValueError(
            f"f has shape {tuple(f.shape)}, expected one sample or more of outputs for {target.shape[0]} examples, "
            f"(samples, {target.shape[0]}, ...): the output of MultiSample"
        )
    xp, (samples, n, *rest) = array_namespace(f), f.shape
    repeated = xp.concat([target] * samples, axis=0)
    nll, residuals = loss.forward(params, xp.reshape(f, (samples * n, *rest)), repeated)
    return xp.reshape(nll, (samples, n)), residuals


def each_sample_backward(loss: Loss, residuals: Residuals, grad_nll: Array) -> tuple[Array, Params]:
    """The gradients of `f` and of the parameters, from `(K, n)`."""
    xp, (samples, n) = array_namespace(grad_nll), grad_nll.shape
    grad_f, grad_params = loss.backward(residuals, xp.reshape(grad_nll, (samples * n,)))
    return xp.reshape(grad_f, (samples, n, *grad_f.shape[1:])), grad_params


def mean_likelihood(nll: Array) -> tuple[Array, Array]:
    """`-log (1/K) sum_k exp(-nll_k)` `(n,)`, from a finite `nll (n, K)`, and its gradient: the share of each term."""
    value = math.log(nll.shape[1]) - logsumexp(-nll, axis=-1)
    return value, array_namespace(nll).exp(log_softmax(-nll))


@dataclass(frozen=True)
class Mixture:
    """`f (K, n, ...)` holds K outputs an example, each as `loss` takes it, of equal weight; `target (n, ...)` is one.

    ValueError for no samples, or for other numbers of examples in `f` and `target`; what is wrong with one output, the
    loss says.
    """

    loss: Loss

    def output_features(self, targets: int) -> int:
        return self.loss.output_features(targets)

    def init(self, *, like: Array) -> Params:
        return self.loss.init(like=like)

    def forward(self, params: Params, f: Array, target: Array) -> tuple[Array, MixtureResiduals]:
        nll, residuals = each_sample(self.loss, params, f, target)
        value, shares = mean_likelihood(array_namespace(nll).permute_dims(nll, (1, 0)))
        return value, MixtureResiduals(residuals, shares)

    def backward(self, residuals: MixtureResiduals, grad_nll: Array) -> tuple[Array, Params]:
        xp = array_namespace(grad_nll)
        each = residuals.shares * xp.expand_dims(grad_nll, axis=1)
        return each_sample_backward(self.loss, residuals.loss, xp.permute_dims(each, (1, 0)))
