"""Bayesian linear regression: the posterior, the best law with independent weights, and the bound of any such law."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference import linear_regression, rational
from bayesnoise_reference import linear_regression_exact as exact
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from bayesnoise_reference.vectors import regression_bugs
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic

Rule: TypeAlias = Callable[[Values], Any]

_SOURCE = "Bishop 2006, Pattern Recognition and Machine Learning, sections 3.3, 3.5 and 10.1.2"


def _draw(v: Values) -> Array:
    """By the root that is symmetric in units of the prior."""
    p = v["prior_scale"]
    values, vectors = np.linalg.eigh(v["covariance"] / np.outer(p, p))
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    return np.asarray(v["mean"] + p[:, None] * (root @ v["eps"]))


OUTPUTS: dict[str, Rule] = {
    "mean": lambda v: v["mean"],
    "covariance": lambda v: v["covariance"],
    "scale": lambda v: np.sqrt(np.diag(v["covariance"])),
    "draw": _draw,
    "predictive_mean": lambda v: v["new"] @ v["mean"],
    "predictive_variance": lambda v: np.sum(v["new"] @ v["covariance"] * v["new"], axis=1) + v["noise_scale"] ** 2,
    "log_evidence": lambda v: v["log_evidence"],
    "elbo": lambda v: v["elbo"],
    "gap": lambda v: v["gap"],
    "kl": lambda v: v["kl"],
}
_OF = {
    "posterior": ("mean", "covariance", "draw", "predictive_mean", "predictive_variance", "log_evidence", "kl"),
    "mean_field": ("mean", "scale", "predictive_variance", "log_evidence", "elbo", "gap", "kl"),
}


@dataclass(frozen=True)
class Regression:
    """A law and what it predicts, in the order of `OUTPUTS`; a bug sees other inputs, or has other rules."""

    kind: Literal["posterior", "mean_field"]
    given: Callable[[Values], Values] = dict
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def __call__(self, inputs: Values) -> Values:
        v = self.given(inputs)
        of = exact.conditioned(v["x"], v["y"], v["noise_scale"], v["prior_scale"])
        law = of.covariance if self.kind == "posterior" else exact.independent(of)
        kl = exact.kl(of, law)
        v = v | {"mean": rational.floats(of.mean), "covariance": rational.floats(law), "kl": np.asarray(kl)}
        v |= {"posterior": rational.floats(of.covariance), "log_evidence": np.asarray(of.log_evidence)}
        v |= {"elbo": np.asarray(exact.expected_log_likelihood(of, law) - kl)}
        v |= {"gap": np.asarray(exact.divergence(law, of.covariance, 0 * of.mean))}
        for name in (name for name in OUTPUTS if name in _OF[self.kind] or name == "covariance"):
            v |= {name: np.asarray(OUTPUTS[name](v))}
            v |= {name: np.asarray(self.rules[name](v))} if name in self.rules else {}
        return {name: v[name] for name in _OF[self.kind]}


def _expected(v: Values) -> Any:
    """The log-likelihood under the law that is given, by the definition of the bound, and the divergence."""
    return _bound(v) + _divergence(v)


def _bound(v: Values) -> Any:
    found: Any = 0.0
    for y, mean, scale in zip(v["y"].T, v["q_mean"].T, v["q_scale"].T, strict=True):
        problem = linear_regression.Problem(v["x"], y, float(v["noise_scale"]), v["prior_scale"])  # type: ignore[arg-type]
        found = found + linear_regression.elbo(problem, mean, scale)
    return found


def _divergence(v: Values) -> Any:
    ratio = v["q_scale"] / v["prior_scale"][:, None]
    shift = v["q_mean"] / v["prior_scale"][:, None]
    return np.sum((ratio**2 + shift**2 - 1.0) / 2.0 - np.log(ratio))


@dataclass(frozen=True)
class Bound:
    """Of given independent laws, with its gradients by complex step; a bug has another bound, or other gradients."""

    given: Callable[[Values], Values] = dict
    likelihood: Rule = _expected
    divergence: Rule = _divergence
    by_mean: Callable[[Values, Array], Any] = lambda v, grad: grad
    by_scale: Callable[[Values, Array], Any] = lambda v, grad: grad

    def _value(self, v: Values) -> Any:
        return self.likelihood(v) - self.divergence(v)

    def __call__(self, inputs: Values) -> Values:
        v = self.given(inputs)
        by_mean = complex_step(lambda at: self._value(v | {"q_mean": at}), v["q_mean"])
        by_scale = complex_step(lambda at: self._value(v | {"q_scale": at}), v["q_scale"])
        return {
            "elbo": np.asarray(self._value(v)),
            "kl": np.asarray(self.divergence(v)),
            "elbo_grad_q_mean": np.asarray(self.by_mean(v, by_mean)),
            "elbo_grad_q_scale": np.asarray(self.by_scale(v, by_scale)),
        }


def _data(rng: np.random.Generator, n: int, d: int, k: int, **others: Any) -> Values:
    """Correlated columns, targets of the size of the inputs, and new inputs, one of them zero."""
    common = np.sign(dyadic(rng, n, 1) + 1e-9)
    values = {
        "x": common + dyadic(rng, n, d, spread=0.5),
        "y": dyadic(rng, n, k) + 0.5,
        "noise_scale": 0.5,
        "prior_scale": 2.0 ** rng.integers(-2, 2, d) * 0.75,
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in (values | others).items()}


def _inputs(kind: str, rng: np.random.Generator, data: Values) -> Values:
    d, k = data["x"].shape[1], data["y"].shape[1]
    if kind == "bound":
        return data | {"q_mean": dyadic(rng, d, k), "q_scale": np.abs(dyadic(rng, d, k)) + 0.125}
    new = np.concatenate([dyadic(rng, 1, d), np.zeros((1, d))])
    return data | {"new": new} | ({"eps": dyadic(rng, d, k)} if kind == "posterior" else {})


def _cases(kind: str, seed: int) -> tuple[Case, ...]:
    rng = np.random.default_rng(seed)

    def make(comment: str, flag: str, n: int, d: int, k: int = 1, **others: Any) -> Case:
        dtypes = ("float64",) if flag == "OrthogonalColumns" else ("float64", "float32")
        return Case(comment, (flag,), _inputs(kind, rng, _data(rng, n, d, k, **others)), dtypes)

    zero, equal = _data(rng, 5, 3, 1)["x"] * np.array([1.0, 0.0, 1.0]), _data(rng, 4, 3, 1)["x"]
    equal[:, 1] = equal[:, 0]
    apart = np.tile(np.diag([1.0, 0.5, 2.0]), (2, 1)) * np.array([[1.0], [1.0], [1.0], [2.0], [0.5], [1.0]])
    far: dict[str, Any] = {"prior_scale": np.full(2, 64.0)}
    return (
        make("three examples, two weights", "Ordinary", 3, 2),
        make("four examples, three weights, two targets", "Ordinary", 4, 3, 2),
        make("one prior for all weights", "Ordinary", 6, 3, prior_scale=np.full(3, 0.5), noise_scale=0.25),
        make("one example", "BatchOfOne", 1, 2),
        make("fewer examples than weights", "FewerRows", 2, 4),
        make("no example", "NoData", 0, 2),
        make("a column of zeros", "ZeroColumn", 5, 3, x=zero),
        make("two equal columns", "EqualColumns", 4, 3, x=equal),
        make("orthogonal columns", "OrthogonalColumns", 6, 3, x=apart),
        make("little noise and a wide prior", "FarScales", 5, 2, noise_scale=2.0**-8, **far),
        make("much noise and a wide prior", "FarScales", 5, 2, noise_scale=128.0, **far),
    )


_CONVENTIONS = {
    "model": "y (n, k) = x (n, d) w + noise_scale e, e standard normal; prior w_i ~ N(0, prior_scale_i^2), prior_scale "
    "(d,), for each of the k targets, whose weights are independent. Both scales are standard deviations; n may be 0",
    "precision": "L = x' x / noise_scale^2 + diag(1 / prior_scale^2), (d, d)",
}
_SHARED = {
    "mean": "inverse(L) x' y / noise_scale^2, (d, k)",
    "predictive_variance": "(m,) of a new target at each row of new (m, d): diag(new C new') with C the covariance "
    "of the law, and noise_scale^2 once",
    "log_evidence": "the log density of y under N(0, noise_scale^2 I + x diag(prior_scale^2) x'), summed over targets",
    "kl": "of the law to the prior, summed over weights and targets",
}
_OWN = {
    "posterior": {
        "covariance": "C = inverse(L), the same for each target",
        "draw": "mean + diag(prior_scale) R eps, eps (d, k), R the symmetric root of C_ij / (prior_scale_i "
        "prior_scale_j); leave it out if you have another root A of C, and hold A A' to that",
        "predictive_mean": "new mean",
    },
    "mean_field": {
        "scale": "1 / sqrt(L_ii), (d,): the best Gaussian law with independent weights has these standard deviations "
        "and the mean of the posterior; C = diag(scale^2)",
        "elbo": "of that law: its expected log-likelihood less kl, over all targets",
        "gap": "log_evidence - elbo = k (sum_i log L_ii - log(det L)) / 2, the divergence of the law to the posterior",
    },
}
_OF_BOUND = {
    "elbo": "of the law with independent weights w_ij ~ N(q_mean_ij, q_scale_ij^2), q_mean and q_scale (d, k): the "
    "expected log-likelihood, sum over examples and targets of -log(2 pi noise_scale^2) / 2 - ((y - x q_mean)^2 + x^2 "
    "q_scale^2) / (2 noise_scale^2), less kl",
    "kl": "sum of (q_scale^2 + q_mean^2) / (2 prior_scale^2) - 1/2 - log(q_scale / prior_scale)",
    "elbo_grad_NAME": "the gradient of elbo by the input NAME, uphill",
}


def _family(name: str, seed: int, right: Any, conventions: dict[str, str], bugs: Iterable[Any]) -> Family:
    kind = right.kind if isinstance(right, Regression) else "bound"
    group = Group(f"linear_regression.{kind}", conventions, right, _cases(kind, seed), tuple(Bug(*bug) for bug in bugs))
    return Family(name, _SOURCE, (group,))


def _law(name: str, seed: int, right: Regression) -> Family:
    shared = {name: text for name, text in _SHARED.items() if name in _OF[right.kind]}
    conventions = _CONVENTIONS | shared | _OWN[right.kind]
    return _family(name, seed, right, conventions, regression_bugs.of_law(right))


def exact_posterior() -> Family:
    """The exact law of the weights."""
    return _law("linear_regression", 95, Regression("posterior"))


def mean_field() -> Family:
    """The best law with independent weights."""
    return _law("mean_field_regression", 96, Regression("mean_field"))


def bound() -> Family:
    """The bound of given independent laws, and its gradients."""
    conventions = {"model": _CONVENTIONS["model"]} | _OF_BOUND
    return _family("regression_bound", 97, Bound(), conventions, regression_bugs.of_bound(Bound()))
