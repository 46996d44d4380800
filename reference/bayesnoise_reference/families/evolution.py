"""Estimates of the gradient of a smoothed objective by flipped perturbations.

Wen, Vicol, Ba, Tran, Grosse 2018, "Flipout" (arXiv 1803.04386), section 4.3 (numbering as reported). The objective is
`F(w) = level + sum curvature (w - target)^2 / 2`, with the loaded parameters `theta`, `target`, `curvature (rows,
columns)` and `level (1,)`. `sample(x)` gives one estimate of the gradient of `E F(theta + scale eps)` at theta for each
row of `x (n, 1)`, whose values say nothing: `(n, rows, columns)`. That gradient is `curvature (theta - target)`, since
smoothing adds a constant to a quadratic objective.

An estimate is the mean over `bases`, each with one perturbation `eps (rows, columns)` and `members` signs:

    w_m = theta + scale E_m,  E_m = eps sign_in_m sign_out_m',      mean_m (F(w_m) - b_m) E_m / scale

The members of an "antithetic" one are pairs, m and m + members / 2, of opposite perturbations, and b is 0; in a
"baseline" one b_m is the mean value of the other members of the base. Noise, where it can be given, is for one
estimate: `eps (bases, rows, columns)`, `sign_in (bases, members, rows)`, `sign_out (bases, members, columns)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesnoise_reference import evolution
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial

KINDS = ("antithetic", "baseline")
ROWS = 16  # estimates of one call

CAUSES = {
    "evolution-sign": "the estimate is that of the opposite of the gradient",
    "evolution-not-divided-by-scale": "the estimate is not divided by the scale of the perturbations",
    "evolution-divided-by-variance": "the estimate is divided by the square of the scale",
    "evolution-members-summed": "the estimate is a sum over the members in the place of their mean",
    "evolution-bases-summed": "the estimate is a sum over the perturbations in the place of their mean",
    "evolution-halved": "each member counts for half, as if it were one of a pair twice",
    "evolution-sign-in-dropped": "the estimate multiplies by the perturbation without its signs of the rows",
    "evolution-sign-out-dropped": "the estimate multiplies by the perturbation without its signs of the columns",
    "evolution-one-member": "the value of one member serves all members of its perturbation",
    "evolution-unperturbed": "the objective is asked at theta, and not at the members",
    "evolution-members-unsigned": "the members are moved by the perturbation without their signs",
    "evolution-scale-as-variance": "the scale is the variance of the members, and not their standard deviation",
    "evolution-first-base": "the first of the perturbations stands for all",
    "evolution-standardised": "the values are divided by their standard deviation, which changes with the noise",
    "evolution-ranked": "the ranks of the values stand in their place",
    "evolution-fixed": "every call draws the noise of the first",
    "evolution-shared-by-rows": "the estimates of one call are one estimate, repeated",
    "evolution-noise-ignored": "the noise that is given is not the noise that is used",
    "evolution-pairs-alike": "the members of a pair have the same perturbation, not opposite ones",
    "evolution-baseline-of-all": "the baseline of a member has its own value in it, which shortens the estimate",
    "evolution-no-baseline": "the values have no baseline, so that a constant in the objective is noise",
}


@dataclass(frozen=True, kw_only=True)
class Evolution(Described):
    """An estimator of a kind for `rows` by `columns` parameters. ValueError for what cannot be."""

    family: str = field(default="evolution", init=False)
    kind: Literal["antithetic", "baseline"]
    rows: int = 3
    columns: int = 2
    members: int = 4
    bases: int = 4
    scale: float = 0.25

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, KINDS))}")
        for name, least in (("rows", 2), ("columns", 2), ("members", 2), ("bases", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")
        if self.kind == "antithetic" and self.members % 2:
            raise ValueError(f"members is {self.members}, expected an even number: they come in pairs")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale is {self.scale}, expected a finite number above 0")

    @property
    def estimator(self) -> str:
        return self.kind

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (x_shape[0], self.rows, self.columns)


def gradient(held: dict[str, Array]) -> Array:
    """What is estimated."""
    return np.asarray(held["curvature"] * (held["theta"] - held["target"]))


def estimate(d: Evolution, held: dict[str, Array], noise: dict[str, Array]) -> Array:
    """One estimate by the definition, member by member."""
    found = []
    for eps, ins, outs in zip(noise["eps"], noise["sign_in"], noise["sign_out"], strict=True):
        moved = [evolution.perturbation(eps, i, o) for i, o in zip(ins, outs, strict=True)]
        weights = evolution.members(held["theta"], moved, d.scale)
        values = [float(held["level"][0] + np.sum(held["curvature"] * (w - held["target"]) ** 2) / 2) for w in weights]
        baselines = [0.0] * len(values) if d.kind == "antithetic" else evolution.of_the_others(values)
        found.append(evolution.gradient(moved, values, d.scale, baselines))
    return np.asarray(np.mean(found, axis=0))


def largest_variance(d: Evolution, held: dict[str, Array]) -> float:
    """No less than the variance of an estimate along the gradient's direction.

    What is even in a perturbation cancels: between the members of a pair, and between all members of a base, since the
    square of a sign is 1. What is left of one pair is `a^2 / |gradient|`, with a normal of variance `|gradient|^2`: its
    variance is `2 |gradient|^2`, and that of a mean over pairs is no larger. Under a baseline the estimate is the
    sample variance of such numbers over `|gradient|`, a mean over pairs of `(a_m - a_n)^2 / 2`. Given the signs `a_m -
    a_n` is normal of variance 4 D, with D the part of `|gradient|^2` whose signs differ: its mean is half of that, and
    it is never above. So the second moment is `12 E D^2 <= 6 |gradient|^4`, the variance at most `5 |gradient|^2`.
    """
    square = float(np.sum(gradient(held) ** 2))
    return (2.0 if d.kind == "antithetic" else 5.0) * square / d.bases


@dataclass(frozen=True)
class EvolutionTrial(Trial):
    """A trial of an estimator."""

    @property
    def description(self) -> Evolution:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Evolution)
        return found

    def parameters(self) -> dict[str, Array]:
        """Random ones: no element of the gradient is near 0."""
        d, rng = self.description, self.rng
        shape = (d.rows, d.columns)
        theta = rng.uniform(-1.0, 1.0, shape)
        away = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
        return {"theta": theta, "target": theta - away, "curvature": rng.uniform(0.5, 1.5, shape), "level": np.ones(1)}

    def load(self, **given: Any) -> dict[str, Array]:
        """Load parameters; what is not given is random."""
        return self.guard.load(self.parameters() | given)

    def noise(self) -> dict[str, Array]:
        """Of one estimate."""
        d, rng = self.description, self.rng
        count = d.members // 2 if d.kind == "antithetic" else d.members
        ins = rng.choice([-1.0, 1.0], (d.bases, count, d.rows))
        outs = rng.choice([-1.0, 1.0], (d.bases, count, d.columns))
        if d.kind == "antithetic":
            ins, outs = np.concatenate([ins, -ins], axis=1), np.concatenate([outs, outs], axis=1)
        return {"eps": rng.standard_normal((d.bases, d.rows, d.columns)), "sign_in": ins, "sign_out": outs}


of_evolution = ClaimsOf(("evolution",), KINDS, EvolutionTrial)
