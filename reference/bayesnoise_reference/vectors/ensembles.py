"""Deep ensembles: the mixture that given members make, for a number and for a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference.vectors import ensemble_classes
from bayesnoise_reference.vectors.ensemble_rules import Rule, Together, densities, mean_of
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic


def _normal(v: Values) -> Any:
    """The log-likelihood of each member, `(m, n)`."""
    return -((v["target"] - v["means"]) ** 2) / (2.0 * v["variances"]) - np.log(2.0 * np.pi * v["variances"]) / 2.0


def _epistemic(v: Values) -> Any:
    return np.var(v["means"], axis=0)


def _aleatoric(v: Values) -> Any:
    return np.mean(v["variances"], axis=0)


def _total(v: Values) -> Any:
    return _aleatoric(v) + _epistemic(v)


_RIGHT = Together({
    "mean": lambda v: np.mean(v["means"], axis=0),
    "aleatoric_variance": _aleatoric,
    "epistemic_variance": _epistemic,
    "variance": _total,
    "log_density": lambda v: mean_of(_normal(v)),
})  # fmt: skip


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(101)

    def make(m: int, n: int, **others: Any) -> Values:
        drawn = {"means": dyadic(rng, m, n), "variances": 2.0 ** rng.integers(-4, 3, (m, n)), "target": dyadic(rng, n)}
        return {name: np.asarray(value, dtype=np.float64) for name, value in (drawn | others).items()}

    far, alike, agreed = make(3, 4), make(3, 2), make(3, 3)
    far["target"] = np.array([-120.0, 90.0, 250.0, -60.0])
    alike = {name: np.repeat(value[:1], 3, axis=0) if name != "target" else value for name, value in alike.items()}
    agreed["variances"] /= 1024.0
    agreed |= {"means": 4096.0 + dyadic(rng, 3, 3, spread=0.125), "target": 4096.0 + dyadic(rng, 3, spread=0.125)}
    narrow = make(
        3, 3, means=np.array([[0.5, -1.0, 2.0], [0.0, 1.0, 2.0], [1.0, 3.0, 2.0]]), target=np.array([1.0, 3.0, 2.0])
    )
    narrow["variances"] = 2.0 ** np.array([[-20.0, -20.0, -20.0], [-20.0, -20.0, 0.0], [0.0, 20.0, 20.0]])
    return (
        Case("five members, three examples", ("Ordinary",), make(5, 3)),
        Case("two members, one example", ("BatchOfOne",), make(2, 1)),
        Case("one member", ("OneMember",), make(1, 3)),
        Case("members that are alike", ("Ordinary",), alike),
        Case("targets far out", ("DensityUnderflows",), far),
        Case("variances from 2^-20 to 2^20", ("NarrowUnderflows",), narrow),
        Case("means near 4096 that differ little", ("Cancellation",), agreed),
    )


def _bugs() -> tuple[Bug, ...]:
    def spread(rule: Rule) -> dict[str, Rule]:
        return {"epistemic_variance": rule, "variance": lambda v: _aleatoric(v) + rule(v)}

    def averaged(v: Values) -> Any:
        return np.mean(np.sqrt(v["variances"]), axis=0) ** 2

    def matched(v: Values) -> Any:
        return _normal(v | {"means": np.mean(v["means"], axis=0), "variances": _total(v)})

    def square(v: Values) -> Any:
        return np.mean(v["means"] ** 2, axis=0) - np.mean(v["means"], axis=0) ** 2

    changes: tuple[tuple[str, str, dict[str, Rule]], ...] = (
        ("FirstMember", "The prediction is that of the first member.", {
            "mean": lambda v: v["means"][0], "log_density": lambda v: _normal(v)[0]
        }),
        ("MembersNotAveraged", "The members are summed in the place of their mean.", {
            "mean": lambda v: np.sum(v["means"], axis=0)
        }),
        ("Medians", "Medians over the members stand in the place of means.", {
            "mean": lambda v: np.median(v["means"], axis=0)
        }),
        ("SpreadMissing", "The variance lacks the spread of the means.", {"variance": _aleatoric}),
        ("NoiseOfTargetsMissing", "The variance lacks the mean of the variances.", {"variance": _epistemic}),
        ("SpreadUnbiased", "The spread is divided by one less than the number of members.", spread(
            lambda v: np.var(v["means"], axis=0, ddof=1)
        )),
        ("SpreadBySquares", "The spread is a mean of squares less a square.", spread(square)),
        ("DeviationsAveraged", "Standard deviations are averaged in the place of variances.", {
            "aleatoric_variance": averaged, "variance": lambda v: averaged(v) + _epistemic(v)
        }),
        ("SecondMomentOfMixture", "The second moment is given as the variance.", {
            "variance": lambda v: np.mean(v["variances"] + v["means"] ** 2, axis=0)
        }),
        ("VarianceOfTheMean", "The variance is divided by the number of members.", {
            "variance": lambda v: _total(v) / len(v["means"])
        }),
        ("PartsSwapped", "The aleatoric and the epistemic part stand in each other's place.", {
            "aleatoric_variance": _epistemic, "epistemic_variance": _aleatoric
        }),
        ("MomentsMatched", "The density is that of the normal law with the moments of the mixture.", {
            "log_density": matched
        }),
        *densities(_normal),
        ("DensityWithoutConstant", "The density lacks its factor 1 / sqrt(2 pi).", {
            "log_density": lambda v: mean_of(_normal(v)) + np.log(2.0 * np.pi) / 2.0
        }),
    )  # fmt: skip
    return tuple(_RIGHT.bug(*change) for change in changes)


def ensembles() -> Family:
    """The two mixtures."""
    conventions = {
        "shapes": "means, variances (M, n): those that each of M members predicts for n examples; target (n,)",
        "mean": "the mean of means[m] over m",
        "aleatoric_variance": "the mean of variances[m]",
        "epistemic_variance": "the mean of (means[m] - mean)^2, divided by M and not by M - 1",
        "variance": "aleatoric_variance + epistemic_variance, the variance of the mixture",
        "log_density": "log of the mean over m of N(target; means[m], variances[m]), with every constant",
    }
    regression = Group("ensemble.regression", conventions, _RIGHT, _cases(), _bugs())
    source = "Lakshminarayanan, Pritzel, Blundell 2017, arXiv 1612.01474, section 2.4"
    return Family("deep_ensemble", source, (regression, ensemble_classes.group()))
