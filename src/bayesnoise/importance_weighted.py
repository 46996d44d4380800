"""The importance-weighted bound on the evidence of a whole data set:

    log p(D) >= E log (1/K) sum_k p(D | w_k) p(w_k) / q(w_k),    w_k independent draws of the posterior q

Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders" (arXiv 1509.00519), theorem 1: the ELBO at K = 1,
no smaller with each draw, and the evidence in the limit. One w_k explains every example, so the bound is no sum over
examples, and a minibatch has no unbiased part of it. Random are the weights, one draw a sample.

Nothing is derived here. A Monte Carlo divergence at the noise of a call is `log q(w_k) - log p(w_k)`, and its gradient
the total derivative; the gradient of the bound is the mean of those of the K terms, by their shares.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._typing import Array
from bayesnoise.chain import Chain
from bayesnoise.composite import Composite, outline
from bayesnoise.divergences import ScaleMixture
from bayesnoise.estimators import Shared
from bayesnoise.fixed import Fixed
from bayesnoise.layer import HasExampleKL
from bayesnoise.losses import Loss
from bayesnoise.losses.mixture import each_sample, each_sample_backward, mean_likelihood
from bayesnoise.multi_sample import MultiSample, MultiSampleNoise
from bayesnoise.noise import DropBlock, Multiply
from bayesnoise.normalisation import BatchNorm, FrozenBatchNorm, LayerNorm
from bayesnoise.objective import ModelParams
from bayesnoise.residual import Residual
from bayesnoise.stochastic import Stochastic

__all__ = ["EvidenceBound", "importance_weighted"]


class EvidenceBound(NamedTuple):
    value: Array  # (), at most the logarithm of the evidence in the mean over draws
    grads: ModelParams  # of minus the value, to go downhill by


def importance_weighted(
    layer: MultiSample, loss: Loss, params: ModelParams, noise: MultiSampleNoise, x: Array, y: Array
) -> EvidenceBound:
    """The bound for all of the data, `x (n, ...)` and `y (n, ...)`, with as many samples as the layer draws.

    Random weights have one draw a call and a divergence that is drawn with it: `bayes_by_backprop` with the divergence
    `ScaleMixture`. Weights that are points count with their penalty, masks with no divergence at all. ValueError for
    any other part, with the reason; so for a divergence that belongs to an example, as that of information dropout.
    """
    _check(layer.layer)
    f, residuals = layer.forward(params.layer, noise, x)
    nll, loss_residuals = each_sample(loss, params.loss, f, y)
    xp, calls = array_namespace(nll), noise.calls * layer.rows
    weights = [xp.sum(nll[k, ...]) + layer.layer.kl(params.layer, call) for k, call in enumerate(calls)]
    value, shares = mean_likelihood(xp.stack(weights)[None, :])
    by_example = xp.broadcast_to(xp.permute_dims(shares, (1, 0)), nll.shape)
    grad_f, grad_loss = each_sample_backward(loss, loss_residuals, by_example)
    _, grads = layer.backward(residuals, grad_f, input_grad=False)
    for k, call in enumerate(calls):
        grads = tree.map(lambda g, d, s=shares[0, k]: g + s * d, grads, layer.layer.kl_grad(params.layer, call))
    return EvidenceBound(-value[0, ...], ModelParams(grads, grad_loss))


def _check(layer: Any) -> None:
    """Raise ValueError unless the divergence of every part, at the noise of a call, is the ratio of its densities."""
    if isinstance(layer, Composite) and not _of_examples(layer):
        for _, part in layer.parts:
            _check(part)
        return
    reason = _refusal(layer)
    if reason is not None:
        raise ValueError(f"layer holds {outline(layer)}, which has no importance weight: {reason}")


def _of_examples(layer: Any) -> bool:
    """Whether the layer itself has a divergence for each example: a chain or a sum passes on those of its parts."""
    return isinstance(layer, HasExampleKL) and not isinstance(layer, Chain | Residual)


def _refusal(layer: Any) -> str | None:
    if _of_examples(layer):
        return "it has a divergence for each example, which is no ratio of densities of weights, train it by objective"
    if isinstance(layer, BatchNorm) or (isinstance(layer, DropBlock) and not layer.independent_examples):
        return (
            "the outputs of an example depend on the rest of the batch, so that the likelihood is no product, use "
            "LayerNorm, or DropBlock with scale_by='example'"
        )
    if isinstance(layer, Fixed | Multiply | DropBlock | LayerNorm | FrozenBatchNorm):
        return None
    if not isinstance(layer, Stochastic):
        return "its divergence is not that of one draw of weights, use bayes_by_backprop with ScaleMixture"
    if not layer.posterior.traits.random:
        return None
    if not isinstance(layer.estimator, Shared):
        return "its examples have weights of their own, use bayes_by_backprop, with one draw for all"
    if not (isinstance(layer.divergence, ScaleMixture) and layer.divergence.gradient == "total"):
        return "its divergence is not drawn with the weights, use ScaleMixture with its total gradient"
    return None
