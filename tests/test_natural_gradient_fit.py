"""Fits by optimizers of a law: ends that are known in closed form, states that resume, and what predicts afterwards."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import rng
from bayesnoise_reference import linear_regression
from bayesnoise_reference import natural_gradient as definitions
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors

from bayesnoise import checkpoints, deterministic, losses, maps, normalisation, tree
from bayesnoise._typing import Shape
from bayesnoise.chain import chain
from bayesnoise.drawn import Drawn
from bayesnoise.layer import absorb, frozen
from bayesnoise.natural_gradient import VariationalOptimizer, ivon, posterior, predictor, slang, vadam, vogn
from bayesnoise.optimizers import adam, clipped
from bayesnoise.procedures import Variational
from bayesnoise.training import Split, State, fit


class Enumerated:
    """A generator whose normal numbers go through all vectors of signs: 2^d calls in a row give them all."""

    def __init__(self, d: int) -> None:
        self.signs, self.calls = sign_vectors(d), count()

    def normal(self, shape: Shape, *, like: Array) -> Array:
        signs: Array = self.signs[next(self.calls) % len(self.signs)]
        return signs.reshape(shape)

    def uniform(self, shape: Shape, *, like: Array) -> Array:
        return np.linspace(0.0, 1.0, shape[0], endpoint=False)

    def rademacher(self, shape: Shape, *, like: Array) -> Array:
        raise AssertionError("nothing here flips signs")

    def split(self, n: int) -> tuple[Enumerated, ...]:
        return (self,) * n


@pytest.fixture
def problem() -> linear_regression.Problem:
    host = np.random.default_rng(3)
    x = host.standard_normal((20, 3)) @ np.array([[1.0, 0.6, 0.0], [0.0, 1.0, -0.3], [0.2, 0.0, 0.8]])
    y = x @ np.array([0.5, -1.0, 2.0]) + 0.4 * host.standard_normal(20)
    return linear_regression.Problem(x, y, 0.4, 1.5)


def fitted(problem: linear_regression.Problem, optimizer: VariationalOptimizer, epochs: int) -> State:
    """A fit on all the data in each step, every expectation over the law exact: the gradient is linear in eps."""
    layer = deterministic(maps.Dense(3, 1), bias="none")
    x, y, loss = problem.x, problem.y[:, None], losses.Gaussian(problem.noise_scale)
    return fit(layer, loss, x, y, rng=Enumerated(3), optimizer=optimizer, epochs=epochs, batch_size=len(x))


def test_ivon_ends_at_the_best_independent_gaussian(problem: linear_regression.Problem) -> None:
    optimizer = ivon(0.2, prior_scale=problem.prior_scale, beta1=0.5, beta2=0.9, samples=8)
    state = fitted(problem, optimizer, 600)
    mean, scale = linear_regression.mean_field_optimum(problem)
    law = state.best.layer
    np.testing.assert_allclose(law.mu.theta[:, 0], mean, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.exp(law.log_sigma.theta[:, 0]), scale, rtol=1e-10)
    reported = -20 * state.history[-1].loss
    assert linear_regression.log_evidence(problem) - reported == pytest.approx(linear_regression.gap(problem), abs=1e-8)


def test_vadam_ends_at_the_right_mean_with_scales_that_are_wrong(problem: linear_regression.Problem) -> None:
    """Squared gradients of the whole data are no curvature: its scales are those of another equation, here too wide."""
    optimizer = vadam(0.05, prior_scale=problem.prior_scale, beta1=0.5, beta2=0.9, samples=8)
    law = fitted(problem, optimizer, 1000).best.layer
    limit = definitions.vadam_limit(problem)
    best, scale = linear_regression.mean_field_optimum(problem)
    np.testing.assert_allclose(law.mu.theta[:, 0], best, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.exp(law.log_sigma.theta[:, 0]), limit.scale, rtol=1e-10)
    assert np.all(limit.scale / scale > 1.5)


def test_vogn_ends_at_the_right_mean_with_the_scales_of_its_squares(problem: linear_regression.Problem) -> None:
    """Squares of examples' gradients are curvature where the targets have the noise of the likelihood: nearly here."""
    optimizer = vogn(0.4, prior_scale=problem.prior_scale, beta1=0.0, beta2=0.9, samples=8)
    law = fitted(problem, optimizer, 400).best.layer
    limit = definitions.vogn_limit(problem)
    best, scale = linear_regression.mean_field_optimum(problem)
    np.testing.assert_allclose(law.mu.theta[:, 0], best, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.exp(law.log_sigma.theta[:, 0]), limit.scale, rtol=1e-10)
    assert np.all(np.abs(limit.scale / scale - 1.0) < 0.25)


def test_vogn_refuses_a_network_that_mixes_examples() -> None:
    x, y = data()
    with pytest.raises(ValueError, match="it needs the gradient of each example, and a normalisation of batches mixes"):
        fit(network(), losses.Gaussian(1.0), x, y, rng=rng(1, like=x), optimizer=vogn(), epochs=1)


def network() -> Any:
    return chain(deterministic(maps.Dense(2, 3)), normalisation.BatchNorm(3), deterministic(maps.Dense(3, 1)))


def data(n: int = 12) -> Split:
    x = np.random.default_rng(5).standard_normal((n, 2))
    return Split(x, np.sin(x[:, :1]))


@pytest.mark.parametrize("optimizer", [ivon(0.05, samples=2), vadam(0.01)], ids=["ivon", "vadam"])
def test_a_fit_that_is_resumed_from_a_file_gives_the_same_bits(optimizer: VariationalOptimizer, tmp_path: Path) -> None:
    (x, y), loss = data(), losses.LearnedGaussian()

    def go_on(epochs: int, state: State | None) -> State:
        common: dict[str, Any] = {"rng": rng(1, like=x), "optimizer": optimizer, "batch_size": 5, "validation": data(4)}
        return fit(network(), loss, x, y, epochs=epochs, state=state, **common)

    whole, part = go_on(4, None), go_on(2, None)
    checkpoints.save(tmp_path / "state", tuple(part[:3]))
    restored = checkpoints.load(tmp_path / "state", like=tuple(part[:3]))
    resumed = go_on(4, State(restored[0], restored[1], restored[2], part.history))
    for got, want in zip(tree.leaves(resumed[:3]), tree.leaves(whole[:3]), strict=True):
        assert np.array_equal(got, want)
    assert [e.nll for e in resumed.history] == [e.nll for e in whole.history]


@pytest.mark.parametrize("optimizer", [ivon(), vadam()], ids=["ivon", "vadam"])
def test_statistics_of_a_normalisation_have_no_law(optimizer: VariationalOptimizer) -> None:
    (x, y), layer = data(), network()
    state = fit(layer, losses.Gaussian(1.0), x, y, rng=rng(1, like=x), optimizer=optimizer, epochs=1, batch_size=12)
    scale = optimizer.scale(state.optimizer)
    assert scale.layer[1].running_mean is None
    assert scale.layer[1].shift is not None
    noise = optimizer.draw(rng(2, like=x), state.params)[0]
    at = optimizer.perturb(state.params, state.optimizer, noise, 0.1)
    assert np.array_equal(at.layer[1].running_mean, state.params.layer[1].running_mean)
    assert np.any(state.params.layer[1].running_mean != 0)
    assert not np.any(at.layer[0].weight.theta == state.params.layer[0].weight.theta)


def test_the_predictor_draws_what_was_fitted() -> None:
    (x, y), layer, optimizer = data(), network(), ivon()
    loss = losses.Gaussian(1.0)
    state = fit(layer, loss, x, y, rng=rng(1, like=x), optimizer=optimizer, epochs=2, batch_size=12)
    drawn = predictor(layer, optimizer)
    law = posterior(optimizer, state.params, state.optimizer)
    assert drawn == Drawn(layer, optimizer.prior_scale)
    noise = drawn.draw(rng(2, like=x), law.layer, x.shape, like=x)
    at = optimizer.perturb(state.params, state.optimizer, (noise.eps, ()), state.optimizer.kl_scale)
    want, _ = layer.forward(at.layer, noise.layer, x)
    np.testing.assert_allclose(drawn.forward(law.layer, noise, x)[0], want, rtol=1e-13)
    np.testing.assert_array_equal(drawn.predict(law.layer, x), layer.predict(state.params.layer, x))
    np.testing.assert_allclose(state.history[-1].kl, drawn.kl(law.layer), rtol=1e-13)
    assert state.history[-1].kl > 0


def test_any_other_optimizer_predicts_with_the_layer_itself() -> None:
    (x, y), layer, optimizer = data(), network(), adam()
    assert predictor(layer, optimizer) is layer
    state = fit(layer, losses.Gaussian(1.0), x, y, rng=rng(1, like=x), optimizer=optimizer, epochs=1)
    assert posterior(optimizer, state.params, state.optimizer) is state.params
    assert state.best is state.params


def test_what_cannot_be_fitted_is_refused() -> None:
    x, y = data()
    with pytest.raises(TypeError, match="measures curvature by gradients: do not clip them"):
        clipped(ivon(), 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"kl_weight is 0.0 in epoch 1, expected above 0: the law that Ivon"):
        fit(network(), losses.Gaussian(1.0), x, y, rng=rng(1, like=x), optimizer=ivon(), epochs=1, kl_weight=0.0)


def test_the_rate_of_a_procedure_is_that_of_the_job_times_its_scale() -> None:
    (x, y), loss, optimizer = data(), losses.Gaussian(1.0), ivon()

    def end(scale: float, rate: float) -> Any:
        common: dict[str, Any] = {"rng": rng(1, like=x), "optimizer": adam(), "epochs": 2}
        procedure = Variational(optimizer, rate_scale=scale)
        return fit(network(), loss, x, y, procedure=procedure, learning_rate=lambda _: rate, **common).best

    for got, want in zip(tree.leaves(end(4.0, 0.0625)), tree.leaves(end(1.0, 0.25)), strict=True):
        assert np.array_equal(got, want)
    with pytest.raises(ValueError, match=r"rate_scale is 0.0, expected a finite number above 0"):
        Variational(optimizer, rate_scale=0.0)


def test_a_drawn_layer_keeps_the_statistics_of_its_draws() -> None:
    (x, _), layer = data(), Drawn(network(), initial_scale=0.5)
    params = layer.init(rng(1, like=x), like=x)
    noise = layer.draw(rng(2, like=x), params, x.shape, like=x)
    _, residuals = layer.forward(params, noise, x)
    at = sampled(params, noise.eps)
    _, inner = layer.layer.forward(at, noise.layer, x)
    after = layer.absorb(params, residuals)
    want = absorb(layer.layer, at, inner)[1]
    np.testing.assert_array_equal(after.mu[1].running_mean, want.running_mean)
    np.testing.assert_array_equal(after.mu[1].shift, params.mu[1].shift)
    assert layer.frozen() == Drawn(frozen(layer.layer), 1.0, 0.5)
    for name in ("prior_scale", "initial_scale"):
        with pytest.raises(ValueError, match=f"{name} is 0.0"):
            Drawn(network(), **{name: 0.0})


def sampled(params: Any, eps: Any) -> Any:
    """The parameters of the layer, one leaf after the other."""
    found = {name: np.exp(s) for name, s in tree.paths(params.log_sigma)}
    shifts = dict(tree.paths(eps))
    moved = [mu + found[name] * shifts[name] if name in found else mu for name, mu in tree.paths(params.mu)]
    return tree.unflatten(params.mu, iter(moved))


def test_a_rank_above_the_number_of_parameters_is_refused() -> None:
    assert slang(rank=2).init((np.zeros(2),)).factor.shape == (2, 2)
    with pytest.raises(
        ValueError, match="rank is 3, expected at most 2, the largest rank for the joint law of 2 param"
    ):
        slang(rank=3).init((np.zeros(2),))
    x, y = data()
    layer, loss = deterministic(maps.Dense(2, 1)), losses.LearnedGaussian()
    with pytest.raises(ValueError, match="rank is 5, expected at most 4"):
        fit(layer, loss, x, y, rng=rng(1, like=x), optimizer=slang(), epochs=1)
