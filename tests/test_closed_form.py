"""Linear regression by `fit`: what one epoch finds, how a noise is learned, what predicts, and how it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import backend, host_rng
from bayesnoise_reference import linear_regression as oracle
from bayesnoise_reference.numerics import complex_step
from linear_fits import LAYER, NOISE, PRIOR, WITH_ONES, X, Y, fitted
from namespaces import Namespace, to_numpy
from scipy import stats

import bayesnoise as bn
from bayesnoise import checkpoints, linear_law, tree
from bayesnoise._typing import Array, Shape
from bayesnoise.losses import Gaussian, LearnedGaussian
from bayesnoise.maps import Dense
from bayesnoise.prediction import sample
from bayesnoise.procedures import ClosedForm
from bayesnoise.training import Split, State, start


@pytest.mark.parametrize("bias", ["deterministic", "none"])
def test_one_epoch_ends_at_the_posterior_and_reports_the_evidence(bias: Any) -> None:
    """The bias is one more weight; n times the reported loss is minus the log evidence."""
    seen = WITH_ONES if bias == "deterministic" else X
    state = fitted(layer=bn.linear_regression(Dense(3, 1), bias=bias))
    mean, covariance = oracle.weights_given_data(seen, Y[:, 0], NOISE, np.full(seen.shape[1], PRIOR))
    params, law = state.best
    np.testing.assert_allclose(np.concatenate([np.ravel(leaf) for leaf in tree.leaves(params.layer)]), mean, rtol=1e-12)
    np.testing.assert_allclose(linear_law.covariance(law), covariance, rtol=0, atol=1e-12)  # what conditioning rounds
    evidence = oracle.log_density_of_data(seen, Y[:, 0], NOISE, np.full(seen.shape[1], PRIOR))
    assert -20 * state.history[-1].loss == pytest.approx(float(evidence), abs=1e-10)


def test_independent_weights_lose_the_gap() -> None:
    """With `mean_field` the same epoch ends where descent on the ELBO of local reparameterization does."""
    problem = oracle.Problem(X, Y[:, 0], NOISE, PRIOR)
    layer = bn.linear_regression(Dense(3, 1), bias="none")
    exact, best = fitted(layer=layer), fitted(ClosedForm(PRIOR, mean_field=True), layer=layer)
    mean, scale = oracle.mean_field_optimum(problem)
    np.testing.assert_allclose(best.best.law.mean[:, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(linear_law.covariance(best.best.law), np.diag(scale**2), rtol=1e-12, atol=1e-18)
    lost = 20 * (best.history[-1].loss - exact.history[-1].loss)
    assert lost == pytest.approx(oracle.gap(problem), abs=1e-10)


@pytest.mark.parametrize("weight", [0.25, 3.0])
@pytest.mark.parametrize("loss", [Gaussian(NOISE), LearnedGaussian()], ids=["known", "learned"])
def test_the_objective_is_lowest_there_for_any_weight_of_the_divergence(weight: float, loss: Any) -> None:
    """Moving the mean, the spread along a direction or a learned noise raises `nll + weight KL / n`."""
    state = fitted(loss=loss, epochs=60, kl_weight=weight)
    (_, of_loss), law = state.best
    scale = loss.scale if isinstance(loss, Gaussian) else float(np.exp(of_loss.log_scale))

    def objective(law: Any, scale: float) -> Any:
        squares = float(linear_law.expected_squares(law, WITH_ONES, Y)) / scale**2
        nll = 0.5 * (squares / 20 + np.log(2 * np.pi * scale**2))
        return nll + weight * float(linear_law.kl(law)) / 20

    lowest = objective(law, scale)
    assert state.history[-1].loss == pytest.approx(lowest, rel=1e-12)
    rng = np.random.default_rng(0)
    for size in (1e-3, 0.1):
        moved = law._replace(mean=law.mean + size * rng.standard_normal(law.mean.shape))
        wider = law._replace(signal=law.signal * np.exp(size * rng.standard_normal(law.signal.shape)))
        assert objective(moved, scale) > lowest
        assert objective(wider, scale) > lowest
        if isinstance(loss, LearnedGaussian):
            assert min(objective(law, scale * (1 + size)), objective(law, scale * (1 - size))) > lowest


def test_a_learned_noise_climbs_to_where_the_evidence_is_flat() -> None:
    state = fitted(loss=LearnedGaussian(3.0), epochs=40)
    losses = [epoch.loss for epoch in state.history]
    assert np.all(np.diff(losses) < 1e-14)

    def evidence(log_scale: Any) -> Any:
        return oracle.log_density_of_data(WITH_ONES, Y[:, 0], np.exp(log_scale[0]), np.full(4, PRIOR))

    log_scale = np.array([float(state.best.params.loss.log_scale)])
    assert abs(complex_step(evidence, log_scale)[0]) < 1e-9
    assert -20 * losses[-1] == pytest.approx(float(evidence(log_scale)), abs=1e-10)


def test_fewer_examples_than_weights_and_several_targets() -> None:
    """The form of what is kept does not depend on the data, so that a file can be read without them."""
    x, y = X[:2], np.concatenate([Y[:2], -Y[2:4]], axis=1)
    layer = bn.linear_regression(Dense(3, 2))
    state = fitted(layer=layer, x=x, y=y)
    fresh = start(layer, Gaussian(NOISE), bn.optimizers.sgd(0.1), host_rng(0), like=X, procedure=ClosedForm(PRIOR))
    shapes = [[leaf.shape for leaf in tree.leaves(s.best)] for s in (state, fresh)]
    assert shapes[0] == shapes[1]
    for column in range(2):
        mean, covariance = oracle.weights_given_data(WITH_ONES[:2], y[:, column], NOISE, np.full(4, PRIOR))
        np.testing.assert_allclose(state.best.law.mean[:, column], mean, rtol=1e-12)
        np.testing.assert_allclose(linear_law.covariance(state.best.law), covariance, rtol=1e-10, atol=1e-14)
    passes = sample(layer, state.best.params.layer, X, rng=host_rng(1), samples=1)
    np.testing.assert_allclose(passes[0], WITH_ONES @ state.best.law.mean, rtol=1e-12)


@dataclass(frozen=True)
class Unit:
    """A generator whose normal numbers are one row of the identity, a row for each split in order."""

    row: int = 0

    def normal(self, shape: Shape, *, like: Array) -> Array:
        return np.reshape(np.eye(4)[self.row], shape)

    def split(self, n: int) -> tuple[Unit, ...]:
        return (self,) * 2 if n == 2 else tuple(Unit(i) for i in range(n))


def test_passes_are_draws_of_the_law() -> None:
    """A pass is linear in its noise: the passes for the unit vectors are the root of the covariance of predictions."""
    state, procedure = fitted(), ClosedForm(PRIOR)
    drawn = [d.params.layer for d in procedure.draws(state.best, Unit(), 4)]  # type: ignore[arg-type]
    f = np.stack([np.ravel(LAYER.predict(p, X)) for p in drawn]) - np.ravel(LAYER.predict(state.best.params.layer, X))
    _, covariance = oracle.new_data_given_data(WITH_ONES, Y[:, 0], WITH_ONES, NOISE, np.full(4, PRIOR))
    np.testing.assert_allclose(f.T @ f + NOISE**2 * np.eye(20), covariance, rtol=1e-9, atol=1e-12)


def test_predictions_have_the_exact_law() -> None:
    """At one input each pass is one normal number: z and chi-square laws, each with an error of 1e-6."""
    state, samples = fitted(), 2000
    passes = bn.predict_regression(
        LAYER, Gaussian(NOISE), state.best, X[:1], rng=host_rng(1), samples=samples, procedure=ClosedForm(PRIOR)
    )
    mean, covariance = oracle.new_data_given_data(WITH_ONES, Y[:, 0], WITH_ONES[:1], NOISE, np.full(4, PRIOR))
    away = (passes.means[:, 0] - mean[0]) / np.sqrt(covariance[0, 0] - NOISE**2)
    assert abs(away.mean()) * np.sqrt(samples) < stats.norm.isf(0.5e-6)
    low, high = stats.chi2.ppf([0.5e-6, 1 - 0.5e-6], samples)
    assert low < np.sum(away**2) < high
    np.testing.assert_allclose(passes.variances, NOISE**2, rtol=1e-14)


@pytest.mark.parametrize("mean_field", [False, True])
def test_every_namespace_ends_there(namespace: Namespace, mean_field: bool) -> None:
    """The same law and noise, to the rounding of the dtype."""
    procedure, loss = ClosedForm(PRIOR, mean_field), LearnedGaussian()
    want = fitted(procedure, loss, epochs=3).best
    x, y = namespace.asarray(X), namespace.asarray(Y)
    got = fitted(procedure, loss, epochs=3, x=x, y=y).best
    assert all(namespace.owns(leaf) for leaf in tree.leaves(got))
    tolerance = 1e-12 if namespace.double else 64 * namespace.eps
    for a, b in zip(_shown(got), _shown(want), strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=0, atol=tolerance * np.max(np.abs(to_numpy(b))))


def _shown(state: Any) -> list[Any]:
    """What does not depend on the signs that a decomposition gives to its directions."""
    return [*tree.leaves(state.params), state.law.mean, linear_law.covariance(state.law)]


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("mean_field", [False, True])
def test_every_backend_ends_there(name: str, mean_field: bool) -> None:
    """On the layer that the backend makes fast, in float32: its rounding times 757, the condition of the precision."""
    where, procedure, loss = backend(name), ClosedForm(PRIOR, mean_field), LearnedGaussian()
    x, y = where.asarray(X), where.asarray(Y)
    layer = where.accelerate(LAYER)
    state = fitted(procedure, loss, layer, 30, x, y, rng=where.rng(0, x), compile=where.compile)
    want = fitted(procedure, loss, epochs=30)
    for got, exact in zip(_shown(state.best), _shown(want.best), strict=True):
        np.testing.assert_allclose(where.to_host(got), exact, rtol=2e-4, atol=2e-5)
    passes = bn.predict_regression(
        layer, loss, state.best, x, rng=where.rng(1, x), samples=3, to_host=where.to_host, procedure=procedure
    )
    assert passes.means.shape == (3, 20)
    assert np.all(np.isfinite(passes.means))


def test_a_fit_that_goes_on_from_a_file_is_one_that_never_stopped(tmp_path: Path) -> None:
    given: dict[str, Any] = {"loss": LearnedGaussian(), "validation": Split(X[:5], Y[:5])}
    whole = fitted(epochs=6, **given)

    def stop(state: State) -> None:
        if len(state.history) == 4:
            raise KeyboardInterrupt

    half = fitted(epochs=6, on_epoch=stop, **given)
    checkpoints.save(tmp_path / "half", (half.params, half.optimizer, half.best))
    fresh = start(
        LAYER, LearnedGaussian(), bn.optimizers.adam(1e-3), host_rng(9), like=np.ones(1), procedure=ClosedForm(PRIOR)
    )
    params, optimizer, best = checkpoints.load(tmp_path / "half", like=(fresh.params, fresh.optimizer, fresh.best))
    done = fitted(epochs=6, state=half._replace(params=params, optimizer=optimizer, best=best), **given)
    for a, b in zip(tree.leaves(done.best), tree.leaves(whole.best), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_before_any_data_the_law_is_the_prior() -> None:
    fresh = start(LAYER, Gaussian(NOISE), bn.optimizers.adam(1e-3), host_rng(0), like=X, procedure=ClosedForm(PRIOR))
    np.testing.assert_array_equal(linear_law.covariance(fresh.best.law), PRIOR**2 * np.eye(4))
    assert float(linear_law.kl(fresh.best.law)) == 0.0
    assert all(np.all(leaf == 0) for leaf in tree.leaves(fresh.best.params.layer))
