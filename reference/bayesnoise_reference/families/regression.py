"""Bayesian linear regression in closed form, and the best law with independent weights.

The model is `y = x w + noise_scale e` with the prior `w_i ~ N(0, prior_scale_i^2)`, for `outputs` targets that share x
and the scales. `load` is given the data and the scales: `x (n, inputs)`, `y (n, outputs)`, both also without rows,
`noise_scale (1,)` and `prior_scale (1,)`, or `(inputs,)` where `prior_scales` is "each". The law of an "exact" one is
the posterior, that of a "mean_field" one the best Gaussian law whose weights are independent: the same mean, and
variances one over the diagonal of the precision. `sample(x)` gives `x w (m, outputs)` for one draw of all weights, and
`evaluate(x)` its mean. `kl` is the divergence from the law to the prior. Methods of this family alone, an array each:

    predictive_variance(x)   of a new target at each row, the noise included, (m,)
    covariance()             of the weights of one target under the law, (inputs, inputs)
    log_evidence()           the log density of y, one number
    elbo()                   the bound of the law, one number: the log evidence in an exact one
    gap()                    of a mean_field one: the divergence from its law to the posterior, one number

Noise, where it can be given, is `eps (inputs, outputs)`; a draw is linear in it, by whatever root of the covariance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from bayesnoise_reference import linear_regression_exact, rational
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.families._comparison import compared

KINDS = ("exact", "mean_field")
GRID = 64.0  # numbers are multiples of its reciprocal: short as fractions, and exact in float32


@dataclass(frozen=True, kw_only=True)
class Regression(Described):
    """A regression of a kind; `prior_scales` says whether weights share one scale. ValueError for what cannot be."""

    family: str = field(default="regression", init=False)
    kind: Literal["exact", "mean_field"]
    inputs: int = 3
    outputs: int = 1
    prior_scales: Literal["one", "each"] = "one"

    def __post_init__(self) -> None:
        for name, allowed in (("kind", KINDS), ("prior_scales", ("one", "each"))):
            if getattr(self, name) not in allowed:
                said = ", ".join(map(repr, allowed))
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected one of {said}")
        for name, least in (("inputs", 2), ("outputs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")

    @property
    def estimator(self) -> str:
        return self.kind

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (x_shape[0], self.outputs)


class Truth(NamedTuple):
    mean: Array  # (inputs, outputs)
    covariance: Array  # (inputs, inputs), of the law
    posterior: Array  # (inputs, inputs), the covariance of the posterior
    log_evidence: float
    elbo: float
    gap: float
    kl: float
    condition: float  # of the precision of the posterior, in units of the prior's


def truth(d: Regression, held: dict[str, Array]) -> Truth:
    """By conditioning the joint normal law of weights and data, in fractions."""
    prior = np.resize(held["prior_scale"], d.inputs)
    of = linear_regression_exact.conditioned(held["x"], held["y"], held["noise_scale"][0], prior)
    law = of.covariance if d.kind == "exact" else linear_regression_exact.independent(of)
    kl = linear_regression_exact.kl(of, law)
    elbo = linear_regression_exact.expected_log_likelihood(of, law) - kl
    gap = linear_regression_exact.divergence(law, of.covariance, 0 * of.mean)
    mean, covariance, posterior = (rational.floats(found) for found in (of.mean, law, of.covariance))
    condition = float(np.linalg.cond(posterior / np.outer(prior, prior)))
    return Truth(mean, covariance, posterior, of.log_evidence, elbo, gap, kl, condition)


@dataclass(frozen=True)
class RegressionTrial(Trial):
    """A trial of a linear regression."""

    @property
    def description(self) -> Regression:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Regression)
        return found

    def data(self, rows: int = 8, **given: Any) -> dict[str, Array]:
        """Correlated columns, targets linear in them, and scales below 1; what is given stands in their place."""
        d, rng = self.description, self.rng
        common = rng.uniform(0.5, 1.5, (rows, 1)) * rng.choice([-1.0, 1.0], (rows, 1))
        x = on_grid(common + 0.4 * rng.standard_normal((rows, d.inputs)))
        count = d.inputs if d.prior_scales == "each" else 1
        held = {"x": x, "noise_scale": rng.uniform(0.3, 0.5, 1)}
        held |= {"prior_scale": rng.permutation(np.geomspace(0.4, 0.8, count + 1)[1:])} | given
        w = rng.uniform(1.0, 2.0, (d.inputs, d.outputs)) * rng.choice([-1.0, 1.0], (d.inputs, d.outputs))
        y = held["x"] @ w + 0.5 * rng.standard_normal((len(held["x"]), d.outputs))
        return {"y": on_grid(y)} | held | {name: on_grid(held[name]) for name in held if name not in given}

    def load(self, rows: int = 8, **given: Any) -> tuple[dict[str, Array], Truth]:
        """Load data, and say what is true of them."""
        return self.take(self.data(rows, **given))

    def take(self, data: dict[str, Array]) -> tuple[dict[str, Array], Truth]:
        """Load these data."""
        held = self.guard.load(data)
        return held, truth(self.description, held)

    def new(self) -> Array:
        """New inputs: each weight alone, and three directions."""
        d = self.description
        return np.concatenate([np.eye(d.inputs), on_grid(self.rng.standard_normal((3, d.inputs)))])

    def weights(self) -> Array:
        """One draw of them, `(inputs, outputs)`."""
        return self.guard.sample(np.eye(self.description.inputs))

    def number(self, name: str) -> float:
        """The answer of a method that gives one."""
        return float(np.reshape(self.guard.ask(name), ()))

    def agree(self, pairs: dict[str, tuple[Array, Array]], true: Truth, what: str) -> Finding:
        """Each array against the truth, in roundings of its own largest number, as many as the condition allows."""
        found = [compared(self, {name: pair}, 64.0 * true.condition, what) for name, pair in pairs.items()]
        return next((finding for finding in found if finding.refuted), found[0])

    def predicted(self, true: Truth, held: dict[str, Array], what: str) -> Finding:
        """Means and variances at new inputs against the truth."""
        new = self.new()
        variance = np.sum(new @ true.covariance * new, axis=1) + held["noise_scale"][0] ** 2
        pairs = {
            "mean": (self.guard.evaluate(new), new @ true.mean),
            "variance": (self.guard.ask("predictive_variance", x=new), variance),
        }
        return self.agree(pairs, true, what)

    def equal(self, seen: float, right: float, held: dict[str, Array], what: str) -> Finding:
        """A sum over the data, to the rounding of its terms."""
        size = 1.0 + held["y"].size + float(np.sum(held["y"] ** 2)) / float(held["noise_scale"][0]) ** 2
        wrong = not abs(seen - right) <= 1024.0 * self.guard.eps * (size + self.description.inputs)
        return exact(wrong, f"{what} is {seen:.6g}; {right:.6g} is {'right' if wrong else 'expected'}", 1)


of_regression = ClaimsOf(("regression",), KINDS, RegressionTrial)


def on_grid(values: Array) -> Array:
    """The nearest multiples of 1/64."""
    return np.asarray(np.round(GRID * values) / GRID)
