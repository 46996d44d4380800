"""Mistakes in the steps and draws of optimizers of a law: each replaces a rule of the right step, or its inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.records import Bug, Values


def _of_draws(v: Values) -> Array:
    """The mean over examples, where there are some: a row a draw."""
    return v["grad"].mean(axis=1) if v["grad"].ndim > 2 else v["grad"]


def _common(right: Any) -> tuple[Bug, ...]:
    """Mistakes that every such optimizer can have."""

    def bug(flag: str, sentence: str, **change: Any) -> Bug:
        return Bug(flag, sentence, replace(right, **change))

    def given(flag: str, sentence: str, change: Any) -> Bug:
        return Bug(flag, sentence, lambda v: right(v | change(v)))

    def moved(v: Values, **other: Any) -> Any:
        return right.mean(v | other)

    return (
        bug("DrawWithoutMean", "The mean of the law is left out of its draws.", draw=lambda v: v["sigma"] * v["eps"]),
        bug(
            "VarianceAsScale",
            "A variance multiplies the noise in the place of its root.",
            scale=lambda v: right.scale(v) ** 2,
        ),
        bug(
            "NoiseSharedByParameters",
            "One normal number serves all parameters of a draw.",
            draw=lambda v: v["mean"] + v["sigma"] * v["eps"][:, :1],
        ),
        bug(
            "ScalesReversed",
            "Each scale stands at another parameter than its own.",
            draw=lambda v: v["mean"] + v["sigma"][::-1] * v["eps"],
        ),
        bug(
            "ExamplesForgotten",
            "The precision of the law is not multiplied by the number of examples.",
            scale=lambda v: right.scale(v) * np.sqrt(v["examples"]),
        ),
        bug("PriorForgotten", "The precision of the prior is left out everywhere.", decay=lambda v: 0.0),
        bug("PriorTwice", "The precision of the prior counts twice.", decay=lambda v: 2.0 * right.decay(v)),
        bug(
            "PriorAsVariance",
            "The scale of the prior is read as its variance.",
            decay=lambda v: right.decay(v) * v["prior_scale"],
        ),
        bug(
            "PriorUnscaled",
            "The precision of the prior is not divided by the number of examples.",
            decay=lambda v: right.decay(v) * v["examples"],
        ),
        bug(
            "MomentumUncorrected",
            "The running mean of the gradients is not divided by 1 - beta1^t.",
            mean=lambda v: moved(v, first=v["first"] * (1.0 - v["beta1"] ** v["count"])),
        ),
        bug(
            "MomentumStoredCorrected",
            "The running mean of the gradients is kept corrected, and corrected again at the next step.",
            first=lambda v: right.first(v) / (1.0 - v["beta1"] ** (v["count"] + 1.0)),
            mean=lambda v: moved(v, first=v["first"] * (1.0 - v["beta1"] ** v["count"])),
        ),
        bug(
            "StepCountedLate",
            "The first step has the number 0 in the bias corrections.",
            mean=lambda v: moved(v, count=v["count"] - 1.0),
        ),
        bug("OldCurvature", "The mean moves by the curvature before the step.", mean=lambda v: moved(
            v, curvature=v["before"]
        )),
        bug("StepSign", "The mean moves up the gradient.", mean=lambda v: 2.0 * v["mean"] - right.mean(v)),
        given("BetasSwapped", "beta1 and beta2 stand in each other's place.", lambda v: {
            "beta1": v["beta2"], "beta2": v["beta1"]
        }),
        bug(
            "DrawsSummed",
            "The gradient is a sum over draws, not their mean.",
            first=lambda v: right.first(v | {"grad": len(v["grad"]) * v["grad"]}),
        ),
        bug(
            "FirstDrawOnly",
            "Of several draws the first alone gives the gradient.",
            first=lambda v: right.first(v | {"grad": v["grad"][:1]}),
        ),
    )  # fmt: skip


def _newtons(right: Any) -> tuple[Bug, ...]:
    """Mistakes of the step that divides by the precision itself."""

    def without_decay(v: Values) -> Any:
        return right.mean(v) + v["learning_rate"] * v["delta"] * v["mean"] / (v["curvature"] + v["delta"])

    def by_root(v: Values) -> Any:
        precision = v["curvature"] + v["delta"]
        return v["mean"] + (right.mean(v) - v["mean"]) * np.sqrt(precision)

    changes = (
        ("DecayMissing", "The prior does not pull at the mean.", without_decay),
        ("RootOfPrecision", "The mean moves by the root of the precision, as Adam's.", by_root),
    )
    return tuple(Bug(flag, sentence, replace(right, mean=mean)) for flag, sentence, mean in changes)


def ivon(right: Any) -> tuple[Bug, ...]:
    """Those of IVON."""

    def plain(v: Values) -> Any:
        return v["beta2"] * v["curvature"] + (1.0 - v["beta2"]) * v["seen"]

    def apart(v: Values) -> Any:
        return np.mean(v["grad"], axis=0) * np.mean(v["eps"], axis=0) / v["sigma"]

    def unhalved(v: Values) -> Any:
        return 2.0 * right.curvature(v) - plain(v)

    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("CorrectionMissing", "The square that keeps the precision above zero is left out.", {"curvature": plain}),
        ("CorrectionUnhalved", "The square that keeps the precision above zero lacks its 1/2.", {
            "curvature": unhalved
        }),
        ("CorrectionWithoutPrior", "The square is divided by the curvature without the prior.", {
            "curvature": lambda v: right.curvature(v | {"delta": 0.0})
        }),
        ("NoiseTimesScale", "The curvature is the gradient times the perturbation, not divided by its variance.", {
            "seen": lambda v: right.seen(v) * v["sigma"] ** 2
        }),
        ("NoiseNotDivided", "The curvature is the gradient times the normal number, not divided by sigma.", {
            "seen": lambda v: right.seen(v) * v["sigma"]
        }),
        ("GradientSquared", "The curvature is the squared gradient.", {"seen": lambda v: np.mean(v["grad"] ** 2, 0)}),
        ("ProductOfMeans", "The curvature is the mean gradient times the mean of the noise.", {"seen": apart}),
    )  # fmt: skip
    own = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    return (*own, *_newtons(right), *_common(right))


def vadam(right: Any) -> tuple[Bug, ...]:
    """Those of Vadam."""

    def under_root(v: Values) -> Any:
        first = v["first"] / (1.0 - v["beta1"] ** v["count"])
        second = v["curvature"] / (1.0 - v["beta2"] ** v["count"])
        return v["mean"] - v["learning_rate"] * first / np.sqrt(second + v["delta"])

    def uncorrected(v: Values) -> Any:
        return right.mean(v | {"curvature": v["curvature"] * (1.0 - v["beta2"] ** v["count"])})

    def corrected_law(v: Values) -> Any:
        return right.scale(v | {"curvature": v["curvature"] / (1.0 - v["beta2"] ** v["count"])})

    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("SquareOfMean", "The square is that of the mean gradient.", {"seen": lambda v: np.mean(v["grad"], 0) ** 2}),
        ("DeltaUnderRoot", "The prior's share stands under the root.", {"mean": under_root}),
        ("SquaresUncorrected", "The running mean of squares is not divided by 1 - beta2^t.", {"mean": uncorrected}),
        ("LawOfCorrected", "The law is that of the corrected mean of squares.", {"scale": corrected_law}),
        ("StartForgotten", "The law lacks the precision with which it started.", {
            "scale": lambda v: right.scale(v | {"first_precision": 0.0})
        }),
        ("StartNotFading", "The precision with which the law started does not fade.", {
            "scale": lambda v: right.scale(v | {"first_precision": v["first_precision"] / v["beta2"] ** v["count"]})
        }),
        ("DecayMissing", "The prior does not pull at the mean.", {
            "first": lambda v: right.first(v | {"delta": 0.0})
        }),
    )  # fmt: skip
    own = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    return (*own, *_common(right))


def vogn(right: Any) -> tuple[Bug, ...]:
    """Those of VOGN."""
    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("SquareOfMean", "The square is that of the mean gradient.", {
            "seen": lambda v: np.mean(_of_draws(v) ** 2, axis=0)
        }),
        ("SquaresSummed", "The squares are added over the batch, not averaged.", {
            "seen": lambda v: right.seen(v) * v["grad"].shape[1]
        }),
        ("GradientsSummed", "The gradients are added over the batch, not averaged.", {
            "first": lambda v: right.first(v | {"grad": v["grad"] * v["grad"].shape[1]})
        }),
        ("FirstExampleOnly", "The squares are those of one example.", {
            "seen": lambda v: right.seen(v | {"grad": v["grad"][:, :1]})
        }),
    )  # fmt: skip
    own = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    return (*own, *_newtons(right), *_common(right))
