"""Statistics that a layer keeps, such as those of batch normalisation, for parameters that were never trained.

A draw or an average of parameters has other activations than those that the statistics were kept of. So each draw goes
once over the data, as Maddox et al. 2019 (arXiv 1902.02476, section 3.3) and Izmailov et al. 2018 (arXiv 1803.05407)
do, and predicts with the averages of what it meets there.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    Each batch is absorbed by the share of its examples among those met so far: the first by 1, so that nothing of the
    old statistics is left, and the last by as much as makes the whole their mean.
    """
    _checks.floating("x", x)
    _checks.positive_integer("batch_size", batch_size)
    n = x.shape[0]
    count = max(1, n // batch_size)
    edges = [n * i // count for i in range(count + 1)]
    found = _without_statistics(params)
    for a, b, r in zip(edges[:-1], edges[1:], rng.split(count), strict=True):
        batch = x[a:b, ...]
        noise = layer.draw(r, params, batch.shape, like=x)
        _, residuals = layer.forward(params, noise, batch)
        found = absorb(layer, found, residuals, (b - a) / max(b, 1))
    return found


def _without_statistics(params: Params) -> Params:
    """The tree with 0 where a statistic is kept, which holds for those that are not finite as well."""
    leaves = [leaf if learned(name) else array_namespace(leaf).zeros_like(leaf) for name, leaf in tree.paths(params)]
    return tree.unflatten(params, iter(leaves))


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
