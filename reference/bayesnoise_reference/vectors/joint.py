"""SLANG: a draw of a joint Gaussian law from given noise, its exact covariance, and a step from given gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference import slang as definitions
from bayesnoise_reference._typing import Array
from bayesnoise_reference.slang import JointLaw
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic

Rule: TypeAlias = Callable[[Values], Any]


def _law(v: Values) -> JointLaw:
    return JointLaw(v["mean"], v["factor"] @ v["factor"].T, v["diagonal"])


def _covariance(v: Values) -> Array:
    return definitions.covariance(_law(v), float(v["examples"]))


def _slang_draw(v: Values) -> Array:
    return definitions.draw(_law(v), v["eps"], float(v["examples"]))


def _kl(v: Values) -> Any:
    """To independent N(0, prior_scale^2), with every matrix written out."""
    matrix, variance = v["covariance"], v["prior_scale"] ** 2
    spread = (np.trace(matrix) + v["mean"] @ v["mean"]) / variance
    return 0.5 * (spread - len(matrix) + len(matrix) * np.log(variance) - np.linalg.slogdet(matrix)[1])


def _fisher(v: Values) -> Array:
    return np.asarray(sum(np.outer(g, g) for g in v["grad"]) / len(v["grad"]))


def _low_rank(v: Values) -> Array:
    whole = (1.0 - v["beta"]) * v["factor"] @ v["factor"].T + v["beta"] * v["fisher"]
    return definitions.best_of_rank(whole, v["factor"].shape[1])


def _diagonal(v: Values) -> Array:
    """What the diagonal of the precision would be without the truncation, less that of the low-rank part."""
    before = np.diag(_law(v).low_rank) + v["diagonal"]
    wanted = (1.0 - v["beta"]) * before + v["beta"] * (np.diag(v["fisher"]) + v["delta"])
    return np.asarray(wanted - np.diag(v["low_rank"]))


def _moved(v: Values) -> Array:
    gradient = np.mean(v["grad"], axis=0) + v["delta"] * v["mean"]
    precision = v["low_rank"] + np.diag(v["next"])
    return np.asarray(v["mean"] - v["learning_rate"] * np.linalg.solve(precision, gradient))


@dataclass(frozen=True)
class Joint:
    """SLANG: what its law is, and one step."""

    draw: Rule = _slang_draw
    covariance: Rule = _covariance
    kl: Rule = _kl
    fisher: Rule = _fisher
    low_rank: Rule = _low_rank
    diagonal: Rule = _diagonal
    mean: Rule = _moved

    def __call__(self, inputs: Values) -> Values:
        known = inputs | {"delta": 1.0 / (inputs["examples"] * inputs["prior_scale"] ** 2)}
        known |= {"covariance": self.covariance(inputs), "fisher": self.fisher(inputs)}
        known |= {"low_rank": self.low_rank(known)}
        known |= {"next": self.diagonal(known)}
        return {
            "draw": self.draw(inputs),
            "covariance": known["covariance"],
            "kl": self.kl(known),
            "next_mean": self.mean(known),
            "next_low_rank": known["low_rank"],
            "next_diagonal": known["next"],
        }


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(82)

    def make(n: int, rank: int, batch: int, **others: Any) -> Values:
        values = {
            "mean": dyadic(rng, n),
            "factor": dyadic(rng, n, rank),
            "diagonal": np.abs(dyadic(rng, n)) + 0.25,
            "eps": dyadic(rng, n),
            "grad": dyadic(rng, batch, n),
            "learning_rate": 0.125,
            "beta": 0.25,
            "examples": 64.0,
            "prior_scale": 0.5,
        }
        return {name: np.asarray(value, dtype=np.float64) for name, value in (values | others).items()}

    fresh = make(4, 2, 3, factor=np.zeros((4, 2)), diagonal=np.full(4, 1.5))
    return (
        Case("four numbers, two columns, three examples", ("Ordinary",), make(4, 2, 3)),
        Case("three numbers, one column", ("Ordinary",), make(3, 1, 4, examples=256.0, prior_scale=2.0)),
        Case("as many columns as numbers: nothing is truncated", ("Ordinary",), make(3, 3, 2, examples=4.0)),
        Case("one example", ("BatchOfOne",), make(4, 2, 1)),
        Case("no low-rank part yet", ("FirstStep",), fresh),
        Case("no noise", ("NoNoise",), make(3, 2, 2, eps=np.zeros(3))),
        Case("the gradients are zero", ("NoGradient",), make(3, 2, 2, grad=np.zeros((2, 3)))),
    )


def slang() -> Family:
    """A draw, the law, and a step."""
    right = Joint()

    def law(matrix: Rule) -> dict[str, Any]:
        """Another covariance, and the draw by its symmetric root."""

        def draw(v: Values) -> Any:
            values, vectors = np.linalg.eigh(matrix(v))
            return v["mean"] + vectors @ (np.sqrt(np.abs(values)) * (vectors.T @ v["eps"]))

        return {"covariance": matrix, "draw": draw}

    def in_covariance(v: Values) -> Any:
        return (v["factor"] @ v["factor"].T + np.diag(1.0 / v["diagonal"])) / v["examples"]

    def marginals(v: Values) -> Any:
        return np.diag(np.diag(_covariance(v)))

    def rootless(v: Values) -> Any:
        return v["mean"] + _covariance(v) @ v["eps"]

    def of_sum(v: Values) -> Any:
        g = np.mean(v["grad"], axis=0)
        return np.outer(g, g)

    def by_diagonal(v: Values) -> Any:
        return v["mean"] - v["learning_rate"] * (np.mean(v["grad"], axis=0) + v["delta"] * v["mean"]) / v["next"]

    def unscaled(v: Values) -> Values:
        return v | {"delta": v["delta"] * v["examples"]}

    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("NoLowRank", "The low-rank part of the law is left out of its draws and its covariance.", law(
            lambda v: np.diag(1.0 / (v["examples"] * v["diagonal"]))
        )),
        ("FactorInCovariance", "The factor of the precision is added to the covariance.", law(in_covariance)),
        ("MarginalsOnly", "The parameters have their own variances, and no covariances.", law(marginals)),
        ("ExamplesForgotten", "The precision of the law is not multiplied by the number of examples.", {
            "covariance": lambda v: _covariance(v) * v["examples"],
            "draw": lambda v: v["mean"] + (_slang_draw(v) - v["mean"]) * np.sqrt(v["examples"]),
        }),
        ("RootMissing", "A matrix multiplies the noise in the place of its root.", {"draw": rootless}),
        ("DrawWithoutMean", "The mean of the law is left out of its draws.", {
            "draw": lambda v: _slang_draw(v) - v["mean"]
        }),
        ("KLWithoutMean", "The KL does not see how far the means are from the prior.", {
            "kl": lambda v: _kl(v | {"mean": 0.0 * v["mean"]})
        }),
        ("KLMeanOfParameters", "The KL is a mean over the parameters, not a sum.", {
            "kl": lambda v: _kl(v) / len(v["mean"])
        }),
        ("KLOfMarginals", "The KL is that of the marginals: the determinant lacks the covariances.", {
            "kl": lambda v: _kl(v | {"covariance": marginals(v)})
        }),
        ("KLPriorVarianceAsScale", "The prior's scale is used as its variance.", {
            "kl": lambda v: _kl(v | {"prior_scale": np.sqrt(v["prior_scale"])})
        }),
        ("SquareOfMean", "The square is that of the mean gradient.", {"fisher": of_sum}),
        ("FisherSummed", "The outer products are added over the batch, not averaged.", {
            "fisher": lambda v: _fisher(v) * len(v["grad"])
        }),
        ("BetaReversed", "beta is the share of what was, not of what is new.", {
            "low_rank": lambda v: _low_rank(v | {"beta": 1.0 - v["beta"]}),
            "diagonal": lambda v: _diagonal(v | {"beta": 1.0 - v["beta"]}),
        }),
        ("RestForgotten", "The diagonal does not take up what the truncation leaves.", {
            "diagonal": lambda v: (1.0 - v["beta"]) * v["diagonal"] + v["beta"] * v["delta"]
        }),
        ("PriorNotInDiagonal", "The precision of the prior does not enter the diagonal.", {
            "diagonal": lambda v: _diagonal(v | {"delta": 0.0})
        }),
        ("DecayMissing", "The prior does not pull at the mean.", {"mean": lambda v: _moved(v | {"delta": 0.0})}),
        ("StepByDiagonal", "The mean moves by the diagonal alone.", {"mean": by_diagonal}),
        ("StepByOldPrecision", "The mean moves by the precision before the step.", {
            "mean": lambda v: _moved(v | {"low_rank": _law(v).low_rank, "next": v["diagonal"]})
        }),
        ("StepSign", "The mean moves up the gradient.", {"mean": lambda v: 2.0 * v["mean"] - _moved(v)}),
        ("PriorUnscaled", "The precision of the prior is not divided by the number of examples.", {
            "diagonal": lambda v: _diagonal(unscaled(v)), "mean": lambda v: _moved(unscaled(v))
        }),
    )  # fmt: skip
    bugs = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    conventions = {
        "state": "mean (n,), factor U (n, r), diagonal d (n,), above zero; examples is their number N; the prior of "
        "every number is N(0, prior_scale^2); delta = 1 / (N prior_scale^2)",
        "covariance": "of the law: inverse(N (U U' + diag(d)))",
        "draw": "mean + D^-1/2 (I + V V')^-1/2 eps / sqrt(N), D = diag(d), V = D^-1/2 U, with the symmetric "
        "root; leave it out if you have another root A of the covariance, and hold A A' to that",
        "kl": "of the law to the prior: (trace C + |mean|^2) / (2 prior_scale^2) - n / 2 + n log(prior_scale) - "
        "log(det C) / 2 with the covariance C; counted once, not divided by anything",
        "grad": "(m, n), given: the gradient of the loss of each of m examples; G = sum_i grad_i grad_i' / m",
        "next_low_rank": "the matrix U U' after the step: of R = (1 - beta) U U' + beta G, the sum over its r largest "
        "eigenvalues of eigenvalue * eigenvector eigenvector'",
        "next_diagonal": "d after the step: (1 - beta) d + beta delta + diagonal(R - next_low_rank)",
        "next_mean": "mean - learning_rate P^-1 (sum_i grad_i / m + delta mean), P = next_low_rank + "
        "diag(next_diagonal)",
    }
    group = Group("optimizer.slang", conventions, right, _cases(), bugs)
    return Family("slang", "Mishkin et al. 2018, arXiv 1811.04504", (group,))
