"""Attention: the conventions of torch, one draw for all positions, what causality hides, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from agreement import random_noise, random_params
from bayesnoise_backends import rng
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import attention as reference
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.attention import AttentionNoise, MultiHeadAttention, multi_head_attention
from bayesnoise.estimators import FlipoutNoise
from bayesnoise.reshaping import flatten
from bayesnoise.stochastic import StochasticNoise

dense = bn.maps.Dense
bare = partial(bn.flipout, bias="none")


@pytest.mark.parametrize("causal", [False, True])
def test_no_noise_is_the_layer_of_torch(causal: bool) -> None:
    layer = multi_head_attention(bn.deterministic, 4, 2, causal=causal)
    params = random_params(layer, np.random.default_rng(0))
    theirs = torch.nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64)
    theirs.in_proj_weight.data = torch.tensor(np.concatenate([p.weight.theta.T for p in params[:3]]))
    theirs.in_proj_bias.data = torch.tensor(np.concatenate([p.bias.theta for p in params[:3]]))
    theirs.out_proj.weight.data = torch.tensor(params.output.weight.theta.T)
    theirs.out_proj.bias.data = torch.tensor(params.output.bias.theta)
    x = np.random.default_rng(1).standard_normal((3, 5, 4))
    x_theirs = torch.tensor(x, requires_grad=True)
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1) if causal else None
    y_theirs = theirs(x_theirs, x_theirs, x_theirs, attn_mask=mask, need_weights=False)[0]
    y, residuals = layer.forward(params, layer.draw(host_rng(0), params, x.shape, like=x), x)
    np.testing.assert_allclose(y, y_theirs.detach().numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(layer.predict(params, x), y, rtol=0, atol=1e-14)
    grad_y = np.random.default_rng(2).standard_normal(y.shape)
    wanted = (x_theirs, theirs.in_proj_weight, theirs.out_proj.bias)
    by_torch = [grad.numpy() for grad in torch.autograd.grad(y_theirs, wanted, torch.tensor(grad_y))]
    grad_x, grads = layer.backward(residuals, grad_y)
    in_weight = np.concatenate([g.weight.theta.T for g in grads[:3]])
    for got, want in zip((grad_x, in_weight, grads.output.bias.theta), by_torch, strict=True):
        np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=1e-12)


def test_two_positions_have_the_law_of_sampled_weights() -> None:
    """One feature, two positions, two-point noise: all of flipout's noise, and all weights that it may stand for."""
    layer = multi_head_attention(bare, 1, 1)
    params = random_params(layer, np.random.default_rng(3))
    x = np.array([[0.7], [-1.1]])
    flips = sign_vectors(8)
    n = len(flips)
    runs = []
    for eps in sign_vectors(4):
        noise = AttentionNoise(
            *(
                StochasticNoise(FlipoutNoise(eps[k].reshape(1, 1), *_flips(flips[:, 2 * k : 2 * k + 2])), None)
                for k in range(4)
            )
        )
        runs.append(layer.forward(params, noise, np.broadcast_to(x, (n, 2, 1)))[0][..., 0])
    mu, sd = (np.array([float(f(p)[0, 0]) for p in params]) for f in (_mu, _sd))
    want = []
    for signs in sign_vectors(4):
        own = [(np.array([[w]]), np.zeros(1)) for w in mu + sd * signs]
        want.append(reference.output(x, own[0], own[1], own[2], own[3], 1, False)[:, 0])
    assert _sorted(np.concatenate(runs)) == _sorted(np.repeat(want, n, axis=0))


def _mu(params: Any) -> Array:
    return np.asarray(params.mu)


def _sd(params: Any) -> Array:
    return np.asarray(np.log1p(np.exp(params.rho)))


def _flips(rows: Array) -> tuple[Array, Array]:
    """Signs of the input and of the output, `(n, 1, 1)` each: constant over positions."""
    return rows[:, :1, None], rows[:, 1:, None]


def _sorted(rows: Array) -> list[tuple[float, ...]]:
    return sorted(tuple(float(v) for v in row) for row in np.round(rows, 12))


def test_the_noise_has_one_draw_for_all_positions() -> None:
    layer = multi_head_attention(partial(bn.flipout, bias="random"), 4, 2)
    params = layer.init(host_rng(0), like=np.ones(()))
    few, many = (
        [a.shape for a in tree.leaves(layer.draw(host_rng(0), params, (3, t, 4), like=np.ones(())))] for t in (1, 7)
    )
    assert few == many


def test_positions_without_a_mask_have_no_order() -> None:
    layer = multi_head_attention(bn.flipout, 4, 2)
    rng_ = np.random.default_rng(4)
    params, x = random_params(layer, rng_), rng_.standard_normal((2, 5, 4))
    noise, order = random_noise(layer, params, x.shape, 0), np.array([3, 1, 4, 0, 2])
    y = layer.forward(params, noise, x)[0]
    np.testing.assert_allclose(layer.forward(params, noise, x[:, order])[0], y[:, order], rtol=0, atol=1e-13)


def test_causal_positions_do_not_look_ahead() -> None:
    """Forward by truncation, backward by the gradient that a position gives to later inputs."""
    layer = multi_head_attention(bn.flipout, 4, 2, causal=True)
    rng_ = np.random.default_rng(5)
    params, x = random_params(layer, rng_), rng_.standard_normal((2, 5, 4))
    noise = random_noise(layer, params, x.shape, 0)
    y, residuals = layer.forward(params, noise, x)
    np.testing.assert_allclose(layer.forward(params, noise, x[:, :3])[0], y[:, :3], rtol=0, atol=1e-14)
    grad_y = np.zeros(y.shape)
    grad_y[:, 2] = 1.0
    grad_x = layer.backward(residuals, grad_y)[0]
    assert grad_x is not None
    assert np.all(grad_x[:, 3:] == 0)
    assert np.all(np.any(grad_x[:, :3] != 0, axis=-1))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_large_scores_stay_finite(scale: float) -> None:
    layer = multi_head_attention(bn.flipout, 2, 1, causal=True)
    drawn = random_params(layer, np.random.default_rng(6))
    params = tree.map(lambda a: np.float32(scale) * a.astype(np.float32), drawn)
    x = np.random.default_rng(7).standard_normal((2, 6, 2)).astype(np.float32)
    y, residuals = layer.forward(params, layer.draw(host_rng(0), params, x.shape, like=x), x)
    assert all(np.all(np.isfinite(a)) for a in [y, *tree.leaves(layer.backward(residuals, y))])


def test_a_bias_of_the_key_changes_nothing() -> None:
    """It shifts all scores of a position alike."""
    layer = multi_head_attention(bn.deterministic, 4, 2)
    params, x = random_params(layer, np.random.default_rng(8)), np.random.default_rng(9).standard_normal((2, 3, 4))
    moved = params._replace(key=params.key._replace(bias=params.key.bias._replace(theta=params.key.bias.theta + 1.0)))
    np.testing.assert_allclose(layer.predict(moved, x), layer.predict(params, x), rtol=0, atol=1e-13)


def test_a_network_with_attention_learns() -> None:
    """The first position's target is the second one's input, which attention alone can bring there."""
    x = np.random.default_rng(10).standard_normal((64, 2, 2))
    layer = bn.chain(multi_head_attention(bn.flipout, 2, 1), flatten(), bn.bayes_by_backprop(bn.maps.Dense(4, 1)))
    optimizer, y = bn.optimizers.adam(2e-2), x[:, 1, :1]
    state = bn.fit(layer, bn.losses.Gaussian(0.1), x, y, rng=rng(0, like=x), optimizer=optimizer, epochs=100)
    assert state.history[-1].nll < 0.25 * state.history[0].nll


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: multi_head_attention(bn.local_reparameterization, 4, 2),
            ValueError,
            "query has estimator Local.* no weights stand behind .* use Shared or Flipout",
        ),
        (lambda: multi_head_attention(bn.dropout, 4, 2), TypeError, "query is Chain.*, expected a layer of one map"),
        (lambda: multi_head_attention(bn.flipout, 4, 3), ValueError, "heads is 3, expected a divisor of the 4 outputs"),
        (lambda: multi_head_attention(bn.flipout, 4, 0), ValueError, "heads is 0"),
        (lambda: multi_head_attention(bn.flipout, 4.0, 2), TypeError, "features is 4.0"),  # type: ignore[arg-type]
        (
            lambda: MultiHeadAttention(bare(dense(2, 4)), bare(dense(2, 2)), bare(dense(2, 4)), bare(dense(4, 2))),
            ValueError,
            "key has 2 outputs, expected 4",
        ),
        (
            lambda: MultiHeadAttention(bare(dense(2, 4)), bare(dense(2, 4)), bare(dense(2, 3)), bare(dense(4, 2))),
            ValueError,
            "value has 3 outputs, expected 4",
        ),
        (lambda: multi_head_attention(bn.flipout, 4, 2).output_shape((3, 0, 4)), ValueError, "at least one position"),
        (lambda: multi_head_attention(bn.flipout, 4, 2).output_shape((3, 4)), ValueError, r"x has shape \(3, 4\)"),
        (lambda: multi_head_attention(bn.flipout, 4, 2).output_shape((3, 5, 2)), ValueError, r"\(3, 5, 2\), expected"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((2, 0, 4)), ValueError, "at least one position"),
        (np.ones((2, 3, 4), dtype=np.float32), TypeError, "x has dtype float32 and params float64"),
        (np.ones((2, 3, 4), dtype=np.int64), TypeError, "x has dtype int64"),
    ],
)
def test_wrong_input_is_named(x: Any, error: type[Exception], message: str) -> None:
    layer = multi_head_attention(bn.flipout, 4, 2)
    params = layer.init(host_rng(0), like=np.ones(()))
    with pytest.raises(error, match=message):
        layer.forward(params, layer.draw(host_rng(0), params, (2, 3, 4), like=np.ones(())), x)
    with pytest.raises(error, match=message):
        layer.predict(params, x)
