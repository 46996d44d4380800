"""Divergences by themselves: from independent Gaussian weights, `mean (n,)` and `scale (n,)`, to a prior.

The kinds are "gaussian" (`N(prior_mean, prior^2)`), "laplace" (`exp(-|w| / prior) / (2 prior)`), "log_uniform"
(`1 / |w|`, zero where the mean is) and "ard" (`N(0, 1/tau)` at the best tau of each weight). An adapter loads the two
parameters under these names and answers `kl`, and `kl_gradients` if it can. The truth is quadrature of the definition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial

Kind: TypeAlias = Literal["gaussian", "laplace", "log_uniform", "ard"]
CLOSED = ("gaussian", "laplace", "log_uniform", "ard")
_SCALE_FREE = ("log_uniform", "ard")


@dataclass(frozen=True, kw_only=True)
class Divergence(Described):
    """A divergence of `size` weights; `error` is what an approximation may be off, a weight.

    ValueError for numbers that cannot be.
    """

    family: str = field(default="divergence", init=False)
    kind: Kind
    size: int = 6
    prior: float = 0.5
    prior_mean: float = 0.0
    error: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in CLOSED:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, CLOSED))}")
        if self.size < 1:
            raise ValueError(f"size is {self.size}, expected at least 1")
        if not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0")
        if self.prior_mean != 0 and self.kind != "gaussian":
            raise ValueError(f"prior_mean is {self.prior_mean}, expected 0: a {self.kind} prior is centred there")

    @property
    def estimator(self) -> str:
        return self.kind


def definition(d: Divergence, mean: Array, scale: Array) -> Array:
    """The divergence of every weight by quadrature; complex numbers pass through."""

    def one(m: Array, s: Array) -> Any:
        if d.kind == "gaussian":
            return divergences.gaussian(m, s, d.prior_mean, d.prior)
        if d.kind == "laplace":
            return divergences.laplace(m, s, d.prior)
        return divergences.log_uniform(m, s) if d.kind == "log_uniform" else divergences.ard(m, s)

    return np.asarray([one(np.asarray(m), np.asarray(s)) for m, s in zip(mean, scale, strict=True)])


def limit(d: Divergence, mean: float, scale: float) -> float:
    """The divergence of one weight whose scale is far below its mean and the prior, or far above both."""
    entropy = math.log(scale) + 0.5 * math.log(2.0 * math.pi * math.e)
    narrow = scale < 1.0
    if d.kind == "gaussian":
        square = (scale**2 + (mean - d.prior_mean) ** 2) / (2.0 * d.prior**2)
        return square + math.log(d.prior) + 0.5 * math.log(2.0 * math.pi) - entropy
    if d.kind == "laplace":
        size = abs(mean) if narrow else scale * math.sqrt(2.0 / math.pi)
        return math.log(2.0 * d.prior) + size / d.prior - entropy
    constant = 0.5 * (float(np.euler_gamma) + math.log(2.0)) if d.kind == "log_uniform" else 0.0
    return math.log(abs(mean) / scale) + constant if narrow else 0.0


@dataclass(frozen=True)
class DivergenceTrial(Trial):
    """A trial of a divergence."""

    @property
    def description(self) -> Divergence:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Divergence)
        return found

    def load(self, mean: Array | float | None = None, scale: Array | float | None = None) -> tuple[Array, Array]:
        """Load a mean and a scale; what is not given is random, about 1 and between .3 and 1.5."""
        shape = (self.description.size,)
        mean = self.rng.uniform(0.2, 2.0, shape) * self.rng.choice([-1.0, 1.0], shape) if mean is None else mean
        scale = np.exp(self.rng.uniform(-1.2, 0.4, shape)) if scale is None else scale
        given = {"mean": np.broadcast_to(mean, shape), "scale": np.broadcast_to(scale, shape)}
        held = self.guard.load(given)
        return held["mean"], held["scale"]

    def bound(self, size: float) -> float:
        """What rounding and the approximation may do to a sum whose terms are so large together."""
        return 256.0 * self.guard.eps * (size + self.description.size) + self.description.error * self.description.size


of_divergence = ClaimsOf(("divergence",), CLOSED, DivergenceTrial)


def _said(trial: DivergenceTrial, seen: float, right: float, bound: float, where: str) -> Finding:
    wrong = not abs(seen - right) <= bound
    return exact(wrong, f"the divergence {where} is {seen:.6g}; {right:.6g} is {'right' if wrong else 'expected'}", 1)


WRONG = (
    "divergence-mean",
    "divergence-sign",
    "divergence-doubled",
    "divergence-scale-as-variance",
    "divergence-variance-as-scale",
    "divergence-constant",
    "divergence-skips-one",
)


@of_divergence(
    "value",
    "The divergence is the sum over the weights of the integral that defines it.",
    needs=("kl",),
    catches=(*WRONG, "divergence-prior-as-variance", "divergence-prior-mean-ignored"),
)
def value(trial: DivergenceTrial) -> Finding:
    """Exact, against quadrature at random parameters."""
    terms = definition(trial.description, *trial.load())
    bound = trial.bound(float(np.sum(np.abs(terms))))
    return _said(trial, trial.guard.kl(), float(np.sum(terms)), bound, "at random parameters")


@of_divergence(
    "zero-at-prior",
    "The divergence is zero where the posterior is the prior, or where the mean of a scale-free one is zero.",
    needs=("kl",),
    kinds=("gaussian", "log_uniform", "ard"),
    catches=("divergence-constant", "divergence-nan-at-zero", "divergence-prior-as-variance"),
)
def zero_at_prior(trial: DivergenceTrial) -> Finding:
    """Exact."""
    d = trial.description
    trial.load(*((0.0, None) if d.kind in _SCALE_FREE else (d.prior_mean, d.prior)))
    return _said(trial, trial.guard.kl(), 0.0, trial.bound(d.size), "where it should vanish")


@of_divergence(
    "counts",
    "Every weight adds a term of its own, whatever the others are.",
    needs=("kl",),
    catches=("divergence-mean", "divergence-sign", "divergence-doubled", "divergence-skips-one"),
)
def counts(trial: DivergenceTrial) -> Finding:
    """Exact: one mean after the other is moved, and the divergence by the difference of its terms."""
    d = trial.description
    mean, scale = trial.load()
    for at in range(d.size):
        moved = mean.copy()
        moved[at] *= 2.0
        before = definition(d, mean[at : at + 1], scale[at : at + 1])
        trial.load(mean, scale)
        first = trial.guard.kl()
        held, _ = trial.load(moved, scale)
        seen = trial.guard.kl() - first
        right = float((definition(d, held[at : at + 1], scale[at : at + 1]) - before)[0])
        found = _said(
            trial, seen, right, 2.0 * trial.bound(abs(first)), f"of weight {at}, its mean doubled, changes: it"
        )
        if found.refuted:
            return found
    return exact(False, "each weight adds its own term", d.size)


@of_divergence(
    "scale-free",
    "Mean and scale times a common factor leave the divergence as it is.",
    needs=("kl",),
    kinds=_SCALE_FREE,
    catches=("divergence-scale-as-variance", "divergence-variance-as-scale", "divergence-epsilon"),
)
def scale_free(trial: DivergenceTrial) -> Finding:
    """Exact: it is a function of the ratio alone."""
    mean, scale = trial.load()
    first = trial.guard.kl()
    tiny = 2.0**-24
    trial.load(tiny * mean, tiny * scale)
    return _said(trial, trial.guard.kl(), first, trial.bound(abs(first)), "with mean and scale 2^-24 times as large")


def _far(trial: DivergenceTrial, scale: float) -> Finding:
    d = trial.description
    mean, held = trial.load(1.5, scale)
    right = d.size * limit(d, float(mean[0]), float(held[0]))
    return _said(trial, trial.guard.kl(), right, trial.bound(abs(right)), f"at scales of {scale:g}")


def _reach(d: Divergence) -> float:
    return 1e12 if d.dtype == "float32" else 1e100


@of_divergence(
    "extreme-narrow",
    "The divergence of very narrow posteriors is finite and right.",
    needs=("kl",),
    catches=("divergence-clipped", "divergence-epsilon", "divergence-mean", "divergence-sign"),
)
def extreme_narrow(trial: DivergenceTrial) -> Finding:
    """Exact, against the limit of the closed form."""
    return _far(trial, 1.0 / _reach(trial.description))


@of_divergence(
    "extreme-wide",
    "The divergence of very wide posteriors is finite and right.",
    needs=("kl",),
    catches=("divergence-clipped",),
)
def extreme_wide(trial: DivergenceTrial) -> Finding:
    """Exact, against the limit of the closed form."""
    return _far(trial, _reach(trial.description))


CLAIMS = (value, zero_at_prior, counts, scale_free, extreme_narrow, extreme_wide)
