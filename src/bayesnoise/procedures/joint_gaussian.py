"""Training by SLANG, which fits a Gaussian law of all parameters together: see `bayesnoise.natural_gradient.slang`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bayesnoise import _checks
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.natural_gradient.own_divergence import check_no_divergence
from bayesnoise.natural_gradient.per_example import gradients_of_examples, mixing_refusal
from bayesnoise.natural_gradient.slang import Slang, SlangState
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, Passed, Sources, minibatches


class JointLaw(NamedTuple):
    mean: ModelParams
    precision: SlangState


@dataclass(frozen=True)
class JointGaussian:
    """A law with a precision of low rank plus a diagonal, fitted by the `optimizer` given here: the job's is not used.

    A step takes one backward pass for a network of ordinary weights, and one an example for any other. `rate_scale`
    multiplies the learning rates of the job. ValueError at the start for a layer with a divergence of its own and for
    a rank above the number of parameters, and, when an epoch begins, for a weight of the divergence not above 0.
    """

    optimizer: Slang
    rate_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.positive("rate_scale", self.rate_scale)

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        return mixing_refusal(layer)

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        params = ModelParams(layer.init(rng, like=like), loss.init(like=like))
        check_no_divergence(layer, params.layer, self.optimizer)
        return Begun(params, self.optimizer.init(params))

    def epoch(self, job: Job) -> EpochFunction:
        slang = self.optimizer

        def step(
            params: Params, state: Params, rng: Rng, x: Array, y: Array, kl_scale: float, rate: float | None
        ) -> Any:
            for_law, for_layer = rng.split(2)
            at = slang.perturb(params, state, slang.draw(for_law, params), kl_scale)
            nll, grads = gradients_of_examples(job.layer, job.loss, at, for_layer, x, y, kl_scale)
            rate = None if rate is None else self.rate_scale * rate
            return *slang.step(params, grads, state, kl_scale, rate), nll

        inner = minibatches(job, step)

        def one_epoch(params: Params, state: Params, sources: Sources, epoch: int, kl_scale: float) -> Passed:
            _checks.positive("kl_weight", kl_scale * job.x.shape[0])
            return inner(params, state, sources, epoch, kl_scale)

        return one_epoch

    def shown(self, params: ModelParams, optimizer: SlangState) -> JointLaw:
        return JointLaw(params, optimizer)

    def predictor(self, layer: Layer) -> Layer:
        return layer

    def kl(self, layer: Layer, shown: JointLaw, x: Array, rng: Rng) -> float:
        return float(self.optimizer.kl(*shown))

    def draws(self, shown: JointLaw, rng: Rng, samples: int) -> Iterator[Draw]:
        for one in rng.split(samples):
            for_law, for_layer = one.split(2)
            mean, state = shown
            drawn = self.optimizer.perturb(mean, state, self.optimizer.draw(for_law, mean), state.kl_scale)
            yield Draw(ModelParams(drawn.layer, mean.loss), for_layer)
