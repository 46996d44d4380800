"""Fitting a layer to arrays: minibatches, a KL weight that may follow a schedule, validation and early stopping.

Every random number of epoch e comes from the e-th child of the generator, so a fit that is continued from the state of
an epoch gives the same bits as one that was never interrupted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer, frozen
from bayesnoise.losses import Loss
from bayesnoise.objective import ModelParams, objective
from bayesnoise.optimizers import Optimizer
from bayesnoise.special import logsumexp

Schedule = Callable[[int], float]  # of the epoch, from 0


class Epoch(NamedTuple):
    """What is known after one epoch; likelihoods are means over examples, in the units that the loss sees."""

    epoch: int  # from 1
    nll: float
    kl: float
    loss: float  # nll + kl_weight * kl / n
    kl_weight: float
    validation_nll: float | None
    seconds: float


class State(NamedTuple):
    """Everything a fit needs to go on: arrays in `params`, `optimizer` and `best`, plain records in the rest."""

    params: ModelParams
    optimizer: Params
    best: ModelParams  # at the lowest validation loss; the latest without validation
    history: tuple[Epoch, ...] = ()
    interrupted: bool = False


class Split(NamedTuple):
    x: Array  # (n, ...)
    y: Array  # (n, ...)


def start(layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> State:
    """Fresh parameters, and the optimizer's state for them."""
    params = ModelParams(layer.init(rng, like=like), loss.init(like=like))
    return State(params, optimizer.init(params), params)


def fit(
    layer: Layer,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    rng: Rng,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 128,
    kl_weight: float | Schedule = 1.0,
    learning_rate: Schedule | None = None,
    validation: Split | None = None,
    validation_samples: int = 8,
    patience: int | None = None,
    state: State | None = None,
    on_epoch: Callable[[State], None] | None = None,
    compile: Callable[[Any], Any] | None = None,
) -> State:
    """Minimise the negative ELBO; the result holds the parameters, the best parameters and the history.

    `x (n, ...)` and `y (n, ...)` are arrays of one backend. `kl_weight` and `learning_rate` may be functions of the
    epoch. With `validation`, `best` is at the lowest validation loss, and the fit stops after `patience` epochs without
    a lower one. `state` continues an earlier fit that had the same arguments. `compile` wraps the step (`jax.jit`).
    Ctrl-C ends the fit after the last complete epoch, with `interrupted` set.

    Raises ValueError for sizes that do not match or data that are not finite, FloatingPointError if the loss is lost.
    """
    _check_data(x, y, epochs, batch_size)
    n = x.shape[0]
    init_rng, *epoch_rngs = rng.split(epochs + 1)
    state = start(layer, loss, optimizer, init_rng, like=x) if state is None else state

    def step(
        params: ModelParams,
        opt: Params,
        rng: Rng,
        x: Array,
        y: Array,
        batch: Array,
        kl_scale: float,
        rate: float | None,
    ) -> Any:
        xp = array_namespace(x)
        x, y = xp.take(x, batch, axis=0), xp.take(y, batch, axis=0)
        noise = layer.draw(rng, params.layer, x.shape, like=x)
        nll, grads, params = objective(layer, loss, params, noise, x, y, kl_scale)
        return *optimizer.step(params, grads, opt, rate), nll

    run = step if compile is None else compile(step)
    try:
        for epoch in range(len(state.history), epochs):
            if patience is not None and validation is not None and _stale(state.history) >= patience:
                break
            began = time.perf_counter()
            for_order, for_steps, for_kl, for_validation = epoch_rngs[epoch].split(4)
            weight = kl_weight(epoch) if callable(kl_weight) else kl_weight
            rate = learning_rate(epoch) if learning_rate is not None else None
            params, opt, totals = state.params, state.optimizer, []
            batches = _batches(_order(for_order, n, like=x), batch_size)
            for batch, step_rng in zip(batches, for_steps.split(len(batches)), strict=True):
                params, opt, nll = run(params, opt, step_rng, x, y, batch, weight / n, rate)
                totals.append((nll, batch.shape[0] / n))
            mean = sum(float(nll) * share for nll, share in totals)  # read here: a device is not waited for each step
            record = _record(layer, loss, params, for_kl, epoch, mean, weight, n, x, began)
            if validation is not None:
                nll = mean_nll(layer, loss, params, validation, rng=for_validation, samples=validation_samples)
                record = record._replace(validation_nll=nll)
            state = _advance(state, params, opt, record)
            if on_epoch is not None:
                on_epoch(state)
    except KeyboardInterrupt:
        state = state._replace(interrupted=True)
    return state


def mean_nll(layer: Layer, loss: Loss, params: ModelParams, data: Split, *, rng: Rng, samples: int) -> float:
    """Mean over examples of `-log mean_t p(y | f_t(x))`, over `samples` stochastic passes."""
    xp, predictor = array_namespace(data.x), frozen(layer)
    passes = []
    for r in rng.split(samples):
        noise = predictor.draw(r, params.layer, data.x.shape, like=data.x)
        passes.append(loss.forward(params.loss, predictor.forward(params.layer, noise, data.x)[0], data.y)[0])
    return float(xp.mean(math.log(samples) - logsumexp(-xp.stack(passes), axis=0)))


def _check_data(x: Array, y: Array, epochs: int, batch_size: int) -> None:
    _checks.floating("x", x)
    _checks.positive_integer("epochs", epochs)
    _checks.positive_integer("batch_size", batch_size)
    xp = array_namespace(x, y)
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"x has {x.shape[0]} rows and y {y.shape[0]}: expected one target for each example")
    if x.shape[0] == 0:
        raise ValueError("x has no rows, expected at least one example")
    for name, array in (("x", x), ("y", y)):
        if xp.isdtype(array.dtype, "real floating") and not bool(xp.all(xp.isfinite(array))):
            raise ValueError(f"{name} holds NaN or infinity, expected finite numbers: drop or fill those rows")


def _order(rng: Rng, n: int, *, like: Array) -> Array:
    """A random order of the examples."""
    u = rng.uniform((n,), like=like)
    return array_namespace(u).argsort(u, stable=True)


def _batches(order: Array, batch_size: int) -> list[Array]:
    return [order[i : i + batch_size] for i in range(0, order.shape[0], batch_size)]


def _record(
    layer: Layer,
    loss: Loss,
    params: ModelParams,
    rng: Rng,
    epoch: int,
    nll: float,
    weight: float,
    n: int,
    x: Array,
    began: float,
) -> Epoch:
    noise = layer.draw(rng, params.layer, (1, *x.shape[1:]), like=x)
    kl = float(layer.kl(params.layer, noise))
    if not (math.isfinite(nll) and math.isfinite(kl)):
        raise FloatingPointError(f"the loss of epoch {epoch + 1} is nll {nll}, kl {kl}: lower the learning rate")
    return Epoch(epoch + 1, nll, kl, nll + weight * kl / n, weight, None, time.perf_counter() - began)


def _advance(state: State, params: ModelParams, optimizer: Params, record: Epoch) -> State:
    earlier = [e.validation_nll for e in state.history if e.validation_nll is not None]
    improved = record.validation_nll is None or not earlier or record.validation_nll < min(earlier)
    return State(params, optimizer, params if improved else state.best, (*state.history, record))


def _stale(history: tuple[Epoch, ...]) -> int:
    """Epochs since the lowest validation loss."""
    losses = [e.validation_nll for e in history if e.validation_nll is not None]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def parameter_count(params: Params) -> int:
    """How many numbers the parameters hold."""
    return sum(math.prod(leaf.shape) for leaf in tree.leaves(params))
