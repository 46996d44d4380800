"""Training by an optimizer that fits a law of the parameters: see `bayesnoise.natural_gradient`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bayesnoise import _checks
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.natural_gradient import VariationalOptimizer, Vogn, posterior, predictor, variational_step
from bayesnoise.natural_gradient.own_divergence import check_no_divergence
from bayesnoise.natural_gradient.per_example import mixing_refusal
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures.descent import Descent
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, Passed, Sources, minibatches


@dataclass(frozen=True)
class Variational:
    """A Gaussian law of the parameters, fitted by the `optimizer` given here: that of the job is not used.

    `rate_scale` multiplies the learning rates of the job, for an optimizer whose rates are of another size than those
    that the job was made for. ValueError at the start for a layer with a divergence of its own, and, when an epoch
    begins, for a weight of the divergence that is not above 0.
    """

    optimizer: VariationalOptimizer
    rate_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("rate_scale", self.rate_scale)

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        return mixing_refusal(layer) if isinstance(self.optimizer, Vogn) else None

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        params = ModelParams(layer.init(rng, like=like), loss.init(like=like))
        check_no_divergence(layer, params.layer, self.optimizer)
        return Begun(params, self.optimizer.init(params))

    def epoch(self, job: Job) -> EpochFunction:
        def step(
            params: Params, state: Params, rng: Rng, x: Array, y: Array, kl_scale: float, rate: float | None
        ) -> Any:
            rate = None if rate is None else self.rate_scale * rate
            return variational_step(job.layer, job.loss, self.optimizer, params, state, rng, x, y, kl_scale, rate)

        inner = minibatches(job, step)

        def one_epoch(params: Params, state: Params, sources: Sources, epoch: int, kl_scale: float) -> Passed:
            if not kl_scale > 0:
                weight = kl_scale * job.x.shape[0]
                raise ValueError(
                    f"kl_weight is {weight} in epoch {epoch + 1}, expected above 0: the law that {self.optimizer} fits "
                    "has no width without its divergence"
                )
            return inner(params, state, sources, epoch, kl_scale)

        return one_epoch

    def shown(self, params: ModelParams, optimizer: Params) -> ModelParams:
        return posterior(self.optimizer, params, optimizer)

    def predictor(self, layer: Layer) -> Layer:
        return predictor(layer, self.optimizer)

    def kl(self, layer: Layer, shown: ModelParams, x: Array, rng: Rng) -> float:
        return Descent().kl(layer, shown, x, rng)

    def draws(self, shown: ModelParams, rng: Rng, samples: int) -> Iterator[Draw]:
        return Descent().draws(shown, rng, samples)
