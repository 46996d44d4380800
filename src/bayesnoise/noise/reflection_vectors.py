"""The vectors of the reflections: `v_t = F_t v_{t-1} + c_t` from a learned `v_0`, t = 1, ..., T.

Nguyen, Nguyen, Nguyen, Phung, Bui, Le, Ho 2021, "Structured Dropout Variational Inference for Bayesian Neural Networks"
(arXiv 2102.07927), get each vector from the last by a fully connected layer, so that the reflections depend on each
other. Low rank, `F_t = A_t B_t'` with A_t and B_t of r columns, is how their cost of O(r k) a vector is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple, TypeAlias

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise.noise.householder import unit_vector, unit_vector_backward


class FullStep(NamedTuple):
    matrix: Array  # (k, k), F
    shift: Array  # (k,), c


class LowRankStep(NamedTuple):
    left: Array  # (k, r), A
    right: Array  # (k, r), B
    shift: Array  # (k,), c


Step: TypeAlias = FullStep | LowRankStep


class ReflectionParams(NamedTuple):
    start: Array  # (k,), v_0
    steps: tuple[Step, ...]  # one a reflection


class Directions(NamedTuple):
    """What the parameters come to, in the order in which the reflections are applied."""

    vectors: tuple[Array, ...]  # T + 1 of (k,): v_0 reflects nothing
    units: tuple[Array, ...]  # T of (k,)
    lengths: tuple[Array, ...]  # T of ()


def _apply(step: Step, v: Array) -> Array:
    xp = array_namespace(v)
    if isinstance(step, LowRankStep):
        return xp.matmul(step.left, xp.matmul(v, step.right)) + step.shift
    return xp.matmul(step.matrix, v) + step.shift


def _apply_backward(step: Step, v: Array, grad: Array) -> tuple[Array, Step]:
    """The gradients of `v` and of the step."""
    xp = array_namespace(v)
    if isinstance(step, LowRankStep):
        inner, grad_inner = xp.matmul(v, step.right), xp.matmul(grad, step.left)
        grads = LowRankStep(grad[:, None] * inner[None, :], v[:, None] * grad_inner[None, :], grad)
        return xp.matmul(step.right, grad_inner), grads
    return xp.matmul(grad, step.matrix), FullStep(grad[:, None] * v[None, :], grad)


@dataclass(frozen=True)
class ReflectionVectors:
    """`count` vectors of length `size`. ValueError for a count or a rank below 1, or a rank above the size."""

    size: int
    count: int
    rank: int | None = None

    def __post_init__(self) -> None:
        _checks.positive_integer("units", self.size)
        if self.count == 0:
            raise ValueError("reflections is 0, expected at least 1: without one the noise is that of LearnedGaussian")
        _checks.positive_integer("reflections", self.count)
        if self.rank is not None:
            _checks.positive_integer("rank", self.rank)
            if self.rank > self.size:
                raise ValueError(f"rank is {self.rank}, expected at most the {self.size} units: None is the full one")

    def init(self, rng: Rng, *, like: Array) -> ReflectionParams:
        """A standard normal start, matrices that keep its length on average, and no shifts.

        ValueError as for `directions`.
        """
        for_start, *for_steps = rng.split(1 + self.count)
        start = for_start.normal((self.size,), like=like)
        params = ReflectionParams(start, tuple(self._init_step(r, start) for r in for_steps))
        self.directions(params)  # which refuses a vector without one
        return params

    def _init_step(self, rng: Rng, start: Array) -> Step:
        shift = array_namespace(start).zeros_like(start)
        if self.rank is None:
            return FullStep(rng.normal((self.size, self.size), like=start) / sqrt(self.size), shift)
        left, right = (r.normal((self.size, self.rank), like=start) for r in rng.split(2))
        return LowRankStep(left / sqrt(self.rank), right / sqrt(self.size), shift)

    def directions(self, params: ReflectionParams) -> Directions:
        """The vectors, and the unit vectors and lengths of those that reflect.

        ValueError for a vector of zero, which has no direction, and from which no gradient leads away. Where values are
        not known yet, as under a JAX trace, it reflects nothing.
        """
        vectors = [params.start]
        for step in params.steps:
            vectors.append(_apply(step, vectors[-1]))
        for t, v in enumerate(vectors):
            if not _checks.every(array_namespace(v).any(v != 0)):
                raise ValueError(
                    f"vector {t} of the reflections is zero, expected a direction: start from `init`, with another rng"
                )
        units, lengths = zip(*(unit_vector(v) for v in vectors[1:]), strict=True)
        return Directions(tuple(vectors), units, lengths)

    def pullback(self, params: ReflectionParams, directions: Directions, grad_units: list[Array]) -> ReflectionParams:
        """The gradient of the parameters from that of the unit vectors."""
        grads: list[Step] = []
        grad_v = array_namespace(params.start).zeros_like(params.start)
        for t in range(self.count - 1, -1, -1):
            own = unit_vector_backward(directions.units[t], directions.lengths[t], grad_units[t])
            grad_v, grad_step = _apply_backward(params.steps[t], directions.vectors[t], own + grad_v)
            grads.append(grad_step)
        return ReflectionParams(grad_v, tuple(reversed(grads)))
