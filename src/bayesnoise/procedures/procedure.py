"""What a procedure is: how a network, a loss and data become something that predicts.

`fit` is a loop over epochs: it keeps the history and the best of what was seen, stops, resumes and can be interrupted.
What happens in one epoch, and what is then kept to predict with, is the procedure's. Ordinary gradient descent keeps
parameters; an ensemble those of its members; a method that averages iterates their moments; a closed form a law.

To add a procedure, write a frozen dataclass with the members of `Procedure`. Training state is two trees of arrays,
`params` and `optimizer`: put into them everything that the next epoch needs, counters included as arrays, so that a
checkpoint restores the run. `epoch` is called once, before the first epoch, and returns the function of one epoch;
build it from `minibatches(job, step)` where a step is all that is new, and `step` is then pure and may be compiled.
`shown` gives the tree that predictions need (it becomes `State.best`), and `draws` turns it into passes: for each
pass the parameters to use, and a source for the noise of the layers. Where the law is best said as a layer that draws
its own parameters, return that layer from `predictor` and let `draws` repeat its parameters. A procedure that cannot
train some network or loss says why in `refusal`. The row of its method,
`Method(build, combines, paper, procedure)`, has the class, or a function of its options that returns it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeAlias

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer
from bayesnoise.losses import Loss
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer

Schedule: TypeAlias = Callable[[int], float]  # of the epoch, from 0


class Job(NamedTuple):
    """What does not change over a fit."""

    layer: Layer
    loss: Loss
    optimizer: Optimizer
    x: Array  # (n, ...)
    y: Array  # (n, ...)
    epochs: int
    batch_size: int
    learning_rate: Schedule | None
    compile: Callable[[Any], Any] | None


class Sources(NamedTuple):
    """The random numbers of one epoch."""

    order: Rng
    steps: Rng


class Begun(NamedTuple):
    params: Params
    optimizer: Params


class Passed(NamedTuple):
    params: Params
    optimizer: Params
    nll: float  # mean over the examples, as they were met


class Draw(NamedTuple):
    """One stochastic pass to be made: the parameters, and a source for the noise of the layers."""

    params: ModelParams
    rng: Rng


# (params, optimizer state, sources, epoch from 0, kl_weight / n)
EpochFunction: TypeAlias = Callable[[Params, Params, Sources, int, float], Passed]
# (params, optimizer state, rng, x, y, kl_weight / n, learning rate) -> (params, optimizer state, mean nll); pure
Step: TypeAlias = Callable[[Params, Params, Rng, Array, Array, float, float | None], Any]


class Predicts(Protocol):
    """What turns the tree that was kept into passes: all that a prediction needs of a procedure."""

    def predictor(self, layer: Layer) -> Layer:
        """The layer whose parameters `draws` gives: the one that was trained, or another around it."""
        ...

    def draws(self, shown: Params, rng: Rng, samples: int) -> Iterator[Draw]:
        """The passes of a prediction, `samples` or a few more."""
        ...


class Procedure(Predicts, Protocol):
    """A way to train. What satisfies it are frozen dataclasses."""

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        """Why this cannot train such a network under such a loss, and what to do instead; None if it can."""
        ...

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        """The state before the first epoch, with the namespace, dtype and device of `like`."""
        ...

    def epoch(self, job: Job) -> EpochFunction:
        """The function of one epoch."""
        ...

    def shown(self, params: Params, optimizer: Params) -> Params:
        """What predicts, as a tree of arrays."""
        ...

    def kl(self, layer: Layer, shown: Params, x: Array, rng: Rng) -> float:
        """The divergence that the loss counts; `layer` is the predictor, and `x` gives shape, dtype and device."""
        ...


def minibatches(job: Job, step: Step) -> EpochFunction:
    """One pass over the data in a random order, by a step that is compiled once where the job compiles."""

    def on_batch(
        params: Params, state: Params, rng: Rng, x: Array, y: Array, batch: Array, kl_scale: float, rate: float | None
    ) -> Any:
        xp = array_namespace(x)
        return step(params, state, rng, xp.take(x, batch, axis=0), xp.take(y, batch, axis=0), kl_scale, rate)

    run = on_batch if job.compile is None else job.compile(on_batch)
    n = job.x.shape[0]

    def one_epoch(params: Params, state: Params, sources: Sources, epoch: int, kl_scale: float) -> Passed:
        rate = job.learning_rate(epoch) if job.learning_rate is not None else None
        totals = []
        order = _order(sources.order, n, like=job.x)
        batches = [order[i : i + job.batch_size] for i in range(0, n, job.batch_size)]
        for batch, rng in zip(batches, sources.steps.split(len(batches)), strict=True):
            params, state, nll = run(params, state, rng, job.x, job.y, batch, kl_scale, rate)
            totals.append((nll, batch.shape[0] / n))
        # read here: a device is not waited for each step
        return Passed(params, state, sum(float(nll) * share for nll, share in totals))

    return one_epoch


def divergence(layer: Layer, params: Params, x: Array, rng: Rng) -> float:
    """The divergence of a layer at its parameters, with the noise of a call where it is a Monte Carlo one."""
    noise = layer.draw(rng, params, (1, *x.shape[1:]), like=x)
    return float(layer.kl(params, noise))


def _order(rng: Rng, n: int, *, like: Array) -> Array:
    """A random order of the examples."""
    u = rng.uniform((n,), like=like)
    return array_namespace(u).argsort(u, stable=True)
