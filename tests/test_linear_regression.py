"""Bayesian linear regression from end to end: `fit` ends at the closed-form optimum of the ELBO.

The expectation of the ELBO over the noise is taken exactly: under a Gaussian loss it is quadratic in the output's
noise, so the average over `zeta = +1` and `zeta = -1` is the average over the normal law. The data stand twice in the
batch, and the generator below gives the first half +1 and the second half -1. The fit is then deterministic, and so is
its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import rng
from bayesnoise_reference import linear_regression as oracle

from bayesnoise import divergences, estimators, losses, maps, methods, optimizers
from bayesnoise._typing import Array, Shape
from bayesnoise.posteriors import Gaussian, LogSigmaGaussian
from bayesnoise.stochastic import Stochastic
from bayesnoise.training import fit


@dataclass(frozen=True)
class Antithetic:
    """A generator of two-point noise: +1 for the first half of the examples and -1 for the second."""

    def normal(self, shape: Shape, *, like: Array) -> Array:
        signs = np.where(np.arange(shape[0]) < (shape[0] + 1) // 2, 1.0, -1.0)
        return np.broadcast_to(signs.reshape(-1, *[1] * (len(shape) - 1)), shape).copy()

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        return np.linspace(0.0, 1.0, shape[0], endpoint=False)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        raise AssertionError("no method of this test flips signs")

    def split(self, n: int) -> tuple[Antithetic, ...]:
        return (self,) * n


@pytest.fixture
def problem() -> oracle.Problem:
    host = np.random.default_rng(3)
    x = host.standard_normal((20, 3)) @ np.array([[1.0, 0.6, 0.0], [0.0, 1.0, -0.3], [0.2, 0.0, 0.8]])
    return oracle.Problem(x, x @ np.array([0.5, -1.0, 2.0]) + 0.4 * host.standard_normal(20), 0.4, 1.5)


@pytest.mark.parametrize("posterior", [Gaussian(), LogSigmaGaussian()], ids=["softplus", "exp"])
def test_fit_ends_at_the_closed_form_optimum(problem: oracle.Problem, posterior: Any) -> None:
    n, d = problem.x.shape
    layer = Stochastic(maps.Dense(d, 1), posterior, estimators.Local(), divergences.GaussianKL(problem.prior_scale))
    x, y = np.concatenate([problem.x] * 2), np.concatenate([problem.y] * 2)[:, None]
    state = fit(
        layer,
        losses.Gaussian(problem.noise_scale),
        x,
        y,
        rng=Antithetic(),
        optimizer=optimizers.sgd(0.02, momentum=0.9),
        epochs=2000,
        batch_size=2 * n,
        kl_weight=2.0,  # each example stands twice
    )
    mean, scale = oracle.mean_field_optimum(problem)
    params = state.params.layer
    np.testing.assert_allclose(layer.posterior.mean(params)[:, 0], mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.posterior.scale(params)[:, 0], scale, rtol=0, atol=1e-12)
    reported = -n * state.history[-1].loss
    assert oracle.log_evidence(problem) - reported == pytest.approx(oracle.gap(problem), abs=1e-11)


@pytest.mark.parametrize("name", ["bayes_by_backprop", "flipout", "local_reparameterization"])
def test_random_fit_ends_near_the_optimum(problem: oracle.Problem, name: str) -> None:
    """With honest noise the mean wanders about the optimum; its distance is stated in posterior standard deviations.

    The last step's learning rate times the largest gradient noise is below a tenth of one: a wrong gradient, or a
    divergence scaled wrongly, moves the scale by far more than the 20 % allowed.
    """
    n, d = problem.x.shape
    layer = methods.method(name).build(maps.Dense(d, 1), prior_scale=problem.prior_scale, bias="none")
    state = fit(
        layer,
        losses.Gaussian(problem.noise_scale),
        problem.x,
        problem.y[:, None],
        rng=rng(0, like=problem.x),
        optimizer=optimizers.adam(0.05),
        epochs=1500,
        batch_size=n,
        learning_rate=lambda epoch: 0.05 * 0.996**epoch,
    )
    mean, scale = oracle.mean_field_optimum(problem)
    params = state.params.layer
    found = layer.posterior.scale(params)[:, 0]  # type: ignore[attr-defined]
    assert np.max(np.abs(params.mu[:, 0] - mean) / scale) < 0.2
    assert np.max(np.abs(np.log(found / scale))) < np.log(1.2)


def test_the_optimum_of_the_oracle_is_one(problem: oracle.Problem) -> None:
    """A third way: the ELBO at the closed form is above that nearby, and the evidence agrees by two routes."""
    mean, scale = oracle.mean_field_optimum(problem)
    best = float(oracle.elbo(problem, mean, scale))
    assert oracle.log_evidence(problem) == pytest.approx(oracle.log_evidence_of_data(problem), abs=1e-10)
    assert oracle.log_evidence(problem) - best == pytest.approx(oracle.gap(problem), abs=1e-10)
    for i in range(len(mean)):
        for step in (-1e-3, 1e-3):
            shift = np.eye(len(mean))[i] * step
            assert float(oracle.elbo(problem, mean + shift, scale)) < best
            assert float(oracle.elbo(problem, mean, scale * (1 + shift / sqrt(len(mean))))) < best
