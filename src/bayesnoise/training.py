"""Fitting a layer to arrays: epochs, a KL weight that may follow a schedule, validation and early stopping.

What one epoch does is a procedure's, gradient descent by default: see `bayesnoise.procedures`. Every random number of
epoch e comes from the e-th child of the generator, so a fit that is continued from the state of an epoch gives the same
bits as one that was never interrupted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import Layer, frozen
from bayesnoise.losses import Loss, Mixture
from bayesnoise.multi_sample import MultiSample
from bayesnoise.natural_gradient import Slang, VariationalOptimizer
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures import Descent, Job, JointGaussian, Procedure, Schedule, Sources, Variational
from bayesnoise.special import logsumexp

AnyOptimizer: TypeAlias = Optimizer | VariationalOptimizer | Slang


class Epoch(NamedTuple):
    """What is known after one epoch; likelihoods are means over examples, in the units that the loss sees."""

    epoch: int  # from 1
    nll: float  # with the divergences that layers have for each example
    kl: float
    loss: float  # nll + kl_weight * kl / n
    kl_weight: float
    validation_nll: float | None
    seconds: float


class State(NamedTuple):
    """Everything a fit needs to go on: arrays in `params`, `optimizer` and `best`, plain records in the rest."""

    params: Params
    optimizer: Params
    best: Params  # of the predictor, at the lowest validation loss; the latest without validation
    history: tuple[Epoch, ...] = ()
    interrupted: bool = False


class Split(NamedTuple):
    x: Array  # (n, ...)
    y: Array  # (n, ...)


def procedure_of(optimizer: AnyOptimizer) -> Procedure:
    """The procedure that an optimizer asks for where none is named."""
    if isinstance(optimizer, Slang):
        return JointGaussian(optimizer)
    return Variational(optimizer) if isinstance(optimizer, VariationalOptimizer) else Descent()


def start(
    layer: Layer,
    loss: Loss,
    optimizer: AnyOptimizer,
    rng: Rng,
    *,
    like: Array,
    procedure: Procedure | None = None,
) -> State:
    """Fresh parameters, and the optimizer's state for them."""
    procedure = procedure or procedure_of(optimizer)
    params, state = procedure.start(layer, loss, optimizer, rng, like=like)  # type: ignore[arg-type]
    return State(params, state, procedure.shown(params, state))


def fit(
    layer: Layer,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    rng: Rng,
    optimizer: AnyOptimizer,
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
    procedure: Procedure | None = None,
    samples: int = 1,
) -> State:
    """Minimise the negative ELBO; the result holds the parameters, the best parameters and the history.

    `x (n, ...)` and `y (n, ...)` are arrays of one backend. `kl_weight` and `learning_rate` may be functions of the
    epoch. With `validation`, `best` is at the lowest validation loss, and the fit stops after `patience` epochs without
    a lower one. `state` continues an earlier fit that had the same arguments. `compile` wraps the step (`jax.jit`).
    Ctrl-C ends the fit after the last complete epoch, with `interrupted` set.

    `procedure` is another way to train than descent on one set of parameters; give the same one to predictions. An
    optimizer of `bayesnoise.natural_gradient` brings its own: it fits a law of the parameters, the KL is then that of
    this law, and `best` holds the parameters of `predictor(layer, optimizer)`.

    With `samples` above 1 a step draws the noise of the layers so many times for each example, whose likelihood is then
    the mean over the draws: see `losses.Mixture` for what that bounds, and `MultiSample` for what it costs.

    Raises ValueError for sizes that do not match, for data that are not finite and for what the procedure cannot train,
    FloatingPointError if the loss is lost.
    """
    _check_data(x, y, epochs, batch_size)
    _checks.positive_integer("samples", samples)
    procedure = procedure or procedure_of(optimizer)
    reason = procedure.refusal(layer, loss)
    if reason is not None:
        raise ValueError(f"procedure is {procedure}, wrong for this network and loss: {reason}")
    n = x.shape[0]
    init_rng, *epoch_rngs = rng.split(epochs + 1)
    state = start(layer, loss, optimizer, init_rng, like=x, procedure=procedure) if state is None else state
    drawn: tuple[Layer, Loss] = (layer, loss) if samples == 1 else (MultiSample(layer, samples), Mixture(loss))
    one_epoch = procedure.epoch(Job(*drawn, optimizer, x, y, epochs, batch_size, learning_rate, compile))  # type: ignore[arg-type]
    predictor = procedure.predictor(layer)
    try:
        for epoch in range(len(state.history), epochs):
            if patience is not None and validation is not None and _stale(state.history) >= patience:
                break
            began = time.perf_counter()
            for_order, for_steps, for_kl, for_validation = epoch_rngs[epoch].split(4)
            weight = kl_weight(epoch) if callable(kl_weight) else kl_weight
            passed = one_epoch(state.params, state.optimizer, Sources(for_order, for_steps), epoch, weight / n)
            shown = procedure.shown(passed.params, passed.optimizer)
            kl = procedure.kl(predictor, shown, x, for_kl)
            record = _record(epoch, passed.nll, kl, weight, n, began)
            if validation is not None:
                nll = mean_nll(
                    predictor,
                    loss,
                    shown,
                    validation,
                    rng=for_validation,
                    samples=validation_samples,
                    procedure=procedure,
                )
                record = record._replace(validation_nll=nll)
            state = _advance(state, passed.params, passed.optimizer, shown, record)
            if on_epoch is not None:
                on_epoch(state)
    except KeyboardInterrupt:
        state = state._replace(interrupted=True)
    return state


def mean_nll(
    layer: Layer,
    loss: Loss,
    params: Params,
    data: Split,
    *,
    rng: Rng,
    samples: int,
    procedure: Procedure | None = None,
) -> float:
    """Mean over examples of `-log mean_t p(y | f_t(x))`, over `samples` stochastic passes.

    `layer` is the predictor of the procedure, and `params` what it shows.
    """
    xp, predictor = array_namespace(data.x), frozen(layer)
    passes = []
    for at, r in (procedure or Descent()).draws(params, rng, samples):
        noise = predictor.draw(r, at.layer, data.x.shape, like=data.x)
        passes.append(loss.forward(at.loss, predictor.forward(at.layer, noise, data.x)[0], data.y)[0])
    return float(xp.mean(math.log(len(passes)) - logsumexp(-xp.stack(passes), axis=0)))


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


def _record(epoch: int, nll: float, kl: float, weight: float, n: int, began: float) -> Epoch:
    if not (math.isfinite(nll) and math.isfinite(kl)):
        raise FloatingPointError(f"the loss of epoch {epoch + 1} is nll {nll}, kl {kl}: lower the learning rate")
    return Epoch(epoch + 1, nll, kl, nll + weight * kl / n, weight, None, time.perf_counter() - began)


def _advance(state: State, params: Params, optimizer: Params, shown: Params, record: Epoch) -> State:
    earlier = [e.validation_nll for e in state.history if e.validation_nll is not None]
    improved = record.validation_nll is None or not earlier or record.validation_nll < min(earlier)
    return State(params, optimizer, shown if improved else state.best, (*state.history, record))


def _stale(history: tuple[Epoch, ...]) -> int:
    """Epochs since the lowest validation loss."""
    losses = [e.validation_nll for e in history if e.validation_nll is not None]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def parameter_count(params: Params) -> int:
    """How many numbers the parameters hold."""
    return sum(math.prod(leaf.shape) for leaf in tree.leaves(params))
