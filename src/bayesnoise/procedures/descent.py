"""Ordinary training: one set of parameters, downhill on the objective by minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.objective import ModelParams, objective
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, divergence, minibatches


def descent_step(
    layer: Layer,
    loss: Loss,
    optimizer: Optimizer,
    params: ModelParams,
    state: Params,
    rng: Rng,
    x: Array,
    y: Array,
    kl_scale: float,
    rate: float | None,
) -> Any:
    """The parameters and the optimizer's state after one batch, and its mean negative log-likelihood."""
    noise = layer.draw(rng, params.layer, x.shape, like=x)
    nll, grads, params = objective(layer, loss, params, noise, x, y, kl_scale)
    return *optimizer.step(params, grads, state, rate), nll


@dataclass(frozen=True)
class Descent:
    """The parameters that an optimizer of the objective ends at; the default of `fit`."""

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        return None

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        params = ModelParams(layer.init(rng, like=like), loss.init(like=like))
        return Begun(params, optimizer.init(params))

    def epoch(self, job: Job) -> EpochFunction:
        return minibatches(job, partial(descent_step, job.layer, job.loss, job.optimizer))

    def shown(self, params: ModelParams, optimizer: Params) -> ModelParams:
        return params

    def predictor(self, layer: Layer) -> Layer:
        return layer

    def kl(self, layer: Layer, shown: ModelParams, x: Array, rng: Rng) -> float:
        return divergence(layer, shown.layer, x, rng)

    def draws(self, shown: ModelParams, rng: Rng, samples: int) -> Iterator[Draw]:
        return (Draw(shown, r) for r in rng.split(samples))
