"""The runs of a comparison: each a method on a split, with what is to be chosen on a validation split."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from bayesnoise_backends import host_rng

from bayesnoise import tree
from bayesnoise.cli.model import NotForTaskError
from bayesnoise.cli.run import Timer, passes, prepare, scores
from bayesnoise.cli.settings import FOR_METHODS, Settings, method_of, procedure_of, takes
from bayesnoise.datasets import Dataset, load
from bayesnoise.datasets.dataset import random_split
from bayesnoise.maps import Dense
from bayesnoise.methods import METHODS, method
from bayesnoise.procedures import ClosedForm, JointGaussian, Variational

Choices = dict[str, tuple[Any, ...]]  # values by the name of a setting

VALIDATION_SHARE = 0.2
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Trial(NamedTuple):
    candidates: tuple[Settings, ...]  # one, or several to choose from on a validation split

    @property
    def settings(self) -> Settings:
        return self.candidates[0]


class Result(NamedTuple):
    method: str
    split: int
    seed: int
    chosen: dict[str, Any]  # of what there was to choose
    validation: list[dict[str, Any]]  # the candidates with their validation log-likelihood
    metrics: dict[str, float]  # empty if the run failed
    seconds: float
    error: str | None = None
    left_out: str | None = None  # why the method is not for such data


def methods_of(text: str) -> tuple[str, ...]:
    """`"all"`, or names with commas between."""
    return tuple(m.name for m in METHODS) if text == "all" else tuple(method(name).name for name in text.split(","))


def splits_of(text: str, given: int) -> tuple[int, ...]:
    """`"all"` of the given splits, or numbers and ranges: `"0,2-4"`."""
    if text == "all":
        if not given:
            raise ValueError("splits is 'all', and the data state none: give numbers, such as 0-4, for random splits")
        return tuple(range(given))
    splits: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ValueError(f"splits is {text!r}, expected all, or numbers and ranges such as 0-19 or 0,3")
        splits += range(int(first), int(last or first) + 1)
    if not splits:
        raise ValueError(f"splits is {text!r}, which names none: expected a range that rises, such as 0-19")
    return tuple(splits)


def check_choices(choices: Choices, methods: Sequence[str]) -> None:
    """Raise ValueError for an option that none of the methods takes."""
    for option in FOR_METHODS:
        if option in choices and not any(takes(name, option) for name in methods):
            told = ",".join(f"{value:g}" for value in choices[option])
            raise ValueError(f"{option} is {told}, which none of the methods {', '.join(methods)} takes")


def plan(base: Settings, methods: Sequence[str], splits: Sequence[int], choices: Choices) -> list[Trial]:
    """Every run, method by method. A method leaves out the choices that make no difference to it."""
    trials = []
    for name in methods:
        own = {option: values for option, values in choices.items() if option not in FOR_METHODS or takes(name, option)}
        first = replace(base, method=name, **{option: values[0] for option, values in own.items()})
        if not has_divergence(first):
            own.pop("kl_weight", None)
        candidates = [replace(first, **dict(zip(own, values, strict=True))) for values in product(*own.values())]
        trials += [Trial(tuple(replace(c, split=k, seed=base.seed + k) for c in candidates)) for k in splits]
    return trials


def has_divergence(settings: Settings) -> bool:
    """Whether the loss of the method has a KL term."""
    if isinstance(procedure_of(settings), Variational | JointGaussian | ClosedForm):
        return True
    entry, options = method_of(settings)
    layer, like = entry.build(Dense(1, 1), **options), np.ones((1, 1))
    params = layer.init(host_rng(0), like=like)
    noise = layer.draw(host_rng(1), params, like.shape, like=like)
    return any(bool(np.any(leaf)) for leaf in tree.leaves(layer.kl_grad(params, noise)))


@lru_cache(maxsize=1)
def _data(source: str, target: str | None, task: Any) -> Dataset:
    return load(source, target, task)


def run(trial: Trial) -> Result:
    """Choose on a validation split where there is a choice, fit on all training rows, score on the test rows."""
    settings, timer = trial.settings, Timer()
    data = _data(settings.data, settings.target, settings.task).at(settings.split)
    best, validation = settings, []
    try:
        if len(trial.candidates) > 1:
            inner = random_split(data.y[data.train], VALIDATION_SHARE, settings.seed, data.task)
            held = replace(data, train=data.train[inner.train], test=data.train[inner.test])
            validation = [_difference(trial, c) | {"log_likelihood": _score(c, held)} for c in trial.candidates]
            best = trial.candidates[int(np.argmax([v["log_likelihood"] for v in validation]))]
        measured = _fitted(best, data)
    except NotForTaskError as reason:
        return _without(settings, validation, timer, left_out=str(reason))
    except FloatingPointError as error:
        return _without(settings, validation, timer, error=str(error))
    chosen = _difference(trial, best)
    return Result(settings.method, settings.split, settings.seed, chosen, validation, measured, timer.seconds())


def _without(settings: Settings, validation: list[dict[str, Any]], timer: Timer, **why: str) -> Result:
    """The result of a run that has no scores."""
    return Result(settings.method, settings.split, settings.seed, {}, validation, {}, timer.seconds(), **why)


def _difference(trial: Trial, settings: Settings) -> dict[str, Any]:
    """The settings in which the candidates differ."""
    every = [candidate.as_dict() for candidate in trial.candidates]
    return {name: value for name, value in settings.as_dict().items() if any(e[name] != every[0][name] for e in every)}


def _score(settings: Settings, data: Dataset) -> float:
    try:
        return _fitted(settings, data)["log_likelihood"]
    except FloatingPointError:
        return -np.inf


def _fitted(settings: Settings, data: Dataset) -> dict[str, float]:
    prepared = prepare(settings, data)
    state = prepared.fit()
    if state.interrupted:
        raise KeyboardInterrupt
    return scores(passes(prepared.network, state.best, data.x[data.test]), data.y[data.test])


def results(trials: Sequence[Trial], jobs: int) -> Iterator[Result]:
    """The results as they come, from so many processes; each has one thread for its matrix products."""
    if jobs == 1 or len(trials) == 1:
        yield from map(run, trials)
        return
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    with _one_thread(), ProcessPoolExecutor(min(jobs, len(trials)), context, _deaf) as pool:
        futures = [pool.submit(run, trial) for trial in trials]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
            raise


def _deaf() -> None:
    """A worker leaves Ctrl-C to the process that asked, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The environment of the workers: limits that must stand before NumPy is imported."""
    earlier = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
