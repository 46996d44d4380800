"""Deep ensembles: networks that differ in where they start and in the order of their data, averaged as predictors.

Lakshminarayanan, Pritzel, Blundell 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles"
(arXiv 1612.01474), algorithm 1 (numbering as reported). The prediction is the mixture `mean_m p(y | x, theta_m)`; with
the loss `Heteroscedastic` each member has a variance of its own, as in the paper. Random are the initial parameters and
the order of the examples, both of each member by itself; afterwards only what the layers themselves draw. The members
go through each epoch one after another, so validation and early stopping see the mixture.

With `adversarial` above 0 the members also fit `x + adversarial * sign(d loss / d x)` (section 2.3 of the paper;
Goodfellow, Shlens, Szegedy 2015, arXiv 1412.6572). The objective is then the mean of the two losses, where the paper
has their sum: an example keeps its weight beside the divergence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Noise, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.objective import ModelParams, objective
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures.descent import Descent, descent_step
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, Passed, Sources, minibatches

Members = tuple[ModelParams, ...]


def adversarial_input(
    layer: Layer, loss: Loss, params: ModelParams, noise: Noise, x: Array, y: Array, epsilon: float
) -> Array:
    """`x + epsilon sign(d loss / d x)`: the step of that size, in the largest entry, that raises each loss fastest."""
    xp = array_namespace(x)
    f, residuals = layer.forward(params.layer, noise, x)
    nll, loss_residuals = loss.forward(params.loss, f, y)
    grad_f, _ = loss.backward(loss_residuals, xp.ones_like(nll))
    grad_x, _ = layer.backward(residuals, grad_f)
    return x + epsilon * xp.sign(grad_x)


def adversarial_step(
    layer: Layer,
    loss: Loss,
    optimizer: Optimizer,
    epsilon: float,
    params: ModelParams,
    state: Params,
    rng: Rng,
    x: Array,
    y: Array,
    kl_scale: float,
    rate: float | None,
) -> Any:
    """A step on the mean loss of a batch and of its adversarial inputs, with one noise for both.

    The likelihood returned is that of the batch, and only the batch enters the statistics that a layer keeps.
    """
    noise = layer.draw(rng, params.layer, x.shape, like=x)
    moved = adversarial_input(layer, loss, params, noise, x, y, epsilon)
    nll, grads, updated = objective(layer, loss, params, noise, x, y, kl_scale)
    _, more, _ = objective(layer, loss, params, noise, moved, y, kl_scale)
    return *optimizer.step(updated, tree.map(lambda a, b: 0.5 * (a + b), grads, more), state, rate), nll


@dataclass(frozen=True)
class DeepEnsemble:
    """So many `members`, each fitted by descent. The parameters are a tuple with those of each member.

    `adversarial` is in the units of `x`; 0 leaves it out. ValueError for fewer than one member, or below 0.
    """

    members: int = 5
    adversarial: float = 0.0

    def __post_init__(self) -> None:
        _checks.positive_integer("members", self.members)
        _checks.not_negative("adversarial", self.adversarial)

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        return None

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        begun = [Descent().start(layer, loss, optimizer, r, like=like) for r in rng.split(self.members)]
        return Begun(tuple(b.params for b in begun), tuple(b.optimizer for b in begun))

    def epoch(self, job: Job) -> EpochFunction:
        parts = job.layer, job.loss, job.optimizer
        step = (
            partial(adversarial_step, *parts, self.adversarial) if self.adversarial else partial(descent_step, *parts)
        )
        one_member = minibatches(job, step)

        def one_epoch(params: Members, state: Params, sources: Sources, epoch: int, kl_scale: float) -> Passed:
            own = zip(sources.order.split(self.members), sources.steps.split(self.members), strict=True)
            passed = [
                one_member(p, s, Sources(*r), epoch, kl_scale) for p, s, r in zip(params, state, own, strict=True)
            ]
            mean = sum(p.nll for p in passed) / self.members
            return Passed(tuple(p.params for p in passed), tuple(p.optimizer for p in passed), mean)

        return one_epoch

    def shown(self, params: Members, optimizer: Params) -> Members:
        return params

    def predictor(self, layer: Layer) -> Layer:
        return layer

    def kl(self, layer: Layer, shown: Members, x: Array, rng: Rng) -> float:
        each = zip(shown, rng.split(self.members), strict=True)
        return sum(Descent().kl(layer, member, x, r) for member, r in each) / self.members

    def draws(self, shown: Members, rng: Rng, samples: int) -> Iterator[Draw]:
        """As many passes of each member as of any other: the passes are rounded up to a multiple of the members."""
        rounds = -(-samples // self.members)
        for member, r in zip(shown, rng.split(self.members), strict=True):
            yield from Descent().draws(member, r, rounds)
