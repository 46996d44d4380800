"""Recurrent layers: one weight a sequence, and the conventions of torch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from agreement import random_noise, random_params
from bayesnoise_backends import rng
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import recurrent as reference
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.composite import walk
from bayesnoise.estimators import FlipoutNoise
from bayesnoise.layer import HasMoments
from bayesnoise.noise import Bernoulli
from bayesnoise.posteriors.point import PointParams
from bayesnoise.recurrent import LSTM, Recurrent, gru, lstm
from bayesnoise.stochastic import Stochastic, StochasticNoise

BUILDERS = {"lstm": (lstm, 4), "gru": (gru, 3)}
both = pytest.mark.parametrize("cell", BUILDERS)
bare = partial(bn.flipout, bias="none")


def _flips(count: int, n: int) -> tuple[Array, ...]:
    """Every sign vector of one unit's flipout noise: input, gates, state, gates, each `(2^(2 + 2 count), ...)`."""
    rows = sign_vectors(2 + 2 * count)
    return rows[:, None, :1], rows[:, None, 1 : 1 + count], rows[:, 1 + count : 2 + count], rows[:, 2 + count :]


def _states_of_sampled_weights(cell: str, params: Any, x: Array) -> Array:
    """The last state for each way of putting signs on the standard deviations of all the weights, sorted."""
    count = params.input.rho.size
    sd = np.log1p(np.exp(np.concatenate([params.input.rho, params.hidden.rho])))
    mu, zeros = np.concatenate([params.input.mu, params.hidden.mu]), np.zeros(count)
    runs = []
    for signs in sign_vectors(2 * count):
        w_input, w_hidden = mu + sd * signs.reshape(2, count)
        runs.append(reference.states(cell, x, w_input[None], zeros, w_hidden[None], zeros)[-1, 0])
    return np.sort(runs)


@both
def test_two_steps_have_the_law_of_sampled_weights(cell: str) -> None:
    """One unit, two steps, two-point noise: all of flipout's noise is run, and all weights that it may stand for."""
    build, gates = BUILDERS[cell]
    layer = build(bare, 1, 1, outputs="last")
    params = random_params(layer, np.random.default_rng(1))
    x = np.array([[0.8], [-1.7]])
    signs_x, signs_u, signs_h, signs_v = _flips(gates, 1)
    n = len(signs_x)
    runs = []
    for eps in sign_vectors(2 * gates):
        noise = bn.recurrent.RecurrentNoise(
            StochasticNoise(FlipoutNoise(eps[None, :gates], signs_x, signs_u), None),
            StochasticNoise(FlipoutNoise(eps[None, gates:], signs_h, signs_v), None),
            None,
            None,
        )
        runs.append(layer.forward(params, noise, np.broadcast_to(x, (n, 2, 1)))[0][:, 0])
    want = _states_of_sampled_weights(cell, params, x)
    np.testing.assert_allclose(np.sort(np.concatenate(runs)), np.repeat(want, n), rtol=0, atol=1e-13)


@both
def test_fresh_signs_at_each_step_would_have_another_law(cell: str) -> None:
    """The mean of the last state over all weights is not that over weights drawn anew for the second step."""
    gates = BUILDERS[cell][1]
    rng_ = np.random.default_rng(1)
    mu, sd = rng_.standard_normal((2, gates)), 0.5 + rng_.random((2, gates))
    x, zeros = np.array([[0.8], [-1.7]]), np.zeros(gates)
    rule, arrays = reference.STEPS[cell]
    start = [np.zeros(1)] * arrays
    signs = sign_vectors(2 * gates).reshape(-1, 2, gates)
    kept, fresh = [], []
    first = [rule(x[0, 0] * (mu[0] + sd[0] * s[0]), zeros, start) for s in signs[:: 2**gates]]
    for s, state in zip(signs[:: 2**gates], first, strict=True):
        for t in signs:
            w_hidden = mu[1] + sd[1] * t[1]
            after = rule(x[1, 0] * (mu[0] + sd[0] * t[0]), w_hidden * state[0][0], state)[0][0]
            fresh.append(after)
            if np.array_equal(s[0], t[0]):
                kept.append(after)
    assert len(kept) * 2**gates == len(fresh)
    assert abs(np.var(kept) - np.var(fresh)) > 0.02 * np.var(kept)


@both
def test_no_noise_is_the_layer_of_torch(cell: str) -> None:
    build, _ = BUILDERS[cell]
    layer = build(bn.deterministic, 3, 2)
    theirs = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](3, 2, batch_first=True, dtype=torch.float64)
    params = random_params(layer, np.random.default_rng(0))
    for name, part in (("ih", params.input), ("hh", params.hidden)):
        getattr(theirs, f"weight_{name}_l0").data = torch.tensor(part.weight.theta.T)
        getattr(theirs, f"bias_{name}_l0").data = torch.tensor(part.bias.theta)
    x = np.random.default_rng(1).standard_normal((4, 5, 3))
    x_theirs = torch.tensor(x, requires_grad=True)
    y_theirs = theirs(x_theirs)[0]
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    y, residuals = layer.forward(params, noise, x)
    np.testing.assert_allclose(y, y_theirs.detach().numpy(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer.predict(params, x), y, rtol=0, atol=1e-15)
    grad_y = np.random.default_rng(2).standard_normal(y.shape)
    wanted = (x_theirs, theirs.weight_hh_l0, theirs.bias_hh_l0)
    by_torch = [grad.numpy() for grad in torch.autograd.grad(y_theirs, wanted, torch.tensor(grad_y))]
    grad_x, grads = layer.backward(residuals, grad_y)
    for got, want in zip((grad_x, grads.hidden.weight.theta.T, grads.hidden.bias.theta), by_torch, strict=True):
        np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=1e-13)


@both
def test_a_shared_draw_is_a_network_with_the_sampled_weights(cell: str) -> None:
    build, _ = BUILDERS[cell]
    layer, plain = build(bn.bayes_by_backprop, 2, 3), build(bn.deterministic, 2, 3)
    rng_ = np.random.default_rng(3)
    params, x = random_params(layer, rng_), rng_.standard_normal((2, 4, 2))
    noise = random_noise(layer, params, x.shape, 0)

    def sampled(p: Any, z: Any) -> Any:
        return PointParams(p.mu + np.log1p(np.exp(p.rho)) * z.estimator.eps)

    fixed = type(params)(
        *(
            type(p)(sampled(p.weight, z.weight), sampled(p.bias, z.bias))
            for p, z in ((params.input, noise.input), (params.hidden, noise.hidden))
        )
    )
    want = plain.forward(fixed, plain.draw(host_rng(0), fixed, x.shape, like=x), x)[0]
    np.testing.assert_allclose(layer.forward(params, noise, x)[0], want, rtol=0, atol=1e-14)


@both
def test_an_example_alone_is_that_example_in_its_batch(cell: str) -> None:
    build, _ = BUILDERS[cell]
    layer = build(partial(bn.flipout, bias="random"), 2, 3, input_noise=Bernoulli(0.5), hidden_noise=Bernoulli(0.5))
    rng_ = np.random.default_rng(4)
    params, x = random_params(layer, rng_), rng_.standard_normal((3, 4, 2))
    noise = random_noise(layer, params, x.shape, 0)
    y = layer.forward(params, noise, x)[0]
    shapes = [a.shape for a in tree.leaves(random_noise(layer, params, (1, 4, 2), 0))]
    for n in range(3):
        leaves = [a if a.shape == s else a[n : n + 1] for a, s in zip(tree.leaves(noise), shapes, strict=True)]
        alone = layer.forward(params, tree.unflatten(noise, iter(leaves)), x[n : n + 1])[0]
        np.testing.assert_allclose(alone[0], y[n], rtol=0, atol=1e-14)


@both
def test_the_last_output_is_the_last_of_all(cell: str) -> None:
    build, _ = BUILDERS[cell]
    all_states, last = build(bn.flipout, 2, 3), build(bn.flipout, 2, 3, outputs="last")
    rng_ = np.random.default_rng(5)
    params, x = random_params(last, rng_), rng_.standard_normal((3, 4, 2))
    noise = random_noise(last, params, x.shape, 0)
    (y_all, of_all), (y, of_last) = all_states.forward(params, noise, x), last.forward(params, noise, x)
    assert np.array_equal(y_all[:, -1], y)
    assert (all_states.output_shape(x.shape), last.output_shape(x.shape)) == ((3, 4, 3), (3, 3))
    at_the_end = np.zeros(y_all.shape)
    at_the_end[:, -1] = y
    for a, b in zip(
        tree.leaves(all_states.backward(of_all, at_the_end)), tree.leaves(last.backward(of_last, y)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-15)


def test_the_noise_has_one_draw_a_sequence() -> None:
    """However long the sequence is."""
    layer = lstm(bn.flipout, 2, 3, input_noise=Bernoulli(0.5), hidden_noise=Bernoulli(0.5))
    params = layer.init(host_rng(0), like=np.ones(()))
    short, long = (
        [a.shape for a in tree.leaves(layer.draw(host_rng(0), params, (4, t, 2), like=np.ones(())))] for t in (1, 9)
    )
    assert short == long


@both
def test_saturated_gates_and_long_sequences_stay_finite(cell: str) -> None:
    build, _ = BUILDERS[cell]
    layer = build(bn.flipout, 1, 2)
    for scale in (1e-4, 1.0, 1e4):
        drawn = random_params(layer, np.random.default_rng(6))
        params = tree.map(np.float32(scale).__mul__, tree.map(lambda a: a.astype(np.float32), drawn))
        x = np.random.default_rng(7).standard_normal((2, 50, 1)).astype(np.float32)
        y, residuals = layer.forward(params, layer.draw(host_rng(0), params, x.shape, like=x), x)
        assert all(np.all(np.isfinite(a)) for a in [y, *tree.leaves(layer.backward(residuals, y))])


def test_a_network_of_two_layers_learns() -> None:
    """Which of two steps was positive, from the last state: an input that the first step alone decides."""
    x = np.random.default_rng(8).standard_normal((64, 3, 1))
    y = np.tanh(x[:, 0, :])
    layer = bn.chain(
        gru(bn.flipout, 1, 4), lstm(bn.bayes_by_backprop, 4, 4, outputs="last"), bn.flipout(bn.maps.Dense(4, 1))
    )
    state = bn.fit(
        layer, bn.losses.Gaussian(0.1), x, y, rng=rng(0, like=x), optimizer=bn.optimizers.adam(2e-2), epochs=40
    )
    assert state.history[-1].nll < 0.25 * state.history[0].nll


def test_what_a_layer_is_made_of() -> None:
    layer: Any = lstm(bn.flipout, 2, 3)
    assert layer == Recurrent(LSTM(bn.flipout(bn.maps.Dense(2, 12)), bn.flipout(bn.maps.Dense(3, 12))))
    assert hash(layer) == hash(lstm(bn.flipout, 2, 3))
    assert layer != gru(bn.flipout, 2, 3)
    assert not isinstance(layer, HasMoments)  # a state is no linear function of the weights
    params = layer.init(host_rng(0), like=np.ones(()))
    names = [path for path, _ in tree.paths(params)]
    assert names[:3] == ["input.weight.mu", "input.weight.rho", "input.bias.theta"]
    assert {type(part) for _, part, _ in walk(layer, params)} == {Stochastic}


def test_the_oracle_masks_and_steps_as_it_says() -> None:
    """One unit by hand: the mask of the state halves the second step's product and nothing else."""
    x, w, none = np.array([[1.0], [0.0]]), np.array([[0.3, -0.2, 0.7]]), np.zeros(3)
    full, halved = (reference.states("gru", x, w, none, w, none, None, np.array([m])) for m in (1.0, 0.5))
    again = reference.states("gru", x, w, none, 0.5 * w, none)
    assert full[0] == halved[0]
    np.testing.assert_allclose(halved, again, rtol=0, atol=1e-16)
