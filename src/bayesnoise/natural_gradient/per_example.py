"""The gradient of each example by itself.

A network of ordinary weights and layers without parameters gives them in one backward pass, from `apart`; any other
network takes as many passes as there are examples.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import tree
from bayesnoise._typing import Array, Rng
from bayesnoise.composite import Composite
from bayesnoise.layer import HasStatistics, Layer, plain
from bayesnoise.losses import Loss
from bayesnoise.multi_sample import MultiSample
from bayesnoise.natural_gradient.apart import apart
from bayesnoise.natural_gradient.optimizer import Moments
from bayesnoise.natural_gradient.slang import flat, unflat
from bayesnoise.objective import ModelParams, objective


class OfExamples(NamedTuple):
    nll: Array  # (), mean over the batch
    grads: Array  # (m, n), a row an example, a column a learned parameter


def gradients_of_examples(
    layer: Layer, loss: Loss, params: ModelParams, rng: Rng, x: Array, y: Array, kl_scale: float | Array
) -> OfExamples:
    """The gradient of the objective on each example alone: `x (m, ...)`, `y (m, ...)`, at least one.

    Layers with noise draw it afresh for each example. ValueError for a layer that mixes the examples of a batch.
    """
    if mixes_examples(layer):
        raise ValueError(f"layer is {layer!r}, expected none that keeps statistics of a batch: it mixes its examples")
    separate = apart(plain(layer), params.layer)
    if separate is None:
        return _one_by_one(layer, loss, params, rng, x, y, kl_scale)
    xp = array_namespace(x)
    noise = separate.draw(rng, params.layer, x.shape, like=x)
    f, residuals = separate.forward(params.layer, noise, x)
    nll, loss_residuals = loss.forward(params.loss, f, y)
    grad_f, _ = loss.backward(loss_residuals, xp.ones_like(nll))
    _, by_layer = separate.backward(residuals, grad_f, input_grad=False)
    grads = tree.map(lambda g, k: g + kl_scale * k, by_layer, separate.kl_grad(params.layer, noise))
    leaves = tree.leaves(grads)
    if tree.leaves(params.loss):
        unit = xp.eye(nll.shape[0], dtype=nll.dtype, device=device(nll))  # row i picks example i
        by_loss = [loss.backward(loss_residuals, unit[i, :])[1] for i in range(nll.shape[0])]
        leaves += tree.leaves(tree.map(lambda *rows: xp.stack(rows), *by_loss))
    rows = [xp.reshape(leaf, (x.shape[0], prod(leaf.shape[1:]))) for leaf in leaves]
    return OfExamples(xp.mean(nll), xp.concat(rows, axis=1))


def moments_of_examples(
    layer: Layer, loss: Loss, params: ModelParams, rng: Rng, x: Array, y: Array, kl_scale: float | Array
) -> tuple[Array, Moments]:
    """The mean likelihood, and the means of the gradients of examples and of their squares: as above."""
    nll, rows = gradients_of_examples(layer, loss, params, rng, x, y, kl_scale)
    xp = array_namespace(rows)
    return nll, Moments(unflat(xp.mean(rows, axis=0), params), unflat(xp.mean(rows * rows, axis=0), params))


def _one_by_one(
    layer: Layer, loss: Loss, params: ModelParams, rng: Rng, x: Array, y: Array, kl_scale: float | Array
) -> OfExamples:
    likelihoods, rows = [], []
    for i, source in enumerate(rng.split(x.shape[0])):
        one = x[i : i + 1, ...]
        noise = layer.draw(source, params.layer, tuple(one.shape), like=x)
        nll, grads, _ = objective(layer, loss, params, noise, one, y[i : i + 1, ...], kl_scale)
        likelihoods.append(nll)
        rows.append(flat(grads))
    xp = array_namespace(x)
    return OfExamples(xp.mean(xp.stack(likelihoods)), xp.stack(rows))


def mixing_refusal(layer: Layer) -> str | None:
    """Why the examples of such a network have no gradients of their own; None if they have."""
    if mixes_examples(layer):
        return "it needs the gradient of each example, and a normalisation of batches mixes them"
    return None


def mixes_examples(layer: Any) -> bool:
    """Whether some part of the layer keeps statistics of its batches, as batch normalisation does."""
    layer = plain(layer)
    if isinstance(layer, MultiSample):
        return mixes_examples(layer.layer)
    if isinstance(layer, Composite):
        return any(mixes_examples(part) for _, part in layer.parts)
    return isinstance(layer, HasStatistics)
