"""Training a linear member of a deep ensemble on adversarial inputs: the step, and the gradient of both losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference import losses
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic

Loss: TypeAlias = Callable[[Values, Any], Any]  # of one example: of the inputs with its target, and of its outputs


def _gaussian(v: Values, f: Any) -> Any:
    return losses.heteroscedastic(f, v["target"][None], float(v["minimum_variance"]))


def _categorical(v: Values, f: Any) -> Any:
    return losses.categorical(f, int(v["target"]))


def _step(v: Values) -> Any:
    """To the adversarial inputs, of the gradient `grad_x`."""
    return v["epsilon"] * v["width"] * np.sign(v["grad_x"])


def _halves(clean: Any, moved: Any) -> Any:
    return np.mean(clean + moved) / 2.0


@dataclass(frozen=True)
class Member:
    """The loss at x, the adversarial input, the loss there, and the gradient of the objective of both."""

    loss: Loss
    step: Callable[[Values], Any] = _step
    objective: Callable[[Any, Any], Any] = _halves
    slope: Loss | None = None  # of which the step takes the gradient, if it is not the loss

    def each(self, v: Values, x: Any, loss: Loss) -> Any:
        """The losses of the examples."""
        outputs = x @ v["weight"] + v["bias"]
        return np.array([loss(v | {"target": t}, f) for f, t in zip(outputs, v["target"], strict=True)])

    def __call__(self, v: Values) -> Values:
        grad_x = complex_step(lambda x: np.sum(self.each(v, x, self.slope or self.loss)), v["x"])
        moved = v["x"] + self.step(v | {"grad_x": grad_x})

        def total(name: str) -> Array:
            def at(value: Any) -> Any:
                here = v | {name: value}
                return self.objective(self.each(here, v["x"], self.loss), self.each(here, moved, self.loss))

            return complex_step(at, v[name])

        return {
            "nll": self.each(v, v["x"], self.loss),
            "grad_x": grad_x,
            "adversarial": moved,
            "adversarial_nll": self.each(v, moved, self.loss),
            "grad_weight": total("weight"),
            "grad_bias": total("bias"),
        }


def _cases(gaussian: bool) -> tuple[Case, ...]:
    rng = np.random.default_rng(103)

    def make(n: int, i: int = 3, **others: Any) -> Values:
        outputs = 2 if gaussian else 4
        drawn = {
            "x": dyadic(rng, n, i),
            "target": dyadic(rng, n) if gaussian else rng.integers(0, outputs, n),
            "weight": dyadic(rng, i, outputs),
            "bias": dyadic(rng, outputs, spread=0.5),
            "epsilon": 0.125,
            "width": 2.0 ** (np.arange(i) - 1.0),
        }
        drawn |= {"minimum_variance": 2.0**-10} if gaussian else {}
        return {name: np.asarray(value, dtype=np.float64) for name, value in (drawn | others).items()}

    flat, far, low = make(2), make(2), make(2)
    flat["weight"][0] = 0.0
    far["bias"] = np.array([0.25, 800.0]) if gaussian else np.array([300.0, 0.0, -300.0, 150.0])
    far["target"] = far["target"] if gaussian else np.array([1.0, 3.0])
    low["bias"][1] = -800.0
    return (
        Case("three examples", ("Ordinary",), make(3)),
        Case("one example", ("BatchOfOne",), make(1, 2)),
        Case("an input without any weight", ("FlatInput",), flat),
        Case("a step of size 0", ("Ordinary",), make(2, epsilon=0.0)),
        Case("outputs far out", ("LargeInput",), far),
        *([Case("a raw variance far below zero", ("ExtremeScale",), low)] if gaussian else []),
    )


def _bugs(right: Member, gaussian: bool) -> tuple[Bug, ...]:
    def normalised(v: Values) -> Any:
        length = np.linalg.norm(v["grad_x"], axis=1, keepdims=True)
        return v["epsilon"] * v["width"] * v["grad_x"] / length

    def over_batch(v: Values) -> Any:
        return _step(v | {"grad_x": np.sum(v["grad_x"], axis=0) + 0.0 * v["grad_x"]})

    def twice(v: Values, f: Any) -> Any:
        powers = np.exp(f - np.max(np.real(f)))
        return _categorical(v, powers / np.sum(powers))

    def clipped(v: Values) -> Any:
        return np.clip(v["x"] + _step(v), 0.0, 1.0) - v["x"]

    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("StepDownhill", "The step goes down the loss.", {"step": lambda v: -_step(v)}),
        ("StepNormalised", "The step is along the gradient, normalised, not along its signs.", {"step": normalised}),
        ("WidthIgnored", "The step does not know the widths of the inputs.", {
            "step": lambda v: v["epsilon"] * np.sign(v["grad_x"])
        }),
        ("FlatInputsMoved", "Inputs on which the loss does not depend are moved.", {
            "step": lambda v: v["epsilon"] * v["width"] * np.where(v["grad_x"] >= 0, 1.0, -1.0)
        }),
        ("InputsClipped", "Adversarial inputs are clipped to between 0 and 1.", {"step": clipped}),
        ("StepSharedByBatch", "The examples of a batch share the direction of their step.", {"step": over_batch}),
        ("CleanLossMissing", "The objective is the loss at the adversarial inputs alone.", {
            "objective": lambda clean, moved: np.mean(moved)
        }),
        ("AdversarialLossMissing", "The objective is the loss at the inputs alone.", {
            "objective": lambda clean, moved: np.mean(clean)
        }),
        ("LossesAdded", "The objective is the sum of the two losses, not their mean.", {
            "objective": lambda clean, moved: np.mean(clean + moved)
        }),
        ("BatchSummed", "The objective is a sum over the batch, not a mean.", {
            "objective": lambda clean, moved: np.sum(clean + moved) / 2.0
        }),
    ]  # fmt: skip
    if gaussian:
        changes += [
            ("VarianceHeldFixed", "No gradient of the input goes through the variance.", {
                "slope": lambda v, f: _gaussian(v, np.array([f[0], np.real(f[1])]))
            }),
            ("LogVarianceNotHalved", "The logarithm of the variance lacks its factor 1/2.", {
                "loss": lambda v, f: _gaussian(v, f)
                + np.log(losses.heteroscedastic_variance(f[1:], float(v["minimum_variance"]))[0]) / 2.0
            }),
            ("MinimumMissing", "The minimum of the variance is not added.", {
                "loss": lambda v, f: _gaussian(v | {"minimum_variance": np.array(0.0)}, f)
            }),
            ("RawAsLogVariance", "The raw variance goes through exp, not through softplus.", {
                "loss": lambda v, f: losses.gaussian(
                    f[:1], v["target"][None], np.sqrt(np.exp(f[1]) + v["minimum_variance"])
                )
            }),
        ]  # fmt: skip
    else:
        changes += [
            ("SoftmaxTwice", "The loss takes probabilities for logits.", {"loss": twice}),
            ("AwayFromPredictedLabel", "The step is away from the predicted label, not from the one given.", {
                "slope": lambda v, f: _categorical(v | {"target": np.argmax(np.real(f))}, f)
            }),
        ]  # fmt: skip
    return tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)


def adversarial() -> Family:
    """A member with a mean and a variance, and one with logits."""
    common = {
        "shapes": "x (n, i), target (n,), weight (i, o), bias (o,), width (i,): the width of the range of each input",
        "grad_x": "that of the sum of nll, through all of it",
        "adversarial": "x + epsilon width sign(grad_x), where sign(0) is 0; adversarial_nll is the nll there",
        "grad_weight, grad_bias": "those of the mean over examples of (nll + adversarial_nll) / 2, with adversarial "
        "held fixed",
    }
    variance = "with f = x weight + bias, mean = f[:, 0] and variance = log(1 + exp f[:, 1]) + minimum_variance: "
    nll = {
        "gaussian": f"{variance}(target - mean)^2 / (2 variance) + log(variance) / 2 + log(2 pi) / 2",
        "categorical": "with f = x weight + bias: log sum exp f - f[target], target is the number of a column",
    }
    found = []
    for kind, loss in (("gaussian", _gaussian), ("categorical", _categorical)):
        right, gaussian = Member(loss), kind == "gaussian"
        conventions = {"nll": nll[kind]} | common
        found.append(Group(f"adversarial.{kind}", conventions, right, _cases(gaussian), _bugs(right, gaussian)))
    source = "Lakshminarayanan, Pritzel, Blundell 2017, arXiv 1612.01474, sections 2.2 and 2.3"
    return Family("adversarial_training", source, tuple(found))
