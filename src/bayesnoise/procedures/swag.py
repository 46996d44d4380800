"""SWAG: descent, and from some epoch on the moments of where each epoch ends, as a Gaussian law of the parameters.

Maddox et al. 2019 (arXiv 1902.02476), algorithm 1; the law is in `swag_law`. Random are the draws of the parameters,
one a pass, and what the layers draw. From the epoch at which collecting starts the learning rate stays what it is
there: iterates that stop moving would have no variance. The paper's optimizer is gradient descent with a constant rate;
with another one the law is that of its iterates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bayesnoise import _checks
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures.descent import Descent
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, Passed, Sources
from bayesnoise.procedures.swag_law import SwagLaw, draw, empty, sample_parameters, take_in


class SwagState(NamedTuple):
    optimizer: Params
    law: SwagLaw


@dataclass(frozen=True)
class Swag:
    """`rank` deviations, and a share `begin` of the epochs before the first iterate is taken in.

    Before that the parameters of the last epoch predict, without a law; with validation, `best` may be one of these.
    ValueError for a rank below 2 or a share outside [0, 1).
    """

    rank: int = 20
    begin: float = 0.5

    def __post_init__(self) -> None:
        _checks.positive_integer("rank", self.rank)
        if self.rank < 2:
            raise ValueError(f"rank is {self.rank}, expected at least 2: K deviations are divided by K - 1")
        _checks.probability("begin", self.begin)

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        return None

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        params, state = Descent().start(layer, loss, optimizer, rng, like=like)
        return Begun(params, SwagState(state, empty(params, self.rank)))

    def epoch(self, job: Job) -> EpochFunction:
        descend, first = Descent().epoch(job), int(self.begin * job.epochs)

        def one_epoch(params: ModelParams, state: SwagState, sources: Sources, epoch: int, kl_scale: float) -> Passed:
            passed = descend(params, state.optimizer, sources, min(epoch, first), kl_scale)
            law = take_in(state.law, passed.params) if epoch >= first else state.law
            return Passed(passed.params, SwagState(passed.optimizer, law), passed.nll)

        return one_epoch

    def shown(self, params: ModelParams, optimizer: SwagState) -> SwagLaw:
        law = optimizer.law
        return law if float(law.count) else law._replace(mean=params)

    def predictor(self, layer: Layer) -> Layer:
        return layer

    def kl(self, layer: Layer, shown: SwagLaw, x: Array, rng: Rng) -> float:
        return Descent().kl(layer, shown.mean, x, rng)

    def draws(self, shown: SwagLaw, rng: Rng, samples: int) -> Iterator[Draw]:
        for r in rng.split(samples):
            for_parameters, for_layers = r.split(2)
            yield Draw(sample_parameters(shown, draw(for_parameters, shown)), for_layers)
