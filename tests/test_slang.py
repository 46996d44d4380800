"""SLANG: runs equal to the paper's with every matrix written out, exact covariances, and the mean where it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace
from bayesnoise_backends import rng
from bayesnoise_reference import divergences, linear_regression
from bayesnoise_reference import slang as definition
from bayesnoise_reference._typing import Array
from cases import representable
from closeness import assert_close, assert_untouched, largest
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import checkpoints, deterministic, losses, maps, normalisation, tree
from bayesnoise.natural_gradient import Slang, SlangState, gradients_of_examples, slang
from bayesnoise.natural_gradient.low_rank import (
    inverse_diagonal,
    inverse_root_times,
    inverse_times,
    log_determinant,
    truncated,
)
from bayesnoise.natural_gradient.slang import flat, unflat
from bayesnoise.objective import ModelParams, objective
from bayesnoise.procedures import JointGaussian
from bayesnoise.training import State, fit

EXAMPLES, PRIOR = 8.0, 0.5
sizes = st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(0, 2**32 - 1))


class Pair(NamedTuple):
    bend: Any  # (2, 2)
    shift: Any  # (3,)


def split(x: Array) -> Pair:
    return Pair(x[:4].reshape(2, 2), x[4:])


def rows(w: Any, a: Any, t: Any) -> Any:
    """The gradients of `(tanh(a_i . w) - t_i)^2 / 2`, a row an example, for a vector w."""
    f = array_namespace(w).tanh(a @ w)
    return ((f - t) * (1.0 - f * f))[:, None] * a


@pytest.mark.parametrize("rank", [1, 3])
def test_a_run_on_every_namespace(namespace: Namespace, rank: int) -> None:
    host = np.random.default_rng(rank)
    start, noise, a, t = (representable(host, shape) for shape in ((7,), (3, 7), (4, 7), (4,)))
    optimizer = slang(prior_scale=PRIOR, rank=rank, beta=0.25, initial_precision=2.0)
    rates = [0.5, 0.25, 0.125]
    want = definition.slang(start, lambda w: rows(w, a, t), noise, rates, EXAMPLES, PRIOR**-2, 0.25, rank, 2.0)
    params = tree.map(namespace.asarray, split(start))
    a, t = namespace.asarray(a), namespace.asarray(t)
    state = optimizer.init(params)

    def step(params: Any, eps: Any, state: Any, rate: Any) -> Any:
        at = optimizer.perturb(params, state, eps, 1.0 / EXAMPLES)
        return optimizer.step(params, rows(flat(at), a, t), state, 1.0 / EXAMPLES, rate)

    for eps, rate in zip(noise, rates, strict=True):
        given = params, namespace.asarray(eps), state, namespace.asarray(rate)
        before = tree.map(to_numpy, given)
        params, state = namespace.run(step, *given)
        assert_untouched(given, before)
        assert all(namespace.owns(leaf) for leaf in tree.leaves(state))
    assert type(params) is Pair
    tolerance = 1e-11 if namespace.double else 2048 * namespace.eps
    for leaf, whole in zip(params, split(want.mean), strict=True):
        assert_close(leaf, whole, tolerance, namespace, 1.0 + largest(start))
    factor = to_numpy(state.factor).astype(np.float64)
    np.testing.assert_allclose(factor @ factor.T, want.low_rank, rtol=0, atol=tolerance * largest(want.low_rank))
    assert_close(state.diagonal, want.diagonal, tolerance, namespace)


def matrices(n: int, r: int, seed: int) -> tuple[Array, Array, Array]:
    """A factor, a diagonal, and what they stand for."""
    host = np.random.default_rng(seed)
    u, d = host.standard_normal((n, min(r, n))), np.exp(host.standard_normal(n))
    return u, d, u @ u.T + np.diag(d)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(sizes)
def test_a_draw_has_exactly_the_covariance(size: tuple[int, int, int]) -> None:
    """The draw is linear in eps: put the identity through it, and no sampling is left."""
    u, d, p = matrices(*size)
    n = len(d)
    root = np.stack([inverse_root_times(u, d, e) for e in np.eye(n)], axis=1)
    inverse = np.linalg.inv(p)
    scale = np.linalg.cond(p) * largest(inverse)
    np.testing.assert_allclose(root @ root.T, inverse, rtol=0, atol=1e-14 * scale)
    np.testing.assert_allclose(
        np.stack([inverse_times(u, d, e) for e in np.eye(n)]), inverse, rtol=0, atol=1e-14 * scale
    )
    np.testing.assert_allclose(inverse_diagonal(u, d), np.diag(inverse), rtol=0, atol=1e-14 * scale)
    assert float(log_determinant(u, d)) == pytest.approx(np.linalg.slogdet(p)[1], abs=1e-12)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(sizes, st.integers(0, 6))
def test_a_truncation_keeps_the_diagonal_and_nothing_better_is_left(size: tuple[int, int, int], more: int) -> None:
    n, rank, seed = size
    r = np.random.default_rng(seed).standard_normal((n, rank + more))
    u, rest = truncated(r, rank)
    whole = r @ r.T
    assert u.shape == (n, rank)
    assert np.all(rest >= 0)
    np.testing.assert_allclose(np.sum(u * u, axis=1) + rest, np.diag(whole), rtol=1e-13, atol=1e-14 * largest(whole))
    if rank <= n:
        np.testing.assert_allclose(u @ u.T, definition.best_of_rank(whole, rank), atol=1e-12 * (1 + largest(whole)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.floats(-6, 6))
def test_the_diagonal_of_a_law_stays_above_its_prior_share(seed: int, beta: float, exponent: float) -> None:
    host = np.random.default_rng(seed)
    optimizer, params = slang(beta=beta, rank=2, initial_precision=0.5), (host.standard_normal(5),)
    state, grads = optimizer.init(params), 10.0**exponent * host.standard_normal((3, 5))
    _, after = optimizer.step(params, grads, state, 0.25)
    assert np.all(after.diagonal >= (1 - beta) * 0.5 + beta * 0.25)
    kept = (1 - beta) * 0.5 + beta * (np.mean(grads**2, axis=0) + 0.25)
    np.testing.assert_allclose(after.diagonal + np.sum(after.factor**2, axis=1), kept, rtol=1e-12)


def test_the_divergence_is_that_of_the_whole_matrix() -> None:
    u, d, p = matrices(5, 2, 3)
    mean, optimizer = np.random.default_rng(4).standard_normal(5), slang(prior_scale=0.7, rank=2)
    state = SlangState(np.asarray(0.1), u, d)
    root = np.linalg.cholesky(np.linalg.inv(p / 0.1))
    want = divergences.multivariate_gaussian(mean, root, np.zeros(5), 0.7 * np.eye(5))
    assert float(optimizer.kl((mean,), state)) == pytest.approx(float(np.real(want)), rel=1e-10)


def network() -> Any:
    return bn.networks.mlp(deterministic, (2, 3, 1))


def data(n: int = 6) -> tuple[Array, Array]:
    x = np.random.default_rng(5).standard_normal((n, 2))
    return x, np.sin(x[:, :1])


def test_gradients_of_examples_add_up_to_that_of_the_batch() -> None:
    (x, y), layer, loss = data(), network(), losses.LearnedGaussian()
    params = ModelParams(layer.init(rng(0, like=x), like=x), loss.init(like=x))
    nll, grads = gradients_of_examples(layer, loss, params, rng(1, like=x), x, y, 0.1)
    whole = objective(layer, loss, params, layer.draw(rng(1, like=x), params.layer, x.shape, like=x), x, y, 0.1)
    assert grads.shape == (6, len(flat(params)))
    np.testing.assert_allclose(np.mean(grads, axis=0), flat(whole.grads), rtol=1e-12, atol=1e-14)
    assert float(nll) == pytest.approx(float(whole.nll), rel=1e-13)
    for i in range(6):
        one, _ = gradients_of_examples(layer, loss, params, rng(1, like=x), x[i : i + 1], y[i : i + 1], 0.1)
        assert np.isfinite(one)
    back = unflat(flat(params), params)
    assert all(np.array_equal(a, b) for a, b in zip(tree.leaves(back), tree.leaves(params), strict=True))


def test_the_mean_ends_at_the_exact_posterior_mean() -> None:
    """Under a linear network its condition is `E g + delta mean = 0`, whatever the precision is: two-point noise."""
    host = np.random.default_rng(3)
    x = host.standard_normal((20, 3)) @ np.array([[1.0, 0.6, 0.0], [0.0, 1.0, -0.3], [0.2, 0.0, 0.8]])
    y = x @ np.array([0.5, -1.0, 2.0]) + 0.4 * host.standard_normal(20)
    problem = linear_regression.Problem(x, y, 0.4, 1.5)
    optimizer = slang(0.3, rank=2, prior_scale=1.5, beta=0.05)
    params, state, eps = (np.zeros(3),), optimizer.init((np.zeros(3),)), np.array([1.0, -1.0, 1.0])
    for _ in range(600):
        both = [flat(optimizer.perturb(params, state, e, 1 / 20)) for e in (eps, -eps)]
        grads = np.concatenate([(x @ w - y)[:, None] * x / 0.4**2 for w in both])
        params, state = optimizer.step(params, grads, state, 1 / 20)
    exact, _ = linear_regression.posterior(problem)
    np.testing.assert_allclose(params[0], exact, rtol=0, atol=1e-10)


def test_a_fit_resumes_to_the_same_bits_and_predicts_by_draws(tmp_path: Path) -> None:
    (x, y), loss, optimizer = data(), losses.LearnedGaussian(), slang(0.1, rank=2)

    def go_on(epochs: int, state: State | None) -> State:
        return fit(
            network(), loss, x, y, rng=rng(1, like=x), optimizer=optimizer, epochs=epochs, batch_size=4, state=state
        )

    whole, part = go_on(4, None), go_on(2, None)
    checkpoints.save(tmp_path / "state", tuple(part[:3]))
    restored = checkpoints.load(tmp_path / "state", like=tuple(part[:3]))
    resumed = go_on(4, State(restored[0], restored[1], restored[2], part.history))
    for got, want in zip(tree.leaves(resumed[:3]), tree.leaves(whole[:3]), strict=True):
        assert np.array_equal(got, want)
    assert whole.history[-1].kl == pytest.approx(float(optimizer.kl(whole.params, whole.optimizer)))
    procedure = JointGaussian(optimizer)
    passes = bn.predict_regression(network(), loss, whole.best, x, rng=rng(2, like=x), samples=3, procedure=procedure)
    assert len({row.tobytes() for row in passes.means}) == 3
    mean, state = whole.best
    noise = [optimizer.draw(r.split(2)[0], mean) for r in rng(2, like=x).split(3)]
    at = [optimizer.perturb(mean, state, eps, state.kl_scale).layer for eps in noise]
    np.testing.assert_allclose(passes.means, [network().predict(p, x)[:, 0] for p in at], rtol=1e-13)


def test_what_cannot_be_fitted_is_refused() -> None:
    x, y = data()
    common: dict[str, Any] = {"rng": rng(1, like=x), "optimizer": slang(), "epochs": 1}
    mixed = bn.chain(deterministic(maps.Dense(2, 3)), normalisation.BatchNorm(3))
    with pytest.raises(ValueError, match="it needs the gradient of each example, and a normalisation of batches mixes"):
        fit(mixed, losses.Gaussian(1.0), x, y, **common)
    params = ModelParams(mixed.init(rng(0, like=x), like=x), ())
    with pytest.raises(ValueError, match="expected none that keeps statistics of a batch"):
        gradients_of_examples(mixed, losses.Gaussian(1.0), params, rng(1, like=x), x, y, 0.1)
    with pytest.raises(ValueError, match=r"kl_weight is 0.0, expected a finite number above 0"):
        fit(network(), losses.Gaussian(1.0), x, y, kl_weight=0.0, **common)
    longer: dict[str, Any] = {**common, "epochs": 3}
    with pytest.raises(FloatingPointError, match="lower the learning rate"), np.errstate(all="ignore"):
        fit(network(), losses.Gaussian(1e-3), x, 1e200 * y, **longer)
    with pytest.raises(ValueError, match="without any learned array"):
        slang().init((None, ()))
    with pytest.raises(ValueError, match=r"rate_scale is -1.0"):
        JointGaussian(slang(), rate_scale=-1.0)


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number above 0"),
        ({"prior_scale": -1.0}, "prior_scale is -1.0"),
        ({"initial_precision": float("inf")}, "initial_precision is inf"),
        ({"beta": 0.0}, "beta is 0.0, expected a finite number above 0"),
        ({"beta": 1.0}, r"beta is 1.0, expected a probability in \[0, 1\)"),
        ({"rank": 0}, "rank is 0, expected at least 1"),
    ],
)
def test_constants_out_of_range(constants: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        slang(**constants)
    assert slang(0.1) == Slang() != slang(0.2)
