"""The gradient of each example by itself: as many backward passes as examples, whatever the layers are."""

from __future__ import annotations

from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Rng
from bayesnoise.composite import Composite
from bayesnoise.layer import HasStatistics, Layer
from bayesnoise.losses import Loss
from bayesnoise.natural_gradient.slang import flat
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
    likelihoods, rows = [], []
    for i, source in enumerate(rng.split(x.shape[0])):
        one = x[i : i + 1, ...]
        noise = layer.draw(source, params.layer, tuple(one.shape), like=x)
        nll, grads, _ = objective(layer, loss, params, noise, one, y[i : i + 1, ...], kl_scale)
        likelihoods.append(nll)
        rows.append(flat(grads))
    xp = array_namespace(x)
    return OfExamples(xp.mean(xp.stack(likelihoods)), xp.stack(rows))


def mixes_examples(layer: Any) -> bool:
    """Whether some part of the layer keeps statistics of its batches, as batch normalisation does."""
    if isinstance(layer, Composite):
        return any(mixes_examples(part) for _, part in layer.parts)
    return isinstance(layer, HasStatistics)
