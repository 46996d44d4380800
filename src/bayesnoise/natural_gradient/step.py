"""One step of an optimizer of a law, and the law that it has fitted, as a layer and its parameters."""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._parameters import filled, of_learned
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.drawn import Drawn, DrawnParams
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.natural_gradient.optimizer import VariationalOptimizer
from bayesnoise.natural_gradient.per_example import moments_of_examples
from bayesnoise.natural_gradient.vogn import Vogn
from bayesnoise.objective import ModelParams, objective
from bayesnoise.optimizers import Optimizer


class Step(NamedTuple):
    params: ModelParams
    optimizer: Params
    nll: Array  # (), mean over the batch and the draws


def variational_step(
    layer: Layer,
    loss: Loss,
    optimizer: VariationalOptimizer,
    params: ModelParams,
    state: Params,
    rng: Rng,
    x: Array,
    y: Array,
    kl_scale: float | Array,
    learning_rate: float | Array | None = None,
) -> Step:
    """The gradient at every draw of the parameters, and the step that these give: `x (n, ...)`, `y (n, ...)`.

    Statistics that the layer keeps take in the batch once for each draw. A divergence of the layer would count beside
    that of the law: a fit refuses it.
    """
    for_law, *for_draws = rng.split(1 + optimizer.samples)
    noise = optimizer.draw(for_law, params)
    grads: list[Params] = []
    likelihoods = []
    for eps, source in zip(noise, for_draws, strict=True):
        at = optimizer.perturb(params, state, eps, kl_scale)
        if isinstance(optimizer, Vogn):
            nll, moments = moments_of_examples(layer, loss, at, source, x, y, kl_scale)
            grads.append(moments)
        else:
            layer_noise = layer.draw(source, at.layer, x.shape, like=x)
            nll, grad, seen = objective(layer, loss, at, layer_noise, x, y, kl_scale)
            params = filled(of_learned(params), seen)
            grads.append(grad)
        likelihoods.append(nll)
    params, state = optimizer.step(params, tuple(grads), state, noise, kl_scale, learning_rate)
    return Step(params, state, array_namespace(x).mean(array_namespace(x).stack(likelihoods)))


def predictor(layer: Layer, optimizer: Optimizer | VariationalOptimizer) -> Layer:
    """What predicts after a fit: the layer, or the layer with its parameters drawn where the optimizer fits a law."""
    return Drawn(layer, optimizer.prior_scale) if isinstance(optimizer, VariationalOptimizer) else layer


def posterior(optimizer: Optimizer | VariationalOptimizer, params: ModelParams, state: Params) -> ModelParams:
    """The parameters of the `predictor`: means and standard deviations of those of the layer; the loss has its means.

    Before the first step the standard deviations are those of a `kl_scale` of 1.
    """
    if not isinstance(optimizer, VariationalOptimizer):
        return params
    scale = optimizer.scale(state).layer
    return ModelParams(DrawnParams(params.layer, tree.map(lambda s: array_namespace(s).log(s), scale)), params.loss)
