"""One step of an optimizer of a Gaussian law, from a given state, noise and gradients: IVON, Vadam, VOGN.

In the symbols of the papers, with every rule a function of what is known by then, so that a bug can stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors import step_bugs
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

Rule: TypeAlias = Callable[[Values], Any]


def _decay(v: Values) -> Any:
    return 1.0 / (v["examples"] * v["prior_scale"] ** 2)


def _drawn(v: Values) -> Array:
    return np.asarray(v["mean"] + v["sigma"] * v["eps"])


@dataclass(frozen=True)
class Step:
    """What is kept, in the order in which it is computed; `first` and `curvature` are those of the state."""

    scale: Rule  # the standard deviation of the law
    seen: Rule  # the curvature that the gradients show
    curvature: Rule
    first: Rule
    mean: Rule  # knows `first` and `curvature` after the step, `count` with it, and `before`, the old curvature
    decay: Rule = _decay
    draw: Rule = _drawn

    def __call__(self, inputs: Values) -> Values:
        known = inputs | {"delta": self.decay(inputs)}
        known |= {"sigma": self.scale(known)}
        known |= {"seen": self.seen(known), "before": known["curvature"]}
        after = known | {"first": self.first(known), "curvature": self.curvature(known), "count": known["count"] + 1.0}
        return {
            "draw": self.draw(known),
            "next_mean": self.mean(after),
            "next_first": after["first"],
            "next_curvature": after["curvature"],
            "next_scale": self.scale(after),
        }


def _scale(v: Values) -> Array:
    return np.asarray(1.0 / np.sqrt(v["examples"] * (v["curvature"] + v["delta"])))


def _average(v: Values) -> Array:
    """The gradient over draws, and over examples where it has them."""
    return np.asarray(np.mean(v["grad"], axis=tuple(range(v["grad"].ndim - 1))))


def _squares(v: Values) -> Array:
    """The mean of squares over draws, and over examples where there are some."""
    return np.asarray(np.mean(v["grad"] ** 2, axis=tuple(range(v["grad"].ndim - 1))))


def _kept(v: Values) -> Array:
    return np.asarray(v["beta2"] * v["curvature"] + (1.0 - v["beta2"]) * v["seen"])


def _first(v: Values) -> Array:
    return np.asarray(v["beta1"] * v["first"] + (1.0 - v["beta1"]) * _average(v))


def _newton(v: Values) -> Array:
    direction = v["first"] / (1.0 - v["beta1"] ** v["count"]) + v["delta"] * v["mean"]
    return np.asarray(v["mean"] - v["learning_rate"] * direction / (v["curvature"] + v["delta"]))


def _ivon_seen(v: Values) -> Array:
    draws = v["mean"] + v["sigma"] * v["eps"]
    return np.asarray(np.mean(v["grad"] * (draws - v["mean"]) / v["sigma"] ** 2, axis=0))


def _ivon_curvature(v: Values) -> Array:
    rest = (v["curvature"] - v["seen"]) ** 2 / (v["curvature"] + v["delta"])
    return np.asarray(_kept(v) + 0.5 * (1.0 - v["beta2"]) ** 2 * rest)


def _vadam_scale(v: Values) -> Array:
    start = v["beta2"] ** v["count"] * v["first_precision"]
    return np.asarray(1.0 / np.sqrt(v["examples"] * (v["curvature"] + start + v["delta"])))


def _vadam_first(v: Values) -> Array:
    return np.asarray(_first(v) + (1.0 - v["beta1"]) * v["delta"] * v["mean"])


def _vadam_mean(v: Values) -> Array:
    first = v["first"] / (1.0 - v["beta1"] ** v["count"])
    second = v["curvature"] / (1.0 - v["beta2"] ** v["count"])
    return np.asarray(v["mean"] - v["learning_rate"] * first / (np.sqrt(second) + v["delta"]))


IVON = Step(_scale, _ivon_seen, _ivon_curvature, _first, _newton)
VADAM = Step(_vadam_scale, _squares, _kept, _vadam_first, _vadam_mean)
VOGN = Step(_scale, _squares, _kept, _first, _newton)

_OF_STATE = {
    "state": "mean, first, curvature, all (d,), after count steps; examples is the number N of examples, and the prior "
    "of every number is N(0, prior_scale^2); delta = 1 / (N prior_scale^2)",
    "next": "next_* are the state after one step, t = count + 1 is its number",
}
_LAW = "sigma = 1 / sqrt(N (curvature + delta)); next_scale is that of next_curvature; curvature is without the prior"
_FIRST = "next_first = beta1 first + (1 - beta1) g, not corrected"
_NEWTON = (
    "next_mean = mean - learning_rate (next_first / (1 - beta1^t) + delta mean) / (next_curvature + delta), "
    "the precision being that after the step"
)
_DRAW = "draw = mean + sigma eps, a row for each row of eps (draws, d): where the gradients are taken"
_GRAD = "(draws, d), given: the gradient of the mean loss at each draw; g is its mean over draws"


def _cases(seed: int, examples: bool) -> tuple[Case, ...]:
    """Numbers whose powers are exact too; `examples` for gradients of single examples."""
    rng = np.random.default_rng(seed)

    def make(draws: int, d: int, batch: int = 3, **others: Any) -> Values:
        of_grad = (draws, batch, d) if examples else (draws, d)
        values = {
            "mean": dyadic(rng, d),
            "first": dyadic(rng, d),
            "curvature": np.abs(dyadic(rng, d)) + 0.25,
            "count": 3.0,
            "eps": dyadic(rng, draws, d),
            "grad": dyadic(rng, *of_grad),
            "learning_rate": 0.125,
            "beta1": 0.5,
            "beta2": 0.75,
            "first_precision": 1.5,
            "examples": 64.0,
            "prior_scale": 0.5,
        }
        return {name: np.asarray(value, dtype=np.float64) for name, value in (values | others).items()}

    fresh = make(1, 3, count=0.0, first=np.zeros(3), curvature=np.zeros(3))
    still = make(2, 3)
    still["grad"] = np.zeros_like(still["grad"])
    silent = make(1, 3)
    silent["eps"] = np.zeros_like(silent["eps"])
    against = make(1, 3)
    opposite = np.where(against["eps"] < 0, 1.0, -1.0)
    against["grad"] = 64.0 * (np.abs(against["grad"]) + 1.0) * (opposite[:, None] if examples else opposite)
    late = make(1, 2, count=200.0, beta1=0.875, beta2=0.96875, examples=4096.0, prior_scale=2.0)
    cases = [
        Case("two draws of three numbers", ("Ordinary",), make(2, 3)),
        Case("one draw of five numbers", ("Ordinary",), make(1, 5)),
        Case("no momentum", ("Ordinary",), make(1, 3, beta1=0.0)),
        Case("after many steps, with many examples", ("LateStep",), late),
        Case("the first step", ("FirstStep",), fresh),
        Case("the gradient is zero", ("NoGradient",), still),
        Case("no noise", ("NoNoise",), silent),
        Case("the gradient says that the curvature is far below zero", ("OppositeCurvature",), against),
    ]
    if examples:
        cases.append(Case("one example", ("BatchOfOne",), make(2, 3, 1)))
    return tuple(cases)


def _family(name: str, source: str, right: Step, conventions: dict[str, str], seed: int, bugs: Any) -> Family:
    cases = _cases(seed, name == "vogn")
    if name != "vadam":
        cases = tuple(
            case._replace(inputs={k: x for k, x in case.inputs.items() if k != "first_precision"}) for case in cases
        )
    return Family(name, source, (Group(f"optimizer.{name}", _OF_STATE | conventions, right, cases, bugs),))


def ivon() -> Family:
    """The curvature from the gradient and the noise of its draw."""
    conventions = {
        "law": _LAW,
        "draw": _DRAW,
        "grad": _GRAD,
        "next_curvature": "beta2 curvature + (1 - beta2) f + (1 - beta2)^2 (curvature - f)^2 / (2 (curvature + delta)) "
        "with f the mean over draws of grad * (draw - mean) / sigma^2",
        "next_first": _FIRST,
        "next_mean": _NEWTON,
    }
    source = "Shen et al. 2024, arXiv 2402.17641"
    return _family("ivon", source, IVON, conventions, 71, step_bugs.ivon(IVON))


def vadam() -> Family:
    """Adam's moments at draws of the law that they give."""
    conventions = {
        "law": "sigma = 1 / sqrt(N (curvature + beta2^count first_precision + delta)); next_scale is that of "
        "next_curvature and of count + 1; curvature is the running mean of squares, not corrected; first_precision is "
        "what the law started with, and fades",
        "draw": _DRAW,
        "grad": _GRAD,
        "next_curvature": "beta2 curvature + (1 - beta2) (mean over draws of grad^2)",
        "next_first": "beta1 first + (1 - beta1) (g + delta mean), not corrected",
        "next_mean": "mean - learning_rate (next_first / (1 - beta1^t)) / "
        "(sqrt(next_curvature / (1 - beta2^t)) + delta)",
    }
    source = "Khan et al. 2018, arXiv 1806.04854"
    return _family("vadam", source, VADAM, conventions, 72, step_bugs.vadam(VADAM))


def vogn() -> Family:
    """The curvature from the squares of the gradients of single examples."""
    conventions = {
        "law": _LAW,
        "draw": _DRAW,
        "grad": "(draws, m, d), given: the gradient of the loss of each of m examples at each draw; g is its mean over "
        "draws and examples",
        "next_curvature": "beta2 curvature + (1 - beta2) (mean over draws and examples of grad^2)",
        "next_first": _FIRST,
        "next_mean": _NEWTON,
    }
    source = "Khan et al. 2018, arXiv 1806.04854"
    return _family("vogn", source, VOGN, conventions, 73, step_bugs.vogn(VOGN))
