"""Known bugs of linear regression in closed form and of the bound of independent weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference.vectors.records import Values

Rule: TypeAlias = Callable[[Values], Any]
Found: TypeAlias = tuple[str, str, Any]  # the flag, the sentence, the definition

_GIVEN: tuple[tuple[str, str, Rule], ...] = (
    ("PriorVarianceAsScale", "The prior's scale is taken for a variance.", lambda v: {
        "prior_scale": np.sqrt(v["prior_scale"])
    }),
    ("PriorPrecisionAsScale", "The prior's scale is taken for a precision.", lambda v: {
        "prior_scale": v["prior_scale"] ** -0.5
    }),
    ("PriorOfFirstWeight", "The prior of the first weight serves all weights.", lambda v: {
        "prior_scale": v["prior_scale"][0] + 0.0 * v["prior_scale"]
    }),
    ("NoiseVarianceAsScale", "The noise's scale is taken for a variance.", lambda v: {
        "noise_scale": np.sqrt(v["noise_scale"])
    }),
    ("NoisePrecisionAsScale", "The noise's scale is taken for a precision.", lambda v: {
        "noise_scale": v["noise_scale"] ** -0.5
    }),
)  # fmt: skip


def _averaged(v: Values) -> Values:
    root = np.sqrt(max(1, len(v["x"])))
    return v | {"x": v["x"] / root, "y": v["y"] / root}


def _centered(v: Values) -> Values:
    return v | {"y": v["y"] - (np.mean(v["y"], axis=0) if len(v["y"]) else 0.0)}


_DATA: tuple[tuple[str, str, Rule], ...] = (
    ("LikelihoodAveraged", "The likelihood is a mean over the examples, not a sum.", _averaged),
    ("LastExampleMissing", "The last example is left out.", lambda v: v | {"x": v["x"][:-1], "y": v["y"][:-1]}),
    ("TargetsCentered", "The mean of the targets is taken from them first.", _centered),
)


def _spread(v: Values) -> Any:
    return np.sum(v["new"] @ v["covariance"] * v["new"], axis=1)


def _at_mean(v: Values) -> Any:
    rest = (v["y"] - v["x"] @ v["mean"]) / v["noise_scale"]
    return -0.5 * np.sum(rest**2 + np.log(2.0 * np.pi * v["noise_scale"] ** 2))


def _no_determinant(v: Values) -> Any:
    n, k = v["y"].shape
    covariance = v["noise_scale"] ** 2 * np.eye(n) + (v["x"] * v["prior_scale"] ** 2) @ v["x"].T
    return v["log_evidence"] + 0.5 * k * np.linalg.slogdet(covariance)[1]


def _unseen_dropped(v: Values) -> Any:
    seen = np.linalg.pinv(v["x"]) @ v["x"]
    return seen @ v["covariance"] @ seen


def _transposed(v: Values) -> Any:
    """Neither the transpose nor the order of the factors of the precision is right."""
    p = v["prior_scale"]
    root = np.linalg.inv(np.linalg.cholesky(np.linalg.inv(v["covariance"] / np.outer(p, p))))
    return v["mean"] + p[:, None] * (root @ v["eps"])


def _rootless(v: Values) -> Any:
    return v["mean"] + v["covariance"] / v["prior_scale"] @ v["eps"]


def _reversed(v: Values) -> Any:
    """From the prior to the law."""
    (d, k), inverse, square = v["mean"].shape, np.linalg.inv(v["covariance"]), v["prior_scale"] ** 2
    spread = np.sum(np.diag(inverse) * square) - d + np.linalg.slogdet(v["covariance"])[1] - np.sum(np.log(square))
    return 0.5 * (k * spread + np.sum(v["mean"] * (inverse @ v["mean"])))


_EVERY: tuple[tuple[str, str, dict[str, Rule]], ...] = (
    ("MeanNotDividedByNoise", "The mean lacks the division by the variance of the noise.", {
        "mean": lambda v: v["mean"] * v["noise_scale"] ** 2
    }),
    ("PredictionNoiseTwice", "The variance of a prediction has that of the noise twice.", {
        "predictive_variance": lambda v: _spread(v) + 2.0 * v["noise_scale"] ** 2
    }),
    ("PredictionNoiseMissing", "The variance of a prediction lacks that of the noise.", {
        "predictive_variance": _spread
    }),
    ("PredictionNoiseUnsquared", "The scale of the noise is added to a variance, not its square.", {
        "predictive_variance": lambda v: _spread(v) + v["noise_scale"]
    }),
    ("EvidenceConstantMissing", "The evidence lacks the constant of the normal density.", {
        "log_evidence": lambda v: v["log_evidence"] + 0.5 * v["y"].size * np.log(2.0 * np.pi)
    }),
    ("EvidenceDeterminantMissing", "The evidence lacks its determinant.", {"log_evidence": _no_determinant}),
    ("EvidenceAtMean", "The evidence is the likelihood of the mean weights.", {"log_evidence": _at_mean}),
    ("EvidenceAveraged", "The evidence is divided by the number of examples.", {
        "log_evidence": lambda v: v["log_evidence"] / max(1, len(v["y"]))
    }),
    ("EvidencePriorConstantMissing", "The evidence lacks the constant of the prior's density.", {
        "log_evidence": lambda v: v["log_evidence"] + v["y"].shape[1] * np.sum(np.log(v["prior_scale"]))
    }),
    ("KLWithoutMean", "The KL does not see how far the means are from the prior.", {
        "kl": lambda v: v["kl"] - 0.5 * np.sum((v["mean"] / v["prior_scale"][:, None]) ** 2)
    }),
    ("KLMeanOfParameters", "The KL is a mean over the parameters, not a sum.", {
        "kl": lambda v: v["kl"] / v["mean"].size
    }),
    ("KLReversed", "The KL is that from the prior to the law.", {"kl": _reversed}),
)  # fmt: skip

_POSTERIOR: tuple[tuple[str, str, dict[str, Rule]], ...] = (
    ("MarginalsOnly", "The parameters have their own variances, and no covariances.", {
        "covariance": lambda v: np.diag(np.diag(v["covariance"]))
    }),
    ("UnseenDirectionsDropped", "Directions without data have no variance, where the prior has one.", {
        "covariance": _unseen_dropped
    }),
    ("PrecisionForCovariance", "The precision is given as the covariance.", {
        "covariance": lambda v: np.linalg.inv(v["covariance"])
    }),
    ("Jitter", "A millionth is added to the diagonal of the covariance.", {
        "covariance": lambda v: v["covariance"] + 1e-6 * np.eye(len(v["covariance"]))
    }),
    ("RootMissing", "A matrix multiplies the noise in the place of its root.", {"draw": _rootless}),
    ("RootNotTransposed", "The triangular root of the precision is inverted, and not transposed.", {
        "draw": _transposed
    }),
    ("DrawWithoutMean", "The mean of the law is left out of its draws.", {
        "draw": lambda v: v["draw"] - v["mean"]
    }),
)  # fmt: skip


def _of_marginals(v: Values) -> Any:
    return np.diag(np.diag(v["posterior"]))


def _alone(v: Values) -> Any:
    """Each weight as if it were the only one."""
    return np.diag(v["covariance"])[:, None] * (v["x"].T @ v["y"]) / v["noise_scale"] ** 2


def _gap_reversed(v: Values) -> Any:
    trace = np.sum(np.diag(v["posterior"]) / np.diag(v["covariance"]))
    return 0.5 * v["y"].shape[1] * (trace - len(v["posterior"])) - v["gap"]


_MEAN_FIELD: tuple[tuple[str, str, dict[str, Rule]], ...] = (
    ("ScalesOfPosterior", "The scales are those of the weights in the posterior.", {"covariance": _of_marginals}),
    ("ScaleWithoutRoot", "The scale is one over the precision, not over its root.", {
        "scale": lambda v: np.diag(v["covariance"])
    }),
    ("OneWeightAtATime", "The mean of each weight is found as if it were the only one.", {"mean": _alone}),
    ("BoundIsEvidence", "The bound of independent weights is given as the evidence itself.", {
        "elbo": lambda v: v["log_evidence"]
    }),
    ("BoundWithoutKL", "The divergence is not taken from the bound.", {"elbo": lambda v: v["elbo"] + v["kl"]}),
    ("BoundAtMean", "The bound has the likelihood of the mean weights, not the expected one.", {
        "elbo": lambda v: _at_mean(v) - v["kl"]
    }),
    ("GapNotHalved", "The gap lacks its factor 1/2.", {"gap": lambda v: 2.0 * v["gap"]}),
    ("GapSign", "The gap has the wrong sign.", {"gap": lambda v: -v["gap"]}),
    ("GapReversed", "The gap is the divergence from the posterior to the law.", {"gap": _gap_reversed}),
    ("GapToPrior", "The gap is the divergence to the prior.", {"gap": lambda v: v["kl"]}),
)  # fmt: skip


def _changed(flag: str, sentence: str, rule: Rule) -> tuple[str, str, dict[str, Any]]:
    return flag, sentence, {"given": lambda v: v | rule(v)}


def of_law(right: Any) -> Iterator[Found]:
    """Of a law and what it predicts."""
    own = _POSTERIOR if right.kind == "posterior" else _MEAN_FIELD
    for flag, sentence, change in (_changed(*bug) for bug in (*_GIVEN, *_DATA)):
        yield flag, sentence, replace(right, **change)
    for flag, sentence, rules in (*_EVERY, *own):
        yield flag, sentence, replace(right, rules=rules)


def of_bound(right: Any) -> Iterator[Found]:
    """Of the bound of a given law."""
    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        *(_changed(*bug) for bug in (*_GIVEN, *_DATA)),
        ("ScaleAsVariance", "The scale is used as a variance.", {
            "given": lambda v: v | {"q_scale": np.sqrt(v["q_scale"])}
        }),
        ("BoundWithoutKL", "The divergence is not taken from the bound.", {
            "likelihood": lambda v: right.likelihood(v) + right.divergence(v)
        }),
        ("BoundAtMean", "The bound has the likelihood of the mean weights, not the expected one.", {
            "likelihood": lambda v: right.likelihood(v | {"q_scale": 1e-100 + 0.0 * v["q_scale"]})
        }),
        ("BoundConstantMissing", "The bound lacks the constant of the normal density.", {
            "likelihood": lambda v: right.likelihood(v) + 0.5 * v["y"].size * np.log(2.0 * np.pi)
        }),
        ("BoundSign", "The bound is given as a loss, with the opposite sign of its gradients.", {
            "by_mean": lambda v, grad: -grad, "by_scale": lambda v, grad: -grad
        }),
        ("GradientByLogarithm", "The gradient is by the logarithm of the scale.", {
            "by_scale": lambda v, grad: v["q_scale"] * grad
        }),
        ("GradientByVariance", "The gradient is by the variance.", {
            "by_scale": lambda v, grad: grad / (2.0 * v["q_scale"])
        }),
        ("GradientWithoutPrior", "The prior does not pull at the mean.", {
            "by_mean": lambda v, grad: grad + v["q_mean"] / v["prior_scale"][:, None] ** 2
        }),
    )  # fmt: skip
    for flag, sentence, change in changes:
        yield flag, sentence, replace(right, **change)
