"""Bayesian linear regression in closed form: `y = x w + noise_scale e`, with the prior `w ~ N(0, prior_scale^2)`.

Bishop 2006, "Pattern Recognition and Machine Learning", sections 3.3 (posterior and predictive law), 3.5 (evidence) and
10.1.2 (the best independent Gaussian). Random are the weights and e, independent and standard normal but for their
scales. With `x prior_scale = U diag(l) V'` and `a = (l / noise_scale)^2`, n examples and one target,

    log p(y) = -(n log(2 pi noise_scale^2) + sum log(1 + a) + (y'y - y'U diag(a / (1 + a)) U'y) / noise_scale^2) / 2

Among laws with independent weights the best one loses half of `sum log L_ii - log det L`, L the precision of the
posterior: the gap between the log evidence and its ELBO, which is the divergence from it to the posterior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

from bayesnoise import _checks, linear_law
from bayesnoise._typing import Array
from bayesnoise.divergences._constant import ConstantArray, constant, like
from bayesnoise.linear_law import LinearLaw, Spectrum


class Prediction(NamedTuple):
    mean: Array  # (m, k)
    variance: Array  # (m,), of each new target about its mean, the noise included


class MeanFieldGap(NamedTuple):
    log_evidence: Array  # ()
    elbo: Array  # (), of the best law with independent weights
    gap: Array  # (), the difference, from the two determinants: nothing cancels


@dataclass(frozen=True)
class LinearGaussian:
    """The model: the standard deviation of the noise, and that of the prior, a number or an array `(d,)` by value.

    Its methods take `x (n, d)` and `y (n, k)`: k targets that share x and the scales; a column of ones in x gives an
    intercept. ValueError for a scale that is not finite and above 0, for shapes that do not fit and for data that are
    not finite, TypeError for data that are not real floating point, or of two backends or dtypes.
    """

    noise_scale: float = 1.0
    prior_scale: Array = 1.0

    def __post_init__(self) -> None:
        _checks.positive("noise_scale", self.noise_scale)
        object.__setattr__(self, "prior_scale", constant("prior_scale", self.prior_scale, positive=True))

    def decompose(self, x: Array, y: Array) -> Spectrum:
        """The data as `linear_law.posterior` takes them, for several noises."""
        _check(x, y)
        ones = array_namespace(x).ones_like(array_namespace(x).sum(x, axis=0))
        return linear_law.decompose(x, y, ones * like("prior_scale", self.prior_scale, ones))

    def posterior(self, x: Array, y: Array) -> LinearLaw:
        """The exact law of the weights given the data."""
        return linear_law.posterior(self.decompose(x, y), self.noise_scale)

    def mean_field(self, x: Array, y: Array) -> LinearLaw:
        """The best Gaussian law with independent weights: no optimizer is needed."""
        return linear_law.independent(self.posterior(x, y), x, self.noise_scale)

    def predict(self, law: LinearLaw, x: Array) -> Prediction:
        """The exact law of new targets at `x (m, d)` under a law of the weights."""
        return Prediction(array_namespace(x).matmul(x, law.mean), linear_law.variance(law, x) + self.noise_scale**2)

    def log_evidence(self, x: Array, y: Array) -> Array:
        """`log p(y)` over all targets, shape ()."""
        _, values, _, targets, unexplained = self.decompose(x, y)
        xp, white = array_namespace(x), targets / self.noise_scale
        signal = (values / self.noise_scale) ** 2
        quadratic = xp.sum(white * white / (1.0 + signal)[:, None]) + unexplained / self.noise_scale**2
        return -0.5 * (self._constants(y) + y.shape[1] * xp.sum(xp.log1p(signal)) + quadratic)

    def elbo(self, law: LinearLaw, x: Array, y: Array) -> Array:
        """`E log p(y | w) - KL(law || prior)`, shape (): the log evidence at the posterior, and less elsewhere."""
        _check(x, y)
        squares = linear_law.expected_squares(law, x, y) / self.noise_scale**2
        return -0.5 * (self._constants(y) + squares) - linear_law.kl(law)

    def _constants(self, y: Array) -> float:
        """What the noise alone adds to minus twice a log-likelihood."""
        return float(math.prod(y.shape)) * math.log(2.0 * math.pi * self.noise_scale**2)

    def mean_field_gap(self, x: Array, y: Array) -> MeanFieldGap:
        """What independent weights cost: the log evidence, the best ELBO under them, and the gap of the two."""
        exact, best = self.posterior(x, y), self.mean_field(x, y)
        xp = array_namespace(x)
        log_determinants = xp.sum(xp.log1p(best.signal)) - xp.sum(xp.log1p(exact.signal))
        return MeanFieldGap(self.log_evidence(x, y), self.elbo(best, x, y), 0.5 * y.shape[1] * log_determinants)

    def raised(self, x: Array, y: Array) -> LinearGaussian:
        """The model after a step of expectation maximisation: both scales change, and the evidence does not fall.

        An array of prior scales keeps its ratios. Values are read here, so that it is not for a compiled function.
        ValueError for data without a target, and where the noise comes to 0.
        """
        if not math.prod(y.shape):
            raise ValueError(f"y has shape {tuple(y.shape)}, expected at least one target to estimate the scales from")
        law = self.posterior(x, y)
        xp, shift = array_namespace(x), law.mean / law.prior_scale[:, None]
        d, k = law.mean.shape
        kept = d - float(xp.sum(law.signal / (1.0 + law.signal)))
        factor = math.sqrt((float(xp.sum(shift * shift)) / k + kept) / d)
        noise_scale = math.sqrt(float(linear_law.expected_squares(law, x, y)) / math.prod(y.shape))
        prior: Array = self.prior_scale
        wider = factor * (prior.host if isinstance(prior, ConstantArray) else np.asarray(prior))
        return replace(self, noise_scale=noise_scale, prior_scale=constant("prior_scale", wider, positive=True))


def _check(x: Array, y: Array) -> None:
    for name, array in (("x", x), ("y", y)):
        _checks.floating(name, array)
        if array.ndim != 2:
            raise ValueError(f"{name} has shape {tuple(array.shape)}, expected two axes: one row an example")
    _checks.same_kind("y", y, "x", x)
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"x has {x.shape[0]} rows and y {y.shape[0]}: expected one target for each example")
    for name, array in (("x", x), ("y", y)):
        if not _checks.every(array_namespace(array).isfinite(array)):
            raise ValueError(f"{name} holds NaN or infinity, expected finite numbers: drop or fill those rows")
