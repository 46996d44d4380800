"""The training objective, the negative ELBO per example, and its gradient by one pass of every backward rule.

`mean over the batch of -log p(y | f(x)) + (kl_weight / n) KL`: summed over the batches of an epoch, the divergence
counts once when `kl_weight` is 1 and `n` is the number of training examples. A divergence that a layer has for each
example is part of that example's loss, with the weight that the layer gives it, whatever `kl_weight` is.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._typing import Array, Noise, Params
from bayesnoise.layer import Layer, absorb, backward_with_kl, example_kl
from bayesnoise.losses import Loss


class ModelParams(NamedTuple):
    layer: Params
    loss: Params


class Objective(NamedTuple):
    nll: Array  # (), mean over the batch, with the divergences that layers have for each example
    grads: ModelParams
    params: ModelParams  # the parameters with the statistics of this batch taken in


def objective(
    layer: Layer, loss: Loss, params: ModelParams, noise: Noise, x: Array, y: Array, kl_scale: float
) -> Objective:
    """The mean negative log-likelihood of a batch, and the gradient of the objective; `kl_scale = kl_weight / n`."""
    xp = array_namespace(x)
    f, residuals = layer.forward(params.layer, noise, x)
    nll, loss_residuals = loss.forward(params.loss, f, y)
    weights = xp.full_like(nll, 1.0 / nll.shape[0])
    grad_f, grad_loss = loss.backward(loss_residuals, weights)
    _, grad_layer = backward_with_kl(layer, residuals, grad_f, weights, input_grad=False)
    kl_grad = layer.kl_grad(params.layer, noise)
    grads = tree.map(lambda g, k: g + kl_scale * k, grad_layer, kl_grad)
    updated = ModelParams(absorb(layer, params.layer, residuals), params.loss)
    per_example = nll + example_kl(layer, residuals)
    return Objective(xp.mean(per_example), ModelParams(grads, grad_loss), updated)
