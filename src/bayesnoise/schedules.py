"""Numbers that change over training, learning rates and KL weights, as functions of the steps or epochs done so far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from bayesnoise import _checks

__all__ = ["Constant", "Cosine", "Exponential", "Linear", "MinibatchWeights", "Schedule", "Steps", "Warmup"]


class Schedule(Protocol):
    """A pure function of a number of steps or epochs done, from 0."""

    def __call__(self, step: float, /) -> float: ...


@dataclass(frozen=True)
class Constant:
    """`value`, always. ValueError unless it is finite."""

    value: float

    def __post_init__(self) -> None:
        _checks.finite("value", self.value)

    def __call__(self, step: float, /) -> float:
        return self.value


@dataclass(frozen=True)
class Linear:
    """`first` until step `begin`, from there along a straight line to `last` at step `end`, and `last` after it.

    `Linear(0.0, 1.0, begin=a, end=b)` is the warm-up of the KL weight with which sparse variational dropout is trained
    (Molchanov, Ashukha, Vetrov 2017, arXiv 1701.05369). ValueError unless `0 <= begin < end`.
    """

    first: float
    last: float
    begin: float
    end: float

    def __post_init__(self) -> None:
        _checks.finite("first", self.first)
        _checks.finite("last", self.last)
        if not 0 <= self.begin < self.end < math.inf:
            raise ValueError(f"begin is {self.begin} and end {self.end}, expected 0 <= begin < end")

    def __call__(self, step: float, /) -> float:
        done = min(max((step - self.begin) / (self.end - self.begin), 0.0), 1.0)
        return self.first * (1.0 - done) + self.last * done


@dataclass(frozen=True)
class Warmup:
    """Another schedule, times a share that grows linearly from `1 / steps` at step 0 to 1 at step `steps - 1`.

    ValueError unless `steps` is a positive integer.
    """

    schedule: Schedule
    steps: int

    def __post_init__(self) -> None:
        _checks.positive_integer("steps", self.steps)

    def __call__(self, step: float, /) -> float:
        return min((step + 1) / self.steps, 1.0) * self.schedule(step)


@dataclass(frozen=True)
class Cosine:
    """From `first` at step 0 to `last` at step `steps` along half a period of a cosine, and `last` after it.

    Loshchilov, Hutter 2017, "SGDR" (arXiv 1608.03983), equation 5, without restarts. ValueError unless `steps` is a
    positive integer and both values are finite.
    """

    first: float
    steps: int
    last: float = 0.0

    def __post_init__(self) -> None:
        _checks.finite("first", self.first)
        _checks.finite("last", self.last)
        _checks.positive_integer("steps", self.steps)

    def __call__(self, step: float, /) -> float:
        left = math.cos(0.5 * math.pi * min(step / self.steps, 1.0)) ** 2  # (1 + cos(pi done)) / 2
        return self.last + (self.first - self.last) * (left if step < self.steps else 0.0)


@dataclass(frozen=True)
class Exponential:
    """`first * rate ** (step / steps)`: a factor `rate` every `steps` steps, without jumps.

    ValueError unless `first` is finite, `rate` in (0, 1] and `steps` a positive integer.
    """

    first: float
    rate: float
    steps: int = 1

    def __post_init__(self) -> None:
        _check_decay(self.first, self.rate)
        _checks.positive_integer("steps", self.steps)

    def __call__(self, step: float, /) -> float:
        return float(self.first * self.rate ** (step / self.steps))


@dataclass(frozen=True)
class Steps:
    """`first`, times `rate` once for each of the `boundaries` that has been reached.

    ValueError unless `first` is finite, `rate` in (0, 1] and the boundaries increase from 0.
    """

    first: float
    rate: float
    boundaries: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_decay(self.first, self.rate)
        object.__setattr__(self, "boundaries", tuple(self.boundaries))
        if any(a >= b for a, b in zip((0.0, *self.boundaries), self.boundaries, strict=False)):
            raise ValueError(f"boundaries is {self.boundaries}, expected steps above 0 that increase")

    def __call__(self, step: float, /) -> float:
        return float(self.first * self.rate ** sum(step >= b for b in self.boundaries))


@dataclass(frozen=True)
class MinibatchWeights:
    """KL weights that fall over the minibatches of an epoch: `2^(M - i) / (2^M - 1)` for the i-th of M; they sum to 1.

    Blundell et al. 2015 (arXiv 1505.05424), section 3.4. `step` counts minibatches from 0 and may run on over epochs.
    ValueError unless `batches` is a positive integer.
    """

    batches: int

    def __post_init__(self) -> None:
        _checks.positive_integer("batches", self.batches)

    def __call__(self, step: float, /) -> float:
        i = int(step) % self.batches + 1
        return math.ldexp(1.0, -i) / (1.0 - math.ldexp(1.0, -self.batches))  # 2^M alone overflows from M = 1024 on


def _check_decay(first: float, rate: float) -> None:
    _checks.finite("first", first)
    _checks.number("rate", rate)
    if not 0 < rate <= 1:
        raise ValueError(f"rate is {rate}, expected a factor in (0, 1]")
