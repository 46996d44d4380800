"""SWAG: the moments of given iterates, and a draw of the law that they make from given noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference import swag as moments
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic

Rule: TypeAlias = Callable[[Values], Any]


def _mean(v: Values) -> Array:
    return moments.mean_and_variance(v["iterates"])[0]


def _variance(v: Values) -> Array:
    return moments.mean_and_variance(v["iterates"])[1]


def _deviations(v: Values) -> Array:
    return moments.deviations(v["iterates"], int(v["rank"])).T


def _swag_draw(v: Values) -> Array:
    """Of what is known of the moments: the law's two parts, the deviations divided by one less than their number."""
    low_rank = v["z2"] @ v["deviations"] / np.sqrt(2.0 * (len(v["deviations"]) - 1))
    return np.asarray(v["mean"] + np.sqrt(v["variance"] / 2.0) * v["z1"] + low_rank)


@dataclass(frozen=True)
class Iterates:
    """SWAG: three moments, and a draw from them."""

    mean: Rule = _mean
    variance: Rule = _variance
    deviations: Rule = _deviations
    draw: Rule = _swag_draw

    def __call__(self, inputs: Values) -> Values:
        found = {name: getattr(self, name)(inputs) for name in ("mean", "variance", "deviations")}
        return found | {"draw": self.draw(inputs | found)}


def _swag_cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(81)

    def make(count: int, d: int, rank: int, far: float = 0.0, spread: float = 1.0) -> Values:
        return {
            "iterates": far + dyadic(rng, count, d, spread=spread),
            "rank": np.array(float(rank)),
            "z1": dyadic(rng, d),
            "z2": dyadic(rng, min(count, rank)),
        }

    silent = make(4, 3, 2)
    silent |= {name: np.zeros_like(silent[name]) for name in ("z1", "z2")}
    still = make(4, 3, 2)
    still["iterates"][:, 1] = still["iterates"][0, 1]
    return (
        Case("five iterates of three numbers, two deviations", ("Ordinary",), make(5, 3, 2)),
        Case("eight iterates of two numbers, three deviations", ("Ordinary",), make(8, 2, 3)),
        Case("fewer iterates than deviations", ("FewIterates",), make(3, 4, 5)),
        Case("two iterates", ("FewIterates",), make(2, 2, 2)),
        Case("no noise", ("NoNoise",), silent),
        Case("one number never moves", ("Ordinary",), still),
        Case("iterates that move little beside their size", ("Cancellation",), make(8, 3, 3, 64.0)),
    )


def swag() -> Family:
    """The moments of iterates, and a draw."""
    right = Iterates()

    def scaled(wide: float = 0.5, low: float = 0.5, more: int = -1) -> Rule:
        def draw(v: Values) -> Any:
            rows = v["deviations"]
            share = np.sqrt(low / (len(rows) + more))
            return v["mean"] + np.sqrt(wide * v["variance"]) * v["z1"] + share * (v["z2"] @ rows)

        return draw

    def by_variance(v: Values) -> Any:
        return _swag_draw(v | {"variance": v["variance"] ** 2 / 2.0})

    def marginals(v: Values) -> Any:
        spread = v["variance"] / 2.0 + np.sum(v["deviations"] ** 2, axis=0) / (2.0 * (len(v["deviations"]) - 1))
        return v["mean"] + np.sqrt(spread) * v["z1"]

    def from_last_mean(v: Values) -> Any:
        return (v["iterates"] - v["iterates"].mean(axis=0))[-int(v["rank"]) :]

    def from_mean_before(v: Values) -> Any:
        rows = [row - v["iterates"][: max(i, 1)].mean(axis=0) for i, row in enumerate(v["iterates"])]
        return np.stack(rows[-int(v["rank"]) :])

    def first_ones(v: Values) -> Any:
        return moments.deviations(v["iterates"], len(v["iterates"])).T[: int(v["rank"])]

    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("DiagonalNotHalved", "The diagonal part of a draw lacks its factor 1/2.", {"draw": scaled(wide=1.0)}),
        ("LowRankNotHalved", "The low-rank part of a draw lacks its factor 1/2.", {"draw": scaled(low=1.0)}),
        ("DividedByRank", "The deviations are divided by their number, not by one less.", {"draw": scaled(more=0)}),
        ("NoDiagonal", "The diagonal part of the law is left out of a draw.", {"draw": scaled(wide=0.0)}),
        ("NoLowRank", "The low-rank part of the law is left out of a draw.", {"draw": scaled(low=0.0)}),
        ("MarginalsOnly", "The parameters have their own variances, and no covariances.", {"draw": marginals}),
        ("VarianceAsScale", "A variance multiplies the noise in the place of its root.", {"draw": by_variance}),
        ("DrawWithoutMean", "The mean of the law is left out of its draws.", {
            "draw": lambda v: _swag_draw(v) - v["mean"]
        }),
        ("SecondMoment", "The second moment stands in the place of the variance.", {
            "variance": lambda v: np.mean(v["iterates"] ** 2, axis=0)
        }),
        ("VarianceUnbiased", "The variance is divided by one less than the number of iterates.", {
            "variance": lambda v: np.var(v["iterates"], axis=0, ddof=1)
        }),
        ("SumOfSquares", "The variance is not divided by the number of iterates.", {
            "variance": lambda v: np.var(v["iterates"], axis=0) * len(v["iterates"])
        }),
        ("LastIterate", "The mean is the last iterate.", {"mean": lambda v: v["iterates"][-1]}),
        ("DeviationsFromLastMean", "The deviations are those from the mean of all iterates.", {
            "deviations": from_last_mean
        }),
        ("DeviationsFromMeanBefore", "The deviations are those from the mean before the iterate was taken in.", {
            "deviations": from_mean_before
        }),
        ("FirstDeviations", "The first deviations are kept, not the last.", {"deviations": first_ones}),
        ("DeviationsReversed", "The newest deviation stands first: its noise is that of the oldest.", {
            "deviations": lambda v: _deviations(v)[::-1]
        }),
    )  # fmt: skip
    conventions = {
        "iterates": "(t, d), the oldest first, t at least 2",
        "mean": "of all iterates",
        "variance": "the mean over all iterates of (iterate - mean)^2",
        "deviations": "(K, d), K = min(t, rank): the last K of the rows iterates[i] - (mean of iterates[0], ..., "
        "iterates[i]), the oldest first",
        "draw": "mean + sqrt(variance / 2) z1 + (sum_k z2[k] deviations[k]) / sqrt(2 (K - 1)), z1 (d,), z2 (K,)",
    }
    bugs = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    group = Group("procedure.swag", conventions, right, _swag_cases(), bugs)
    return Family("swag", "Maddox et al. 2019, arXiv 1902.02476", (group,))
