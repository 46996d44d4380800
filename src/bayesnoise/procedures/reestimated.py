"""Statistics that a layer keeps, such as those of batch normalisation, for parameters that were never trained.

A draw or an average of parameters has other activations than those that the statistics were kept of. So each draw goes
once over the data, as Maddox et al. 2019 (arXiv 1902.02476, section 3.3) and Izmailov et al. 2018 (arXiv 1803.05407)
do, and predicts with the averages of what it meets there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer, absorb
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import learned
from bayesnoise.procedures.procedure import Draw, Procedure


def reestimate(layer: Layer, params: Params, x: Array, *, rng: Rng, batch_size: int = 1024) -> Params:
    """The parameters with the statistics of the layer over `x (n, ...)`: the mean over batches of nearly equal size.

    `absorb` moves a statistic by a share of the way to that of the batch. Two of its results, from 0 and from 1, give
    the share and the statistic itself, so nothing of the old statistics is left.
    """
    _checks.floating("x", x)
    _checks.positive_integer("batch_size", batch_size)
    n = x.shape[0]
    count = max(1, n // batch_size)
    edges = [n * i // count for i in range(count + 1)]
    from_zero, from_one = (_with_statistics(params, value) for value in (0.0, 1.0))
    found = _with_statistics(params, 0.0)
    for a, b, r in zip(edges[:-1], edges[1:], rng.split(count), strict=True):
        batch, weight = x[a:b, ...], (b - a) / n
        noise = layer.draw(r, params, batch.shape, like=x)
        _, residuals = layer.forward(params, noise, batch)
        zero, one = (absorb(layer, p, residuals) for p in (from_zero, from_one))
        found = _over_statistics(lambda f, z, o, w=weight: f + w * (z / (1.0 - (o - z))), found, zero, one)
    return found


def _over_statistics(function: Callable[..., Array], params: Params, *others: Params) -> Params:
    """The tree with `function(leaf, *leaves)` where a statistic is kept, and the leaf itself elsewhere."""
    every = zip(tree.paths(params), *(tree.leaves(other) for other in others), strict=True)
    leaves = [leaf if learned(name) else function(leaf, *more) for (name, leaf), *more in every]
    return tree.unflatten(params, iter(leaves))


def _with_statistics(params: Params, value: float) -> Params:
    return _over_statistics(lambda leaf: array_namespace(leaf).full_like(leaf, value), params)


@dataclass(frozen=True, eq=False)
class Reestimated:
    """A `procedure` whose every draw takes its statistics from `x`, for predictions: it trains nothing.

    `layer` is that of the fit, not its frozen form.
    """

    procedure: Procedure
    layer: Layer
    x: Array  # (n, ...), the inputs of the training data
    batch_size: int = 1024

    def predictor(self, layer: Layer) -> Layer:
        return self.procedure.predictor(layer)

    def draws(self, shown: Params, rng: Rng, samples: int) -> Iterator[Draw]:
        layer = self.procedure.predictor(self.layer)
        for params, r in self.procedure.draws(shown, rng, samples):
            for_statistics, for_pass = r.split(2)
            again = reestimate(layer, params.layer, self.x, rng=for_statistics, batch_size=self.batch_size)
            yield Draw(ModelParams(again, params.loss), for_pass)
